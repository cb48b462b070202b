"""Schemathesis asks every operation of the manual: never a 5xx, never what the manual does not say.

Some cases of each operation, the same in every run. `make fuzz` asks all that schemathesis knows,
and more at random.
"""

import logging
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.response import Response

from alerts.models import Queue
from alerts.playbooks_api import Playbooks
from anomalyshield.accounts.roles import ANALYST
from anomalyshield.rest import resource
from scoring.models import ModelVersion
from tests.models.conftest import bundles_learnt, champion, folder, versions  # noqa: F401
from tests.rest.world import World

if TYPE_CHECKING:
    from tests.rest.fuzzing import Asker

pytestmark = pytest.mark.django_db
LONG = "ANOMALYSHIELD_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("ANOMALYSHIELD_EXAMPLES", "1"))
CORNERS = None if LONG else 4


@pytest.fixture
def asker(cards: Queue, champion: ModelVersion, versions: list[ModelVersion]) -> Iterator[Any]:  # noqa: F811
    from tests.rest import fuzzing  # a second, and no matter of those who only collect

    assert fuzzing.operations()  # read before a test changes what the manual is made of
    with fuzzing.one_connection():
        yield fuzzing.Asker(World(cards, versions))


def test_every_operation_answers_as_the_manual_says(
    asker: "Asker", subtests: pytest.Subtests
) -> None:
    from tests.rest import fuzzing

    for label, operation in fuzzing.operations().items():
        with subtests.test(label):
            for case in fuzzing.each_corner(operation, CORNERS):
                asker.ask(case)
            fuzzing.at_random(operation, asker.ask, EXAMPLES, again=not LONG)


def _raises(*_: object, **__: object) -> Response:
    raise ZeroDivisionError


def _says_aloud(*_: object, **__: object) -> Response:
    logging.getLogger("views").error("This is a mistake of ours.")
    return Response({"detail": "refused"}, 404)


BREACHES: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
    "it raises": ("ServerError", _raises),
    "it logs a mistake": ("AssertionError", _says_aloud),
    "an unknown status": ("UndefinedStatusCode", lambda *_, **__: Response({}, 418)),
    "another kind": ("UndefinedContentType", lambda *_, **__: HttpResponse("<p>")),
    "another shape": ("JsonSchemaError", lambda *_, **__: Response({"unheard": "of"})),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_it_fails_where_an_operation_does_otherwise(
    asker: "Asker", monkeypatch: pytest.MonkeyPatch, breach: str
) -> None:
    expected, handler = BREACHES[breach]
    monkeypatch.setattr(Playbooks, "get", handler)
    assert expected in _found(asker, "GET /api/v1/playbooks")


def test_it_fails_where_an_operation_asks_nobody_who_they_are(
    asker: "Asker", monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not _found(asker, "GET /api/v1/playbooks")
    ana = asker.world.people[ANALYST]
    monkeypatch.setattr(
        Playbooks, "perform_authentication", lambda _, request: setattr(request, "user", ana)
    )
    assert "IgnoredAuth" in _found(asker, "GET /api/v1/playbooks")


def test_it_fails_where_what_the_manual_forbids_is_taken(
    asker: "Asker", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "read", lambda shape, sent: {"days": 90})
    assert "AcceptedNegativeData" in _found(asker, "GET /api/v1/reviews/agreement")


def _found(asker: "Asker", label: str) -> set[str]:
    """The kinds of breaches in all corners of one operation."""
    from tests.rest import fuzzing

    found: set[str] = set()
    for case in fuzzing.each_corner(fuzzing.operations()[label]):
        try:
            asker.ask(case)
        except BaseExceptionGroup as several:
            found |= {type(one).__name__ for one in several.exceptions}
        except AssertionError:
            found.add("AssertionError")
    return found
