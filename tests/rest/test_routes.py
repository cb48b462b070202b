"""Routes and queues for programs: drafted by leads, tried, put into force by a second person."""

from typing import Any

import pytest

from alerts import directing
from alerts.models import Queue, Routing
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from tests.alerts import making
from tests.rest.asking import answer, get, patch, pointers, post

pytestmark = pytest.mark.django_db
LARGE = {"name": "Large", "queue": "loans", "conditions": {"amount_from": 1000}}


@pytest.fixture
def draft(cards: Queue, loans: Queue, lena: User) -> int:
    return int(post(lena, "routes/draft")["id"])


def test_a_lead_drafts_tries_and_proposes_and_an_admin_puts_it_into_force(
    draft: int, ana: User, lena: User, adam: User
) -> None:
    at = f"routes/{draft}"
    assert post(lena, "routes/draft")["id"] == draft
    told = post(lena, f"{at}/add", {**LARGE, "sla_minutes": 30}, 201)
    assert [one["name"] for one in told["routes"]] == ["Large", told["routes"][-1]["name"]]
    assert told["routes"][0]["in_words"] == "amount 1,000 or more"
    trial = get(ana, f"{at}/trial", days="30")
    assert (trial["days"], len(trial["lines"])) == (30, 2)
    proposed = post(lena, f"{at}/propose", {"reason": "A team of its own."})
    assert proposed["state"] == "PROPOSED"
    assert (
        "second person" in post(lena, f"{at}/approve", {"seen": proposed["digest"]}, 409)["detail"]
    )
    assert AuditEvent.objects.filter(action="route.activate", outcome="DENIED").exists()
    assert "Read it again" in post(adam, f"{at}/approve", {"seen": "other"}, 409)["detail"]
    assert post(adam, f"{at}/approve", {"seen": proposed["digest"]})["state"] == "ACTIVE"
    states = [row["state"] for row in get(ana, "routes")["results"]]
    assert states == ["ACTIVE", "RETIRED"]


def test_routes_are_changed_moved_and_removed(draft: int, lena: User) -> None:
    at = f"routes/{draft}"
    post(lena, f"{at}/add", LARGE, 201)
    told = post(lena, f"{at}/add", {**LARGE, "name": "Second"}, 201)
    one, two = (route["id"] for route in told["routes"][:2])
    changed = patch(lena, f"{at}/{one}", {"window_hours": 48})["routes"][0]
    assert (changed["window_hours"], changed["conditions"]) == (48, {"amount_from": 1000.0})
    moved = post(lena, f"{at}/{two}/move", {"to": "up"})
    assert [route["id"] for route in moved["routes"][:2]] == [two, one]
    assert len(post(lena, f"{at}/{two}/remove")["routes"]) == 2
    post(lena, f"{at}/{two}/remove", None, 404)
    default = told["routes"][-1]["id"]
    post(lena, f"{at}/{default}/remove", None, 409)


def test_a_draft_is_refused_withdrawn_or_thrown_away(draft: int, lena: User, adam: User) -> None:
    at = f"routes/{draft}"
    post(lena, f"{at}/add", LARGE, 201)
    post(lena, f"{at}/propose", {"reason": "Try."})
    post(lena, f"{at}/add", LARGE, 409)
    refused = post(adam, f"{at}/refuse", {"reason": "Not this month."})
    assert (refused["state"], refused["answer"]) == ("REFUSED", "Not this month.")
    another = post(lena, "routes/draft")["id"]
    assert answer(lena, "post", f"routes/{another}/discard").status_code == 204
    get(lena, f"routes/{another}", 404)


def test_who_does_not_lead_changes_nothing(draft: int, ana: User, dana: User) -> None:
    assert "lead" in post(ana, f"routes/{draft}/add", LARGE, 409)["detail"]
    post(dana, f"routes/{draft}/add", LARGE, 403)
    assert Routing.objects.get(pk=draft).routes.count() == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"conditions": {}}, None),
        ({"queue": "nowhere"}, "/queue"),
        ({"window_hours": 0}, "/window_hours"),
        ({"conditions": {"amount_from": 10, "amount_below": 5}}, "/conditions/amount_below"),
        ({"conditions": {"levels": ["PURPLE"]}}, "/conditions/levels/0"),
        ({"conditions": {"score_from": 7}}, "/conditions/score_from"),
        ({"conditions": {"moon": ["full"]}}, "/conditions/moon"),
        ({"position": 1}, "/position"),
    ],
)
def test_a_route_that_cannot_be_read_is_refused_by_field(
    change: dict[str, Any], pointer: str | None, draft: int, lena: User
) -> None:
    status = 400 if pointer else 409
    problem = post(lena, f"routes/{draft}/add", {**LARGE, **change}, status)
    assert pointer is None or pointers(problem) == [pointer]
    assert Routing.objects.get(pk=draft).routes.count() == 1


def test_of_two_leads_the_second_reads_again(draft: int, lena: User) -> None:
    read = answer(lena, "get", f"routes/{draft}")["ETag"]
    directing.add(
        by=lena,
        routing=Routing.objects.get(pk=draft),
        said=directing.Said("Mine", Queue.objects.get(slug="loans"), {"amount_from": 5.0}),
    )
    late = answer(lena, "post", f"routes/{draft}/add", LARGE, if_match=read)
    assert late.status_code == 412


def test_admins_make_and_staff_queues(cards: Queue, ana: User, adam: User) -> None:
    made = post(adam, "queues", {"name": "Mules", "people": ["ana"]}, 201)
    assert (made["slug"], made["people"], made["sla_minutes"]) == ("mules", ["ana"], 240)
    changed = patch(adam, f"queues/{made['id']}", {"sla_minutes": 30})
    assert (changed["sla_minutes"], changed["people"]) == (30, ["ana"])
    assert patch(adam, f"queues/{made['id']}", {"people": []})["people"] == []
    assert pointers(post(adam, "queues", {"name": "MULES"}, 409)) == ["/name"]
    assert pointers(post(adam, "queues", {"name": "x", "people": ["adam"]}, 400)) == ["/people/0"]
    assert pointers(patch(adam, f"queues/{made['id']}", {"sla_minutes": 1}, 400)) == [
        "/sla_minutes"
    ]
    assert {row["slug"] for row in get(ana, "queues")["results"]} == {"cards", "mules"}
    post(ana, "queues", {"name": "y"}, 403)


def test_an_alert_of_a_new_queue_is_seen_by_whom_it_was_given(adam: User) -> None:
    late = making.queue_member("nina", making.queue("other"))
    made = post(adam, "queues", {"name": "Mules", "people": ["nina"]}, 201)
    one = making.alert(Queue.objects.get(pk=made["id"]))
    assert get(late, f"alerts/{one.pk}")["queue"] == "mules"
