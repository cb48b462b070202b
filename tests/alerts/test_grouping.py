"""Grouping: payments of one entity and one suspicion are one alert, and none is ever lost."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from alerts import grouping, routing, triage
from alerts.candidates import Candidate
from alerts.models import Alert, AlertHit, Queue, Route, Routing, Verdict
from alerts.typologies import SUSPICIONS, suspected
from anomalyshield.audit.models import AuditEvent
from cases import workflow
from cases.models import Case
from scoring import labels
from scoring.engine.decision import Level
from scoring.models import Decision, Label, Resolution, Transaction
from tests.alerts import making

FRAUD = "TRUE_POSITIVE_FRAUD"
NOON = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=3)


def raised(*payments: Any, **fields: Any) -> list[Alert]:
    """Their alerts after one sweep, in the order they were opened."""
    for one in payments:
        making.decision(one, **fields)
    routing.sweep()
    return list(Alert.objects.order_by("pk"))


def ruled(queue: Queue, how: str, **fields: Any) -> Route:
    """The routing in force is one route that groups like this."""
    routing_now = Routing.objects.create(number=1, state="ACTIVE")
    return Route.objects.create(
        routing=routing_now,
        position=0,
        name="All",
        queue=queue,
        grouping=how,
        is_default=True,
        **fields,
    )


def at(hours: float) -> Any:
    return NOON + timedelta(hours=hours)


@pytest.mark.django_db
def test_payments_of_one_customer_within_a_day_are_one_alert(cards):
    [alert] = raised(
        making.payment(amount="100", event_time=at(0)),
        making.payment(amount="300", event_time=at(5)),
    )
    assert (alert.hit_count, alert.total, alert.expected_loss) == (
        2,
        Decimal(400),
        Decimal("193.6000"),  # (120 + 320) × 0.44
    )
    assert (alert.first_event, alert.last_event) == (at(0), at(5))
    assert alert.hits.count() == 2


@pytest.mark.django_db
def test_another_customer_another_day_or_another_suspicion_is_another_alert(cards):
    alerts = raised(
        making.payment("one", event_time=at(0)),
        making.payment("two", event_time=at(0)),
        making.payment("one", event_time=at(30)),
        making.payment("one", event_time=at(1), mcc="4829", amount="2000"),
    )
    assert [(a.user_id, a.suspected) for a in alerts] == [
        ("one", ""),
        ("two", ""),
        ("one", ""),
        ("one", "MULE"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["TYPOLOGY", "USER", "NONE"])
def test_a_dry_run_counts_the_alerts_that_grouping_makes(cards, how):
    route, chance = ruled(cards, how, window_hours=6), Random(5)
    paid = [
        making.payment(chance.choice("abc"), event_time=at(chance.uniform(0, 60)))
        for _ in range(40)
    ]
    decided = [making.decision(one) for one in paid]
    placings = [grouping.place(Candidate(one, one.transaction, {}), [route]) for one in decided]
    hits = grouping.group(placings, [], NOON)
    assert grouping.count(placings) == len({id(hit.alert) for hit in hits})


@pytest.mark.django_db
def test_the_highest_score_leads_and_the_worst_level_shows(cards):
    for score, level in ((0.8, "CRITICAL"), (0.9, "HIGH"), (0.7, "HIGH")):
        making.decision(making.payment(), score=score, level=level, reason_codes=[level])
    routing.sweep()
    alert = Alert.objects.get()
    assert (alert.risk_score, alert.level) == (0.9, "CRITICAL")
    assert alert.decision.risk_score == 0.9
    assert alert.reason_codes == ["CRITICAL", "HIGH"]


@pytest.mark.django_db
def test_what_joins_never_stops_the_clock(cards):
    [before] = raised(making.payment())
    Alert.objects.update(due_at=before.due_at - timedelta(hours=3))
    [after] = raised(making.payment())
    assert after.due_at == before.due_at - timedelta(hours=3)
    assert after.last_hit_at > before.last_hit_at


@pytest.mark.django_db
def test_a_decided_alert_takes_nothing_more(cards, ana):
    [first] = raised(making.payment())
    triage.decide(by=ana, alert=first, disposition=FRAUD)
    _, second = raised(making.payment())
    assert (second.is_open, second.hit_count) == (True, 1)
    assert Label.objects.count() == 1


@pytest.mark.django_db
def test_what_a_case_investigates_takes_nothing_more(cards, ana):
    [first] = raised(making.payment())
    case = workflow.open_case(by=ana, alerts=[first])
    _, second = raised(making.payment())
    assert second.status == "NEW"
    workflow.add_alert(by=ana, case=case, alert=second)
    assert case.alerts.count() == 2


@pytest.mark.django_db
def test_a_card_of_several_customers_is_one_alert_and_one_case(cards, ana):
    ruled(cards, "CARD")
    [alert] = raised(
        making.payment("one", card_id="card-1"), making.payment("two", card_id="card-1")
    )
    assert (alert.entity_kind, alert.entity) == ("card", "card-1")
    assert list(Alert.objects.about("one")) == list(Alert.objects.about("two")) == [alert]
    case = workflow.escalate(by=ana, alert=alert)
    assert case.subject == "card-1"
    assert Case.objects.count() == 1


@pytest.mark.django_db
def test_a_verdict_labels_and_resolves_every_payment_and_undo_takes_all_back(cards, ana):
    [alert] = raised(*[making.payment() for _ in range(3)])
    triage.decide(by=ana, alert=alert, disposition=FRAUD, typology="MULE", seen=3)
    standing = Label.objects.standing()
    assert Counter(standing.values_list("value", "typology")) == {("TRUE_FRAUD", "MULE"): 3}
    assert states() == {"DECLINED": 3}
    told = AuditEvent.objects.get(action="alert.decided")
    assert told.after["payments"] == 3

    triage.undo(by=ana, alert=alert)
    assert set(Label.objects.standing().values_list("value", flat=True)) == {"INCONCLUSIVE"}
    assert states() == {"HELD": 3}
    assert Alert.objects.get().is_open


def states() -> Counter[str]:
    decisions = Decision.objects.with_standing()
    return Counter(decision.standing for decision in decisions)


@pytest.mark.django_db
def test_what_somebody_else_said_of_one_payment_stands(cards, ana):
    reported, quiet = making.payment(), making.payment()
    labels.give(by="worker", transaction=reported, value="TRUE_FRAUD", origin="FILE")
    [alert] = raised(reported, quiet)
    triage.decide(by=ana, alert=alert, disposition="FALSE_POSITIVE")
    said = dict(Label.objects.standing().values_list("transaction", "value"))
    assert said == {reported.pk: "TRUE_FRAUD", quiet.pk: "FALSE_POSITIVE"}
    assert states() == {"DECLINED": 1, "RELEASED": 1}


@pytest.mark.django_db
def test_nobody_decides_about_a_payment_they_were_not_shown(cards, ana):
    [alert] = raised(making.payment())
    raised(making.payment())
    with pytest.raises(triage.Refused, match="1 payment has joined A-"):
        triage.decide(by=ana, alert=alert, disposition=FRAUD, seen=1)
    assert (Label.objects.count(), Verdict.objects.count()) == (0, 0)
    triage.decide(by=ana, alert=alert, disposition=FRAUD, seen=2)


@pytest.mark.django_db
def test_an_alert_takes_a_hundred_and_the_next_one_opens_another(cards, monkeypatch):
    monkeypatch.setattr(Alert, "MOST", 3)
    alerts = raised(*[making.payment() for _ in range(5)])
    assert [alert.hit_count for alert in alerts] == [3, 2]


@pytest.mark.django_db
def test_suspicions_ask_for_features_that_exist():
    from scoring.engine.features import NAMES

    asked: set[str] = set()

    class Noting(dict[str, float]):
        answer = 0.0

        def get(self, name: str, default: Any = None) -> Any:
            asked.add(name)
            return self.answer

    paid = making.payment(amount="1")
    decision, noting = making.decision(paid), Noting()
    for noting.answer in (0.0, 1.0, 99.0):  # so that no `and` or `or` hides a name
        for one in SUSPICIONS:
            one.applies(Candidate(decision, paid, noting))
    assert asked
    assert asked <= set(NAMES)


# Whatever comes in whatever order: every reviewable decision is a hit of exactly one alert.

FEATURES = ["card_transaction_count_1h", "device_distinct_users_24h", "new_device", "new_place"]
payments = st.tuples(
    st.sampled_from(["ann", "bob", "cid"]),
    st.sampled_from(["", "card-1", "card-2"]),
    st.sampled_from(["", "phone-1"]),
    st.floats(0, 96),  # hours
    st.integers(1, 5_000),  # amount
    st.floats(0, 1),  # score
    st.dictionaries(st.sampled_from(FEATURES), st.sampled_from([0.0, 1.0, 5.0])),
)


def candidate(number: int, said: tuple[Any, ...]) -> Candidate:
    user, card, device, hours, amount, score, features = said
    paid = Transaction(
        pk=number,
        user_id=user,
        card_id=card,
        device_id=device,
        amount=Decimal(amount),
        amount_units=amount * 10_000,
        event_time=at(hours),
    )
    decision = Decision(pk=number, transaction=paid, risk_score=score, level=Level.HIGH)
    return Candidate(decision, paid, features)


@given(st.lists(payments, max_size=40), st.sampled_from(Route.Grouping.values), st.integers(0, 40))
def test_no_hit_is_lost_and_none_is_in_two_alerts(stream, how, cut):
    route = Route(queue=Queue(pk=1), grouping=how, is_default=True, window_hours=24)
    placings = [grouping.place(candidate(n, said), [route]) for n, said in enumerate(stream)]
    now = timezone.now()
    first = grouping.group(placings[:cut], [], now)
    opened = list({id(hit.alert): hit.alert for hit in first}.values())
    hits = first + grouping.group(placings[cut:], opened, now)

    assert [hit.decision.pk for hit in hits] == list(range(len(stream)))
    members: dict[int, list[AlertHit]] = {}
    for hit in hits:
        members.setdefault(id(hit.alert), []).append(hit)
    for those in members.values():
        alert = those[0].alert
        assert alert.hit_count == len(those) <= Alert.MOST
        assert alert.total == sum(hit.amount for hit in those)
        assert alert.risk_score == max(hit.score for hit in those)
        assert alert.decision in [hit.decision for hit in those]
        assert (
            len({(placings[h.decision.pk].key, placings[h.decision.pk].entity) for h in those}) == 1
        )
        assert how != "NONE" or len(those) == 1
        times = sorted(hit.transaction.event_time for hit in those)
        assert (alert.first_event, alert.last_event) == (times[0], times[-1])


@pytest.mark.django_db
@pytest.mark.parametrize("how", Route.Grouping.values)
def test_every_reviewable_decision_is_a_hit_of_exactly_one_alert(how, cards, ana):
    """Batches, sweeps, verdicts, undos and cases in any order, under each policy of grouping."""
    ruled(cards, how)
    dice, waiting = Random(f"queue {how}"), []
    for _ in range(60):
        paid = making.payment(
            dice.choice(["ann", "bob"]),
            str(dice.randint(1, 900)),
            card_id=dice.choice(["", "card-1"]),
            mcc=dice.choice(["", "4829"]),
            event_time=at(dice.uniform(0, 60)),
        )
        waiting.append(making.decision(paid, score=dice.random()).pk)
        match dice.randint(0, 9):
            case 0 | 1:
                routing.raise_alerts(dice.sample(waiting, len(waiting) // 2))
            case 2:
                routing.sweep()
            case 3 if alert := Alert.objects.growing().order_by("?").first():
                triage.decide(by=ana, alert=alert, disposition=dice.choice([FRAUD, "INCONCLUSIVE"]))
            case 4 if alert := Alert.objects.closed().order_by("-pk").first():
                triage.undo(by=ana, alert=alert)
            case 5 if alert := Alert.objects.growing().first():
                workflow.escalate(by=ana, alert=alert)
    routing.sweep()

    assert sorted(AlertHit.objects.values_list("decision", flat=True)) == sorted(waiting)
    for alert in Alert.objects.all():
        hits = list(alert.hits.select_related("transaction"))
        assert alert.hit_count == len(hits)
        assert alert.total == sum(hit.transaction.amount for hit in hits)
        assert alert.risk_score == max(hit.score for hit in hits)
        assert how != "NONE" or len(hits) == 1
        standing = alert.verdicts.filter(undone_at=None).first()
        assert (standing is not None) == (not alert.is_open)
        if standing:
            assert standing.consequences.count() == len(hits)
            labelled = Label.objects.standing().filter(transaction__hit__alert=alert)
            assert labelled.count() == len(hits)
    assert Resolution.objects.exists()


@pytest.mark.django_db
def test_a_suspicion_says_whom_the_alert_is_about():
    paid = making.payment(card_id="card-1", amount="3")
    tried = Candidate(making.decision(paid), paid, {"card_transaction_count_1h": 6.0})
    assert suspected(tried).typology == "CARD_TESTING"
    route = Route(queue=Queue(pk=1), is_default=True)
    assert grouping.place(tried, [route]).entity == "card-1"
