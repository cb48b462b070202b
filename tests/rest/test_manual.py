"""The manual of the API: valid, complete, and read without the internet."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from anomalyshield.accounts.keys import make_key
from anomalyshield.accounts.models import User
from anomalyshield.problems import TITLES
from anomalyshield.rest import schema
from tests.conftest import client_of

HOSTS = re.compile(r"(?:src|href|url)\s*=\s*[\"']?(?:https?:)?//", re.IGNORECASE)
SCOPE = re.compile(r"Keys with `([a-z:]+)`")
NOBODY = "00000000-0000-0000-0000-000000000000"
CAMEL = re.compile(r"[a-z]+([A-Z][a-z]+)*")


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Fails on any warning of the generator, and when it is not OpenAPI 3.1."""
    place = tmp_path_factory.mktemp("manual") / "schema.yaml"
    call_command("spectacular", "--fail-on-warn", "--validate", file=str(place))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 600 kB, in Python ten times as long
    return yaml.load(Path(place).read_text(), Loader=loader)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def operations(manual: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (address, method, operation)
        for address, methods in manual["paths"].items()
        for method, operation in methods.items()
    ]


Operations = list[tuple[str, str, dict[str, Any]]]


def test_it_is_openapi_3_1(manual: dict[str, Any]) -> None:
    assert manual["openapi"].startswith("3.1")


def test_every_operation_has_a_name_a_sentence_a_right_and_a_heading(
    manual: dict[str, Any], operations: Operations
) -> None:
    headings = {tag["name"] for tag in manual["tags"]}
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(names) == len(set(names))
    for address, method, operation in operations:
        about = f"{method} {address}"
        assert CAMEL.fullmatch(operation["operationId"]), about
        assert operation.get("summary"), about
        assert re.search(r"Right `|For everyone\.", operation["description"]), about
        assert set(operation["tags"]) <= headings, about


def test_every_refusal_is_a_problem_and_everything_says_when_it_refuses(
    operations: Operations,
) -> None:
    for address, method, operation in operations:
        answers = operation["responses"]
        about = f"{method} {address}"
        for status, answer in answers.items():
            assert ("$ref" in answer) == (int(status) >= 400), about
        assert ("404" in answers) or "{" not in address, about
        assert ("400" in answers) or method == "get", about
        assert "401" in answers, about


def test_anything_or_nothing_is_anything(manual: dict[str, Any]) -> None:
    """Said as "exactly one of both", it would forbid null."""
    assert '"oneOf": [{}' not in json.dumps(manual)


def test_lists_are_paged_alike(manual: dict[str, Any], operations: Operations) -> None:
    for address, _, operation in operations:
        if not operation["operationId"].startswith("list") or "requestBody" in operation:
            continue
        asked = {one["name"] for one in operation["parameters"]}
        assert "cursor" in asked, address
        content = operation["responses"]["200"]["content"]["application/json"]["schema"]
        shape = manual["components"]["schemas"][content["$ref"].rpartition("/")[2]]
        assert {"results", "next"} <= set(shape["properties"]), address


@pytest.mark.django_db
def test_who_accepts_only_what_is_not_made_is_told_so_as_the_manual_says(
    operations: Operations, adam: User
) -> None:
    """Files are what they are; whatever else is accepted, they come or there is another reason."""
    client = client_of(adam)
    for address, method, operation in operations:
        ids = {one["name"]: one["schema"].get("format") for one in operation.get("parameters", ())}
        place = re.sub(r"{(\w+)}", lambda one: NOBODY if ids[one[1]] == "uuid" else "1", address)  # noqa: B023
        answer = client.generic(method, place, headers={"Accept": "application/xml"})
        refused = answer.status_code == 406
        assert refused == ("406" in operation["responses"]), f"{method} {address}"
        assert not refused or answer.json()["title"] == TITLES[406]


@pytest.mark.django_db
def test_a_key_beyond_its_rate_is_refused_as_the_manual_says(
    operations: Operations, adam: User
) -> None:
    for address, method, operation in operations:
        if method == "get" or not (scope := SCOPE.search(operation["description"])):
            continue
        _, key = make_key(by=adam, name=address, scopes=[scope[1]], per_minute=1)
        asked = [Client().generic(method, address, headers={"X-Api-Key": key}) for _ in "123"]
        refused = 429 in {answer.status_code for answer in asked}
        assert refused <= ("429" in operation["responses"]), f"{method} {address}"


def test_the_doors_for_many_records_say_that_they_take_a_list(manual: dict[str, Any]) -> None:
    for address, name in (("/api/v1/events", "TransactionIn"), ("/api/v1/notices", "NoticeIn")):
        body = manual["paths"][address]["post"]["requestBody"]["content"]["application/json"]
        shape = manual["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
        one = {"$ref": f"#/components/schemas/{name}"}
        assert one in shape["oneOf"], shape
        assert {"type": "array", "items": one} in shape["oneOf"], shape


@pytest.mark.django_db
def test_its_pages_name_no_other_host(ana: User) -> None:
    for address in ("/docs", "/redoc"):
        page = client_of(ana).get(address)
        assert page.status_code == 200
        assert not HOSTS.search(page.content.decode())
        policy = page["Content-Security-Policy"]
        assert "http" not in policy
        assert "*" not in policy


@pytest.mark.django_db
def test_it_is_made_once_for_all_who_ask_and_is_what_the_generator_makes(
    manual: dict[str, Any], ana: User, mona: User
) -> None:
    schema._made.cache_clear()
    asked = {"HTTP_ACCEPT": "application/vnd.oai.openapi+json"}
    answers = [client_of(one).get("/api/schema/", **asked) for one in (ana, mona)]
    assert [answer.json() for answer in answers] == [manual, manual]
    assert schema._made.cache_info().misses == 1


@pytest.mark.django_db
def test_the_schema_names_no_other_host(settings: Any, ana: User) -> None:
    text = client_of(ana).get("/api/schema/").content.decode()
    assert not re.search(r"https?://\w", text)
    assert Client().get("/api/schema/").status_code in {200, 302}
