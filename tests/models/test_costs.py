"""The cost model: one person asks, a second puts it into force, and thresholds reckon with it."""

import pytest
from django.test import Client

from anomalyshield.audit.models import AuditEvent
from scoring import cost_changes, costs, operating
from scoring.cost_changes import Refused
from scoring.engine.costs import Costs
from scoring.models import CostModel, CostRequest
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
DEARER = Costs(review_cost=25.0)
TYPED = {
    "loss_share": "100", "recovery": "10", "missed_fee": "20", "review_cost": "8",
    "friction_review": "2", "friction_block": "20", "sure_critical": "50", "sure_high": "20",
    "sure_below": "5", "reason": "Payroll of October.",
}  # fmt: skip


def asked(by) -> CostRequest:
    return cost_changes.ask(by=by, wanted=DEARER, reason="Payroll of October.")


def test_an_installation_begins_with_the_defaults_of_the_release():
    assert costs.active().version == 1
    assert costs.in_force() == Costs()
    CostModel.objects.all().delete()
    assert costs.held().values == Costs().as_dict(), "made anew where a table was emptied"


def test_two_people_put_figures_into_force(mona, otto):
    made = cost_changes.approve(by=otto, request=asked(mona))
    assert (made.version, made.created_by, costs.in_force()) == (2, mona, DEARER)
    assert [era.version for era in costs.eras()] == [1, 2]
    assert costs.eras()[0].since is None
    assert costs.eras()[1].since == made.created_at
    event = AuditEvent.objects.get(action="costs.activated", actor="otto")
    assert (event.before["review_cost"], event.after["review_cost"]) == (5.0, 25.0)


def test_nobody_puts_their_own_figures_into_force(mona):
    request = asked(mona)
    with pytest.raises(Refused, match="second person"):
        cost_changes.approve(by=mona, request=request)
    assert costs.active().version == 1
    assert AuditEvent.objects.filter(action="costs.activated", outcome="DENIED").exists()


def test_one_change_waits_at_a_time_and_an_answered_one_is_answered(mona, otto):
    request = asked(mona)
    with pytest.raises(Refused, match="waits"):
        cost_changes.ask(by=otto, wanted=Costs(missed_fee=1.0), reason="Other.")
    cost_changes.refuse(by=otto, request=request, answer="Show the payroll first.")
    with pytest.raises(Refused, match="already"):
        cost_changes.approve(by=otto, request=request)


def test_nothing_and_nonsense_are_refused(mona):
    with pytest.raises(Refused, match="nothing would change"):
        cost_changes.ask(by=mona, wanted=Costs(), reason="Same.")
    with pytest.raises(Refused) as refusal:
        cost_changes.ask(by=mona, wanted=Costs(loss_share=2.0), reason="Twice.")
    assert "loss_share" in refusal.value.fields


def test_the_pages_lead_from_figures_to_a_second_person(mona, otto, ana):
    page = client_of(ana).get("/costs/").content.decode()
    assert "nobody yet" in page
    assert "Change figures" not in page
    owner: Client = client_of(mona)
    tried = owner.post("/costs/change/", {**TYPED, "do": "try"}).content.decode()
    assert "5.00" in tried
    assert "8.00" in tried
    assert not CostRequest.objects.exists()
    answer = owner.post("/costs/change/", {**TYPED, "do": "ask"})
    request = CostRequest.objects.get()
    assert answer.headers["Location"] == f"/costs/requests/{request.pk}/"
    assert request.values["recovery"] == pytest.approx(0.1)
    assert "withdraw" in owner.get(f"/costs/requests/{request.pk}/").content.decode().lower()
    client_of(otto).post(f"/costs/requests/{request.pk}/approve/", {"reason": ""})
    assert "Mona" in client_of(ana).get("/costs/").content.decode()


@pytest.mark.parametrize(
    "field, typed, words",
    [
        ("recovery", "110", "100"),
        ("review_cost", "", "required"),
        ("sure_high", "70", "less sure"),
        ("reason", " ", "Write a reason"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_lost(mona, field, typed, words):
    answer = client_of(mona).post("/costs/change/", {**TYPED, field: typed, "do": "ask"})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    if field != "reason":
        assert "Payroll of October." in answer.content.decode()


def test_a_refusal_needs_words(mona, otto):
    request = asked(mona)
    assert client_of(otto).post(f"/costs/requests/{request.pk}/refuse/").status_code == 400
    assert client_of(mona).get("/costs/requests/99999/").status_code == 404


def test_thresholds_reckon_with_the_figures():
    found = operating.points(
        {
            "curves": {
                "cuts": {
                    "steps": 2, "frauds": 2, "genuine": 8, "stolen": 300.0, "days": 2.0,
                    "true": [2, 1, 0], "false": [8, 1, 0], "caught": [300.0, 200.0, 0.0],
                }
            }
        }
    )  # fmt: skip
    bills = operating.bills(found, 0.5, Costs())
    all_raised, middle, none = [bill for _, bill in bills]
    assert all_raised.total == 10 * 5 + 7 * 2 + 1 * 20
    assert middle.total == (100 + 20) + 2 * 5 + 1 * 20
    assert none.total == 300 + 2 * 20
    assert operating.cheapest(bills)[0].cut == 0.0
    assert operating.cheapest(operating.bills(found, 0.5, Costs(review_cost=40)))[0].cut == 0.5
