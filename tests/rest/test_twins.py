"""Every page has its twin for programs: the same right, and the same verb behind both."""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern

from tests.rest.schemas import manual
from tests.rest.twins import ACTS, ALONE, OTHER_RIGHT_TO_READ, READS, SOON, WITHOUT_PAGE
from tests.test_permissions import patterns

RIGHT = re.compile(r"Right `([a-z.]+)`")


def view_of(pattern: URLPattern) -> Any:
    callback = pattern.callback
    return getattr(callback, "cls", callback)


PAGES = {p.name: view_of(p) for p in patterns() if not inspect.isclass(view_of(p))}
CLASSES = {str(p.pattern): view_of(p) for p in patterns() if inspect.isclass(view_of(p))}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for address, methods in manual()["paths"].items():
        for method, operation in methods.items():
            yield operation["operationId"], {**operation, "address": address, "method": method}


OPERATIONS = dict(operations())


def right_of(name: str) -> str:
    """What the manual says it asks for; it is made from what the gate asks."""
    found = RIGHT.search(OPERATIONS[name]["description"])
    return found[1] if found else "public"


def sources_of(name: str) -> str:
    """The text of the module in which an operation is written."""
    address = re.sub(r"{(\w+)}", r"<\1>", OPERATIONS[name]["address"]).lstrip("/")
    for pattern, view in CLASSES.items():
        if re.sub(r"<\w+:(\w+)>", r"<\1>", pattern) == address.replace("<id>", "<pk>"):
            return Path(inspect.getfile(view)).read_text()
    raise LookupError(name)


def calls(text: str, verb: str) -> bool:
    """By its name, or by handing it on to whoever calls it."""
    return re.search(rf"\b{verb.rpartition('.')[2]}\b", text) is not None


def test_every_page_has_a_twin_or_a_reason() -> None:
    writing = {n for n, view in PAGES.items() if "POST" in getattr(view, "methods", ("POST",))}
    reading = {n for n, view in PAGES.items() if "GET" in getattr(view, "methods", ("GET",))}
    assert sorted(writing - set(ACTS) - set(ALONE) - SOON) == []
    assert sorted(reading - set(READS) - set(ALONE) - SOON) == []


def test_what_is_listed_still_exists() -> None:
    assert sorted({*ACTS, *READS, *ALONE, *OTHER_RIGHT_TO_READ} - set(PAGES)) == []
    named = {*WITHOUT_PAGE}.union(*READS.values(), *(act.operations for act in ACTS.values()))
    assert sorted(named - set(OPERATIONS)) == []
    assert sorted(set(OPERATIONS) - named - SOON) == []


@pytest.mark.parametrize("page", sorted(ACTS))
def test_a_twin_asks_for_the_same_right(page: str) -> None:
    for name in ACTS[page].operations:
        if ACTS[page].other_right:
            assert right_of(name) != PAGES[page].action, "the reason is no longer needed"
        else:
            assert right_of(name) == PAGES[page].action


@pytest.mark.parametrize("page", sorted(READS))
def test_what_a_page_shows_a_program_reads_with_the_same_right(page: str) -> None:
    for name in READS[page]:
        if page in OTHER_RIGHT_TO_READ:
            assert right_of(name) != PAGES[page].action, "the reason is no longer needed"
        else:
            assert right_of(name) == PAGES[page].action
        assert OPERATIONS[name]["method"] == "get"


@pytest.mark.parametrize("page", sorted(ACTS))
def test_a_page_and_its_twin_call_the_same_verb(page: str) -> None:
    module, _, verb = ACTS[page].verb.rpartition(".")
    assert callable(getattr(importlib.import_module(module), verb))
    assert calls(Path(inspect.getfile(inspect.unwrap(PAGES[page]))).read_text(), verb)
    assert any(calls(sources_of(name), verb) for name in ACTS[page].operations)


def test_what_a_page_does_takes_a_form_never_a_link() -> None:
    for act in ACTS.values():
        for name in act.operations:
            assert OPERATIONS[name]["method"] in {"post", "patch"}
