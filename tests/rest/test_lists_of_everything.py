"""Every list of the API: as many queries for one row as for all, and pages that end."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.models import Queue
from scoring.models import ModelVersion
from tests.models.conftest import bundles_learnt, champion, folder, versions  # noqa: F401
from tests.rest.test_any_request import MANUAL, RIGHT
from tests.rest.world import World

pytestmark = pytest.mark.django_db
MOST = 8  # queries, with those that say who asks
LISTS = [
    (address, methods["get"])
    for address, methods in MANUAL["paths"].items()
    if "{" not in address
    and "get" in methods
    and "cursor" in {one["name"] for one in methods["get"].get("parameters", [])}
]


@pytest.fixture
def world(cards: Queue, champion: ModelVersion, versions: list[ModelVersion]) -> World:  # noqa: F811
    return World(cards, versions)


def asked(client: Any, address: str, **query: Any) -> tuple[dict[str, Any], int]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        got = client.get(address, query)
    assert got.status_code == 200, got.content
    return got.json(), len(queries)


def test_a_list_costs_the_same_for_one_row_and_for_all_and_ends(world: World) -> None:
    assert len(LISTS) > 15
    for address, operation in LISTS:
        found = RIGHT.search(operation["description"])
        client = world.who_may(found[1] if found else "")
        asked(client, address)  # what a process learns once is learnt
        has_limit = "limit" in {one["name"] for one in operation["parameters"]}
        limit = {"limit": 1} if has_limit else {}
        first, for_one = asked(client, address, **limit)
        everything, for_all = asked(client, address)
        assert for_all <= for_one <= MOST, address
        if not has_limit:
            continue
        rows, cursor = first["results"], first["next"]
        while cursor is not None:
            page, _ = asked(client, address, cursor=cursor, **limit)
            rows, cursor = rows + page["results"], page["next"]
        assert rows == everything["results"], address
