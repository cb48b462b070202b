"""Suppression: no alert for a while, every payment kept, and never what must not be."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import guards, routing, suppressing
from alerts.guards import Refused
from alerts.models import Alert, AlertHit, SuppressedHit, Suppression
from anomalyshield.audit.models import AuditEvent
from scoring import labels
from scoring.engine.decision import Policy, asked_for
from scoring.models import Decision
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def large(queue: Any, **fields: Any) -> Alert:
    """An alert raised because of its amount alone."""
    return making.alert(queue, score=0.2, reason_codes=["HIGH_AMOUNT"], **fields)


def suppressed(by: Any, alert: Alert, **said: Any) -> list[Suppression]:
    known = {"codes": ["HIGH_AMOUNT"], "kind": "user", "reason": "Buys a house."}
    return suppressing.suppress(
        by=by, alert=alert, expires_at=timezone.now() + 7 * DAY, **(known | said)
    )


def paid(*, score: float = 0.2, codes: tuple[str, ...] = ("HIGH_AMOUNT",), **fields: Any) -> int:
    """One more payment, routed; how many alerts there are then."""
    of_decision = {name: fields.pop(name) for name in ("outcome", "level", "degraded")
                   if name in fields}  # fmt: skip
    payment = making.payment(**fields)
    making.decision(payment, score=score, reason_codes=list(codes), **of_decision)
    routing.sweep()
    return Alert.objects.count()


def test_such_payments_raise_no_alert_and_are_kept(cards, ana):
    [made] = suppressed(ana, large(cards))
    assert paid() == 1
    hit = SuppressedHit.objects.get()
    assert (hit.suppression, hit.decision.outcome) == (made, "REVIEW")
    assert not AlertHit.objects.filter(decision=hit.decision).exists()
    assert Decision.objects.unrouted().count() == 0
    shown = Suppression.objects.for_the_page().get()
    assert (shown.hits, shown.frauds) == (1, 0)
    told = AuditEvent.objects.get(action="suppression.made")
    assert "customer-0042" not in str(told.after)


@pytest.mark.parametrize(
    "fields",
    [
        {"codes": ("HIGH_AMOUNT", "VELOCITY_MULTI_CITY")},  # a reason that is not suppressed
        {"score": 0.8},  # the score asks as well
        {"user": "somebody else"},
        {"outcome": "BLOCK"},
        {"level": "CRITICAL"},
        {"codes": ("DENY_LIST", "HIGH_AMOUNT")},
        {"degraded": "no model"},
    ],
)
def test_everything_else_raises_its_alert(cards, ana, fields):
    suppressed(ana, large(cards))
    assert paid(**fields) == 2
    assert not SuppressedHit.objects.exists()


def test_only_in_its_queue_and_until_its_end(cards, ana):
    [made] = suppressed(ana, large(cards))
    Suppression.objects.update(queue=making.queue("loans"))
    assert paid() == 2
    Suppression.objects.update(queue=cards, expires_at=timezone.now())
    paid()
    assert not SuppressedHit.objects.exists()
    assert not Suppression.objects.get().is_living
    with pytest.raises(Refused, match="ended already"):
        suppressing.end(by=ana, suppression=made, reason="Enough.")


def test_the_score_alone_is_a_reason_too(cards, ana):
    alert = making.alert(cards, card_id="card-1")
    suppressed(ana, alert, codes=["SCORE"], kind="card")
    Alert.objects.update(group_key=0)
    Suppression.objects.update(key=0)
    assert paid(score=0.8, codes=()) == 2
    assert asked_for([], 0.8, Policy()) == {"SCORE"}
    assert asked_for(["UNUSUAL_HOUR"], 0.2, Policy()) == frozenset()
    assert asked_for(["HIGH_AMOUNT"], float("nan"), Policy()) == frozenset()


def test_what_it_keeps_out_is_released_or_stays_held(cards, ana):
    suppressed(ana, large(cards))
    paid()
    one = Decision.objects.with_standing().order_by("-pk").first()
    assert one.standing == "RELEASED"
    assert one.resolutions.get().behind == str(Suppression.objects.get())
    Suppression.objects.update(releases=False)
    paid()
    assert Decision.objects.with_standing().order_by("-pk").first().standing == "HELD"


def test_fraud_that_became_known_later_is_shown(cards, ana, as_ana):
    [made] = suppressed(ana, large(cards))
    paid()
    hit = SuppressedHit.objects.get()
    labels.give(by="worker", transaction=hit.transaction, value="TRUE_FRAUD", origin="FILE")
    assert Suppression.objects.for_the_page().get().frauds == 1
    page = as_ana.get(f"/suppressions/{made.pk}/").content.decode()
    assert "1 of the payments it kept out turned out to be fraud" in page
    assert hit.transaction.external_id in page


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"codes": []}, "which reasons"),
        ({"codes": ["DENY_LIST"]}, "never suppressed"),
        ({"codes": ["OFAC_NAME"]}, "never suppressed"),
        ({"reason": " "}, "Say why"),
        ({"kind": "card"}, "names no card"),
        ({"expires_at": timezone.now() - DAY}, "past already"),
        ({"expires_at": timezone.now() + 31 * DAY}, "a lead suppresses"),
        ({"expires_at": timezone.now() + 181 * DAY}, "at most 180 days"),
    ],
)
def test_what_cannot_be_is_told(cards, ana, said, sentence):
    alert = large(cards)
    known = {"codes": ["HIGH_AMOUNT"], "kind": "user", "reason": "Buys a house.",
             "expires_at": timezone.now() + DAY}  # fmt: skip
    with pytest.raises(Refused, match=sentence):
        suppressing.suppress(by=ana, alert=alert, **(known | said))
    assert not Suppression.objects.exists()


def test_a_lead_may_for_longer_and_nobody_twice(cards, lena):
    alert = large(cards)
    until = timezone.now() + 179 * DAY
    said = {"codes": ["HIGH_AMOUNT"], "kind": "user", "reason": "x", "expires_at": until}
    suppressing.suppress(by=lena, alert=alert, **said)
    with pytest.raises(Refused, match="already"):
        suppressing.suppress(by=lena, alert=alert, **said)


def test_what_is_blocked_is_never_suppressed(cards, ana):
    alert = large(cards, outcome="BLOCK")
    with pytest.raises(Refused, match="never suppressed"):
        suppressed(ana, alert)


def test_ended_it_raises_alerts_again(cards, ana):
    [made] = suppressed(ana, large(cards))
    with pytest.raises(Refused, match="Say why"):
        suppressing.end(by=ana, suppression=made, reason="")
    suppressing.end(by=ana, suppression=made, reason="The house is bought.")
    assert paid() == 2
    assert AuditEvent.objects.filter(action="suppression.ended").count() == 1


def test_pages_make_list_show_and_end_it(cards, ana, as_ana):
    alert = large(cards)
    said = {"code": ["HIGH_AMOUNT"], "kind": "user", "days": "30", "because": "Buys a house."}
    answer = as_ana.post(f"/alerts/{alert.pk}/suppress/", said, follow=True)
    assert "is in force" in answer.content.decode()
    made = Suppression.objects.get()
    assert str(made) in as_ana.get("/suppressions/").content.decode()
    answer = as_ana.post(f"/suppressions/{made.pk}/end/", {"reason": ""})
    assert (answer.status_code, b"Say why it ends" in answer.content) == (409, True)
    as_ana.post(f"/suppressions/{made.pk}/end/", {"reason": "Done."})
    as_ana.get("/suppressions/")  # tells that it ended
    assert str(made) not in as_ana.get("/suppressions/").content.decode()
    assert str(made) in as_ana.get("/suppressions/?show=over").content.decode()
    for wrong in ({}, said | {"code": ["DENY_LIST"]}, said | {"days": "9999"}, said | {"kind": ""}):
        assert as_ana.post(f"/alerts/{alert.pk}/suppress/", wrong).status_code == 400


def test_those_of_foreign_queues_do_not_exist_and_values_are_masked(cards, loans, ana, mona):
    [made] = suppressed(ana, large(cards))
    bob = client_of(making.queue_member("bob", loans))
    assert bob.get(f"/suppressions/{made.pk}/").status_code == 404
    assert bob.post(f"/suppressions/{made.pk}/end/", {"reason": "x"}).status_code == 404
    page = client_of(mona).get("/suppressions/").content.decode()
    assert str(made) in page
    assert "customer-0042" not in page
    assert "Buys a house" not in page


def test_the_list_asks_no_more_however_long_it_is(
    cards, ana, as_ana, django_assert_max_num_queries
):
    for number in range(3):
        suppressed(ana, large(cards, user=f"user-{number}"))
    with django_assert_max_num_queries(9):
        as_ana.get("/suppressions/")
    assert guards.leads(ana) is False


def test_a_payment_says_where_it_is(cards, ana, as_ana):
    alert = large(cards)
    [made] = suppressed(ana, alert)
    paid()
    hit = SuppressedHit.objects.get()
    page = as_ana.get(f"/transactions/{hit.transaction_id}/").content.decode()
    assert f'href="/suppressions/{made.pk}/"' in page
    page = as_ana.get(f"/transactions/{alert.transaction_id}/").content.decode()
    assert f'href="/alerts/{alert.pk}/"' in page
