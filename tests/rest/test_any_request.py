"""Whatever is sent to any operation: never a 5xx, always an answer the manual describes.

A walk over the manual itself, as schemathesis does it: what a schema allows, what it almost
allows, and what it does not. `ANOMALYSHIELD_EXAMPLES=300` looks further, at random.
"""

import io
import json
import os
import re
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from hypothesis import HealthCheck, currently_in_test_context, given, note, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from alerts.models import Queue
from scoring.models import ModelVersion
from tests.models.conftest import bundles_learnt, champion, folder, versions  # noqa: F401
from tests.rest.schemas import Drawing, manual
from tests.rest.world import World

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("ANOMALYSHIELD_EXAMPLES", "6"))
MANUAL = manual()
DRAW = Drawing(MANUAL)
RIGHT = re.compile(r"Right `([a-z.]+)`")
JSON = "application/json"
NOWHERE = [10**9, 0, 2**63, 2**70, "x", "-1", "%00", "1e3"]
KINDS = ["csv", "parquet", "xml"]
ENTITIES = ["user", "merchant", "planet"]


def operations() -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """By heading: address, method, operation."""
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for address, methods in MANUAL["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append((address, method, operation))
    return found


OPERATIONS = operations()


@pytest.fixture
def world(cards: Queue, champion: ModelVersion, versions: list[ModelVersion]) -> World:  # noqa: F811
    return World(cards, versions)


def test_any_request_is_answered_as_the_manual_says(
    world: World, subtests: pytest.Subtests
) -> None:
    """One world for all: every example is taken back, and building it takes most of a second."""
    for heading in sorted(OPERATIONS):
        for where in OPERATIONS[heading]:
            with subtests.test(" ".join((heading, *where[:2]))):
                walk(world, where)


def walk(world: World, where: tuple[str, str, dict[str, Any]]) -> None:
    """Every example begins with the same world."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize="ANOMALYSHIELD_EXAMPLES" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def once(data: Any) -> None:
        with transaction.atomic():
            step(data, world, *where)
            transaction.set_rollback(True)

    once()


def step(data: Any, world: World, address: str, method: str, operation: dict[str, Any]) -> None:
    place = re.sub(r"{(\w+)}", lambda one: str(data.draw(ids(world, address, one[1]))), address)
    found = RIGHT.search(operation["description"])
    client = world.who_may(found[1] if found else "")
    asked = {
        one["name"]: data.draw(queries(one["schema"]))
        for one in operation.get("parameters", [])
        if one["in"] == "query" and data.draw(st.booleans())
    }
    note(f"{method} {place} {asked}")
    if method == "get":
        check(client.get(place, asked), operation)
        return
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        check(client.post(place, data.draw(parts(content["multipart/form-data"]))), operation)
        return
    schema = content.get(JSON, {}).get("schema", {"type": "object", "maxProperties": 0})
    body = data.draw(DRAW.of(schema) | DRAW.near(schema))
    note(f"body {body!r}")
    got = getattr(client, method)(place, json.dumps(body), content_type=JSON)
    check(got, operation)
    if not fits(body, schema) and operation["operationId"] not in LENIENT:
        assert got.status_code >= 400, "what the manual does not allow was taken"


# What upstream systems send is read by the engine, which knows more names for a field.
LENIENT = {
    "detect",
    "predict",
    "predictBatch",
    "score",
    "scoreBatch",
    "tryPayment",
    "sendEvents",
    "sendNotices",
    "sendWebhook",
}


def ids(world: World, address: str, name: str) -> st.SearchStrategy[Any]:
    """Of what is there, and of what is not."""
    if name == "kind":
        return st.sampled_from(ENTITIES if "/entities/" in address else KINDS)
    steps = address.partition("/{" + name + "}")[0].split("/")
    there = world.ids.get(steps[-1], [])
    known = [st.sampled_from(there)] * 2 if there else []
    return st.one_of(*known, st.sampled_from(NOWHERE))


def queries(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    """As it goes into an address: always a text."""
    drawn = DRAW.of(schema) | st.sampled_from(["", "\x00", "é", "0", "-1", "x" * 300])
    return drawn.map(lambda value: str(value).lower() if isinstance(value, bool) else str(value))


def parts(content: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    files = st.binary(max_size=40) | st.just(b"list,type,value,reason\nDENY,card,c9,stolen\n")
    names = st.sampled_from(["a.csv", "a.parquet", "a.exe", "..", "é.csv"])
    file = st.tuples(names, files).map(lambda one: named_file(*one))
    texts = st.sampled_from(["files", "", "{", "[]", '{"a": "b"}', "true", "x"])
    named = MANUAL["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    others = {name: texts for name in named["properties"] if name != "file"}
    return st.fixed_dictionaries({}, optional={"file": file, **others})


def named_file(name: str, content: bytes) -> io.BytesIO:
    """As a browser that means no good would name it."""
    file = io.BytesIO(content)
    file.name = name
    return file


def check(got: HttpResponse, operation: dict[str, Any]) -> None:
    """Declared, of the declared type, of the declared shape."""
    status = str(got.status_code)
    text = b"" if got.streaming else got.content
    if currently_in_test_context():
        note(f"{status} {text[:300]!r}")
    assert got.status_code < 500
    assert status in operation["responses"], f"{status} is not in the manual"
    answer = operation["responses"][status]
    if "$ref" in answer:
        answer = MANUAL["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    content = answer.get("content", {})
    kind = got.headers.get("Content-Type", "").partition(";")[0]
    if not content:
        assert text == b""
        return
    assert kind in content
    if kind.endswith("json"):
        shape = {**content[kind]["schema"], "components": MANUAL["components"]}
        Draft202012Validator(shape).validate(json.loads(text))
    if status == "400":
        assert {"pointer", "errors"} & set(json.loads(text)) or "json" in text.decode()


def fits(body: Any, schema: dict[str, Any]) -> bool:
    return Draft202012Validator({**schema, "components": MANUAL["components"]}).is_valid(body)


def test_a_walk_can_fail() -> None:
    """The check refuses what the manual does not describe."""
    operation = OPERATIONS["me"][0][2]
    good = HttpResponse(b"{}", content_type="application/problem+json", status=401)
    with pytest.raises(Exception, match="required property"):
        check(good, operation)
    with pytest.raises(AssertionError):
        check(HttpResponse(b"{}", content_type=JSON, status=201), operation)
