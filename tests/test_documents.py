"""What the documents name exists: targets, commands, options, addresses, settings, files."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve

ROOT = Path(__file__).resolve().parent.parent
DOCS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
PEOPLE = ["analyst", "engineer", "model-owner", "admin", "integrator", "operator"]
COMMAND = re.compile(r"manage\.py ([a-z_]+)([^`\n]*)")
TARGET = re.compile(r"(?:`|^|or )(?:[A-Z]+=\S+ )?make ([a-z][a-z0-9-]*)", re.MULTILINE)
OPTION = re.compile(r"(?<=\s)--[a-z-]+")
# `/alerts/`, `POST /api/v1/labels`, $BASE/detect, http://127.0.0.1:8000/detect
ADDRESS = re.compile(
    r"(?:`(?:GET |POST )?|\$BASE|http://127\.0\.0\.1:8000)(/[a-z][\w/{}.-]*)(?:\?\S*?)?(?=[`\s\"])"
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
CODE = re.compile(r"`((?:tests|benchmarks|scoring|alerts|cases|tools)/[\w/]+\.py)(?:::(\w+))?`")
SETTING = re.compile(r"\bANOMALYSHIELD_[A-Z_]+\b")

every_document = pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)


def words(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def test_each_person_has_a_page_that_is_read_in_one_sitting() -> None:
    for name in PEOPLE:
        assert len(words(ROOT / "docs" / f"{name}.md").splitlines()) <= 150, name
        assert f"docs/{name}.md" in words(ROOT / "README.md")


@every_document
def test_every_target_exists(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = re.findall(r"^([a-z0-9 -]+):", makefile, re.MULTILINE)
    there = {name for line in lines for name in line.split()}
    assert set(TARGET.findall(words(document))) <= there


@every_document
def test_every_command_exists_with_its_options(document: Path) -> None:
    there = get_commands()
    for name, rest in COMMAND.findall(words(document)):
        assert name in there, name
        parser = load_command_class(there[name], name).create_parser("manage.py", name)
        assert set(OPTION.findall(rest.split("#")[0])) <= parser._option_string_actions.keys(), name


@every_document
def test_every_address_is_answered(document: Path) -> None:
    missing = []
    for address in ADDRESS.findall(words(document)):
        try:
            resolve(re.sub(r"\{\w+\}", "1", address))
        except Resolver404:
            missing.append(address)
    assert [one for one in missing if not one.startswith("/var/")] == []


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = [x for x in LINK.findall(words(document)) if not (document.parent / x).exists()]
    assert broken == []


@every_document
def test_every_setting_is_one(document: Path) -> None:
    there = set(SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8")))
    assert set(SETTING.findall(words(document))) <= there


@every_document
def test_every_file_and_test_it_names_exists(document: Path) -> None:
    for path, name in CODE.findall(words(document)):
        assert (ROOT / path).is_file(), path
        there = re.findall(r"^def (\w+)", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
        assert not name or name in there, f"{path}::{name}"


def test_the_picture_is_small_enough_to_be_cloned() -> None:
    picture = (ROOT / "docs" / "images" / "queue.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) <= 200_000


def test_the_patterns_find_what_they_are_for() -> None:
    text = "\n".join(map(words, DOCS))
    assert {"run", "test", "doctor"} <= set(TARGET.findall(text))
    assert {"ingest_file", "verify_audit"} <= {name for name, _ in COMMAND.findall(text)}
    assert {"/alerts/", "/detect", "/api/v1/decisions/8109"} <= set(ADDRESS.findall(text))
    assert len([name for _, name in CODE.findall(text) if name]) > 30
