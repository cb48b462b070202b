"""The queue's order: expected loss × how sure one is, the clock, the id; anew when costs change."""

from decimal import Decimal

import pytest

from alerts import ranking, regrouping, triage
from alerts.models import Alert, Reranking
from anomalyshield.audit.models import AuditEvent
from scoring import cost_changes
from scoring.engine.costs import Costs
from scoring.tasks import do_next, work_named
from tests.alerts import making

pytestmark = pytest.mark.django_db
WORK = work_named("reranking")
PAST = "2026-01-01T00:00Z"


def followed() -> None:
    ranking.follow()
    Reranking.objects.update(due_at=PAST)  # this test is one transaction: its now() stands still
    while do_next(WORK):
        pass


def change(mona, otto, **figures: float) -> None:
    asked = cost_changes.ask(by=mona, wanted=Costs(**figures), reason="Measured.")
    cost_changes.approve(by=otto, request=asked)


def losses() -> list[Decimal]:
    return list(Alert.objects.order_by("pk").values_list("expected_loss", flat=True))


def test_probability_and_money_make_the_order_and_rules_are_not_sunk(cards):
    sure = making.alert(cards, amount="100", probability=0.9)
    dear = making.alert(cards, amount="5000", probability=0.01)
    ruled = making.alert(cards, amount="100", probability=0.01, reason_codes=["HIGH_AMOUNT"])
    assert [sure.expected_loss, dear.expected_loss, ruled.expected_loss] == [
        Decimal("108.0000"),  # 120 × 0.9
        Decimal("50.2000"),  # 5020 × 0.01
        Decimal("52.8000"),  # 120 × 0.44, as the level says
    ]
    assert list(Alert.objects.by_urgency()) == [sure, ruled, dear]


def test_another_cost_model_puts_open_alerts_in_its_order(cards, mona, otto, ana, monkeypatch):
    monkeypatch.setattr(ranking, "STEP", 2)
    opened = [making.alert(cards, amount=amount, probability=0.5) for amount in ("10", "20", "30")]
    closed = making.alert(cards, amount="40", probability=0.5)
    Alert.objects.filter(pk=closed.pk).update(
        status="CLOSED", disposition="FALSE_POSITIVE", closed_by=ana, closed_at="2026-01-01T00:00Z"
    )
    followed()
    change(mona, otto, missed_fee=0.0, recovery=0.5)
    followed()
    assert losses() == [Decimal("2.5"), Decimal("5"), Decimal("7.5"), closed.expected_loss]
    done = Reranking.objects.get(version=2)
    assert (done.state, done.alerts, done.through) == ("DONE", 3, opened[1].pk)
    assert AuditEvent.objects.get(action="alerts.reranked", object_id=str(done.pk)).after == {
        "alerts": 3
    }


def test_two_tickers_leave_the_work_once_and_without_a_change_there_is_none(cards):
    ranking.follow()
    ranking.follow()
    assert Reranking.objects.count() == 1
    followed()
    ranking.follow()
    assert set(Reranking.objects.values_list("state", flat=True)) == {"DONE"}


def test_a_worker_that_died_goes_on_where_it_was(cards, mona, otto):
    one, two = (making.alert(cards, amount="10", probability=0.5) for _ in range(2))
    change(mona, otto, missed_fee=0.0)
    ranking.follow()
    Reranking.objects.filter(version=2).update(through=one.pk)
    followed()
    assert losses() == [one.expected_loss, Decimal("5")]
    assert two.expected_loss == Decimal("15")


def test_an_alert_raised_after_the_change_stands_in_the_new_order(cards, mona, otto):
    change(mona, otto, missed_fee=0.0)
    from alerts import routing

    made = making.decision(making.payment(amount="10"), probability=0.5)
    routing.raise_alerts([made.pk])
    assert losses() == [Decimal("5")]


def test_what_comes_back_is_reckoned_by_the_figures_in_force(cards, mona, otto, ana):
    one, two, three = (making.alert(cards, amount=a, probability=0.5) for a in ("10", "20", "40"))
    merged = regrouping.merge(by=ana, into=one, alerts=[two])
    triage.decide(by=ana, alert=three, disposition="FALSE_POSITIVE")
    change(mona, otto, missed_fee=0.0, recovery=0.5)
    followed()
    regrouping.undo(by=ana, regrouping=merged)
    triage.undo(by=ana, alert=three)
    assert losses() == [Decimal("2.5"), Decimal("5"), Decimal("10")]
