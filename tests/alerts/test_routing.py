"""From a decision to an alert: once, whoever asks, and never at the cost of scoring."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.utils import timezone

from alerts import grouping, routing
from alerts.models import Alert, AlertHit, Profile, Queue
from scoring.engine.costs import Costs
from scoring.engine.features import FEATURES, spec_id
from scoring.models import Decision, Snapshot
from scoring.signals import decisions_made
from tests.alerts import making

pytestmark = pytest.mark.django_db


def test_a_reviewable_decision_becomes_one_alert_in_the_default_queue(cards):
    made = making.decision(making.payment(amount="200"), score=0.8, reason_codes=["HIGH_AMOUNT"])
    assert routing.raise_alerts([made.pk]) == 1
    raised = Alert.objects.get(decision=made)
    assert (raised.queue, raised.level, raised.reason_codes) == (cards, "HIGH", ["HIGH_AMOUNT"])
    assert raised.expected_loss == Decimal("96.8000"), "220 × (0.2 + 0.3 × 0.8): no probability"
    assert raised.due_at - raised.created_at == timedelta(minutes=cards.sla_minutes)
    made.refresh_from_db()
    assert made.routed_at is not None


def test_asking_twice_raises_nothing_more(cards):
    made = making.decision(making.payment())
    assert [routing.raise_alerts([made.pk]) for _ in range(2)] == [1, 0]
    assert Alert.objects.count() == 1


def test_an_approved_decision_raises_none(cards):
    made = making.decision(making.payment(), outcome="APPROVE", reviewable=False)
    assert routing.raise_alerts([made.pk]) == 0
    assert routing.sweep() == 0


def test_the_sweep_finds_what_no_announcement_raised(cards, monkeypatch):
    monkeypatch.setattr(routing, "BATCH", 2)
    for _ in range(5):
        making.decision(making.payment())
    assert routing.sweep() == 5
    assert AlertHit.objects.count() == 5


def test_an_alert_that_is_there_already_is_no_obstacle(cards):
    """A crash between the two statements cannot happen, an old backup can."""
    raised = making.alert(cards)
    Decision.objects.update(routed_at=None)
    assert routing.sweep() == 1
    assert list(Alert.objects.all()) == [raised]
    assert Decision.objects.unrouted().count() == 0


def test_without_a_score_the_whole_amount_is_at_risk():
    unscored = Decision(level="HIGH", risk_score=float("nan"))
    assert grouping.expected_loss(unscored, 1_234_500, Costs()) == Decimal("143.4500")


def test_the_oldest_queue_takes_alerts_when_none_is_the_default(loans):
    made = making.decision(making.payment())
    routing.raise_alerts([made.pk])
    assert Alert.objects.get().queue == loans


def test_a_queue_is_made_when_there_is_none():
    made = making.decision(making.payment())
    routing.raise_alerts([made.pk])
    assert Queue.objects.get(is_default=True) == Alert.objects.get().queue


def test_a_batch_is_routed_in_a_fixed_number_of_queries(cards, django_assert_num_queries):
    routing.active_routes()
    ids = [making.decision(making.payment(f"customer-{n % 9}")).pk for n in range(20)]
    # savepoint, claim, routes, vectors, suppressions, locks, alerts, costs, insert both, who is
    # told, mark, release
    with django_assert_num_queries(13):
        assert routing.raise_alerts(ids) == 20


def test_keeping_their_vectors_reads_no_alert_again(cards, django_assert_num_queries):
    routing.active_routes()
    made = [making.decision(making.payment(f"customer-{n}")) for n in range(9)]
    Snapshot.objects.bulk_create(
        Snapshot(
            day=one.known_at.date(),
            transaction_id=one.transaction_id,
            spec=spec_id(),
            vector=bytes(8 * len(FEATURES)),
        )
        for one in made
    )
    with django_assert_num_queries(14):  # those above, and one for all vectors
        assert routing.raise_alerts([one.pk for one in made]) == 9
    assert Profile.objects.count() == 9


@pytest.mark.django_db(transaction=True)
def test_two_sweepers_at_once_raise_one_alert_per_decision(cards):
    made = [making.decision(making.payment(f"customer-{n % 3}")) for n in range(40)]
    start = Barrier(2)

    def sweeper() -> int:
        try:
            start.wait()
            return routing.sweep()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        routed = [future.result() for future in [pool.submit(sweeper) for _ in range(2)]]
    assert sum(routed) == 40
    assert sorted(AlertHit.objects.values_list("decision", flat=True)) == [d.pk for d in made]
    assert sum(Alert.objects.values_list("hit_count", flat=True)) == 40
    assert Alert.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_decision_someone_else_is_routing_is_left_to_them(cards):
    made = making.decision(making.payment())

    def other() -> int:
        try:
            return routing.raise_alerts([made.pk])
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        Decision.objects.select_for_update().get(pk=made.pk)
        assert pool.submit(other).result(timeout=5) == 0
    assert routing.sweep() == 1


@pytest.mark.django_db(transaction=True)
def test_the_announcement_raises_alerts_after_the_commit_only(cards):
    with transaction.atomic():
        made = making.decision(making.payment())
        decisions_made.send(sender=None, ids=[made.pk])
        assert Alert.objects.count() == 0
    assert Alert.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_error_in_routing_never_reaches_the_scorer(cards, monkeypatch):
    def broken(ids: list[int]) -> int:
        raise RuntimeError("no alerts today")

    monkeypatch.setattr(routing, "raise_alerts", broken)
    made = making.decision(making.payment())
    decisions_made.send(sender=None, ids=[made.pk])
    monkeypatch.undo()
    assert (Alert.objects.count(), routing.sweep()) == (0, 1)


def test_the_clock_of_an_alert_starts_when_it_is_raised(cards):
    old = making.payment(event_time=timezone.now() - timedelta(days=30))
    routing.raise_alerts([making.decision(old).pk])
    assert not Alert.objects.get().is_late
