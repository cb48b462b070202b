"""Costs, figures and reports for programs: the same numbers, the same two persons, masked alike."""

import pytest

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from tests.alerts import making
from tests.conftest import client_of
from tests.rest.asking import get, post

pytestmark = pytest.mark.django_db
WHY = {"reason": "Payroll of October."}


def test_a_cost_model_is_tried_asked_for_and_put_into_force_by_a_second(mona, otto, ana):
    [first] = get(ana, "costs")["results"]
    assert (first["version"], first["active"], first["created_by"]) == (1, True, None)
    wanted = {"values": {"review_cost": 10.0}}
    tried = post(mona, "costs/try", wanted)
    assert tried["changes"] == [{"name": "review_cost", "before": 5.0, "after": 10.0}]
    by_amount = {one["amount"]: one for one in tried["break_even"]}
    assert by_amount[50.0]["break_even"] == pytest.approx(12 / 72)
    assert by_amount[50.0]["before"] == pytest.approx(7 / 72)
    asked = post(mona, "costs/requests", {**wanted, **WHY}, 201)
    assert "second person" in post(mona, f"costs/requests/{asked['id']}/approve", {}, 409)["detail"]
    assert post(otto, f"costs/requests/{asked['id']}/approve", {})["became"] == 2
    latest = get(ana, "costs")["results"][0]
    assert (latest["values"]["review_cost"], latest["created_by"]) == (10.0, "mona")
    second = post(mona, "costs/requests", {"values": {"review_cost": 9.0}, **WHY}, 201)
    refused = post(otto, f"costs/requests/{second['id']}/refuse", {"reason": "Once a year."})
    assert refused["state"] == "REFUSED"
    assert len(get(ana, "costs/requests")["results"]) == 2


@pytest.mark.parametrize("values", [{"recovery": 2}, {"sure_high": 0.9}, {"nonsense": 1}])
def test_costs_that_make_no_sense_are_refused_by_field(mona, values):
    refused = post(mona, "costs/try", {"values": values}, 400)
    assert any(name in str(refused["errors"]) for name in values)


def test_who_may_only_look_asks_for_nothing(ana):
    post(ana, "costs/requests", {"values": {"review_cost": 9.0}, **WHY}, 403)


def test_figures_are_read_as_pages_show_them_and_masked_alike(ana, mona):
    making.alert(making.queue("cards", ana, is_default=True))
    for user, name in ((ana, "customer-0042"), (mona, "cu…42")):
        told = get(user, "analytics/live")
        latest = next(part for part in told["sections"] if part["key"] == "latest")
        [row] = latest["rows"]
        titles = [column["title"] for column in latest["columns"]]
        assert row[titles.index("Customer")] == name
    get(ana, "analytics/nothing", 404)
    assert client_of(ana).get("/api/v1/analytics/money?last=soon").status_code == 400


def test_a_table_is_a_file_for_programs_too(ana):
    answer = client_of(ana).get("/api/v1/analytics/money/money.csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert b"Loss prevented" in b"".join(answer.streaming_content)
    assert AuditEvent.objects.filter(action="data.exported", actor="ana").count() == 1


def test_reports_are_scheduled_paused_and_tried(ana: User, mona: User):
    User.objects.filter(pk=ana.pk).update(email="ana@bank.example")
    ana.email = "ana@bank.example"
    wish = {
        "name": "Monday", "tab": "money", "last": "30d", "cadence": "WEEKLY",
        "recipients": ["ana"],
    }  # fmt: skip
    refused = post(ana, "analytics/reports", {**wish, "recipients": ["mona"]}, 400)
    assert "mona" in str(refused)
    made = post(ana, "analytics/reports", wish, 201)
    assert (made["recipients"], made["hour"], made["paused"]) == (["ana"], 7, False)
    at = f"analytics/reports/{made['id']}"
    assert post(ana, f"{at}/pause", {})["paused"] is True
    assert post(ana, f"{at}/resume", {})["paused"] is False
    post(ana, f"{at}/try", {})
    [letter] = get(ana, "analytics/reports/letters")["results"]
    assert (letter["recipient"], letter["test"], letter["state"]) == ("ana", True, "READY")
    assert get(mona, "analytics/reports")["results"] == []
    post(mona, f"{at}/pause", {}, 404)
