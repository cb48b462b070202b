"""Similar past alerts: the same answer every time, of what one may see, and at once."""

import time
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from alerts import routing, triage
from alerts.models import Alert, Profile, Queue
from alerts.similar import POOL, differences, similar
from anomalyshield.together import alone
from scoring.engine.features import FEATURES, NAMES, spec_id
from scoring.models import Explanation, ModelVersion, Snapshot, Transaction
from tests.alerts import making

FRAUD = "TRUE_POSITIVE_FRAUD"


def looked(alert: Alert, *values: float, spec: str = "") -> Alert:
    """Its leading payment had these first features, and nothing else that is known."""
    vector = np.full(len(NAMES), np.nan)
    vector[: len(values)] = values
    Profile.objects.create(alert=alert, spec=spec or spec_id(), vector=vector.tobytes())
    return alert


def decided(queue: Queue, by, *values: float, disposition: str = FRAUD, **fields) -> Alert:
    alert = looked(making.alert(queue, **fields), *values)
    return triage.decide(by=by, alert=alert, disposition=disposition)


def names(alert: Alert, user) -> list[str]:
    return [str(one.alert) for one in alone(similar(alert, user)).rows]


@pytest.mark.django_db
def test_the_nearest_come_first_with_what_they_were(cards, ana):
    far = decided(cards, ana, 9, 9, 9)
    same = decided(cards, ana, 1, 1, 1, disposition="FALSE_POSITIVE")
    near = decided(cards, ana, 1, 1, 2)
    alert = looked(making.alert(cards), 1, 1, 1)
    found = alone(similar(alert, ana))
    assert [one.alert for one in found.rows] == [same, near, far]
    assert found.rows[0].likeness == pytest.approx(1)
    assert (found.frauds, found.judged) == (2, 3)


@pytest.mark.django_db
def test_equals_stand_in_the_order_of_the_latest_and_always_the_same(cards, ana):
    equals = [decided(cards, ana, 1, 2) for _ in range(7)]
    alert = looked(making.alert(cards), 1, 2)
    expected = [str(one) for one in reversed(equals)][:5]
    assert [names(alert, ana) for _ in range(3)] == [expected] * 3


@pytest.mark.django_db
def test_what_raised_the_score_and_is_alike_is_named(cards, ana):
    for n in range(8):
        decided(cards, ana, 10 * n, 10 * n)
    past = decided(cards, ana, 5, 40)
    alert = looked(making.alert(cards), 5, 5)
    version = ModelVersion.objects.create(
        number=3, folder="x", sha256="x", kind="cold", cutoff=timezone.now()
    )
    moved = {NAMES[0]: 2.0, NAMES[1]: 1.0, NAMES[2]: -1.0}
    Explanation.objects.create(
        decision=alert.decision, model=version, state="DONE", contributions=moved
    )
    shared = {one.alert: one.shared for one in alone(similar(alert, ana)).rows}
    assert shared[past] == [FEATURES[0].meaning]


@pytest.mark.django_db
def test_only_decided_alerts_of_ones_own_queues_and_of_the_same_features_count(
    cards, loans, ana, lena
):
    looked(making.alert(cards), 1)  # still open
    decided(loans, lena, 1)  # a queue ana does not see
    other = looked(making.alert(cards), 1, spec="of another day")
    triage.decide(by=ana, alert=other, disposition=FRAUD)
    alert = looked(making.alert(cards), 1)
    assert names(alert, ana) == []


@pytest.mark.django_db
def test_without_a_vector_nothing_is_similar(cards, ana):
    decided(cards, ana, 1)
    assert names(making.alert(cards), ana) == []


@pytest.mark.django_db
def test_what_is_unlike_is_not_called_similar(cards, ana):
    for n in range(10):
        decided(cards, ana, *[n] * len(NAMES))
    assert names(looked(making.alert(cards)), ana) == []  # nothing is known of it
    assert len(names(looked(making.alert(cards), *[0] * len(NAMES)), ana)) == 3  # 0, 1 and 2


def test_unknown_is_like_unknown_and_unlike_everything_else():
    nan = np.nan
    rows = np.array([[nan, nan, 4.0], [1.0, nan, 2.0], [3.0, nan, 4.0]])
    apart = differences(np.array([nan, nan, 4.0]), rows)
    assert apart[0].tolist() == [0, 0, 0]
    assert apart[1].tolist() == [1, 0, pytest.approx(1 / 3)]


def test_a_few_huge_values_do_not_make_all_others_equal():
    rows = np.array([[1.0], [2.0], [3.0], [4.0], [1e9]])
    assert differences(np.array([2.0]), rows)[:, 0].tolist() == [0.2, 0, 0.2, 0.4, 0.6]


@pytest.mark.django_db
def test_raising_an_alert_keeps_the_vector_of_its_leading_payment(cards):
    for score, first in ((0.8, 1.0), (0.9, 2.0), (0.7, 3.0)):
        made = making.decision(making.payment(), score=score)
        vector = np.zeros(len(NAMES))
        vector[0] = first
        Snapshot.objects.create(
            day=made.known_at.date(),
            transaction_id=made.transaction_id,
            spec=spec_id(),
            vector=vector.tobytes(),
        )
        routing.sweep()
    kept = Profile.objects.get()
    assert kept.alert == Alert.objects.get()
    assert np.frombuffer(bytes(kept.vector))[0] == 2.0


@pytest.mark.django_db
def test_the_whole_pool_is_looked_through_within_50_ms(cards, ana):
    many, dice = POOL + 50, np.random.default_rng(7)
    pattern = making.alert(cards)
    paid = Transaction.objects.bulk_create(
        [_copy(pattern.transaction, external_id=f"many-{n}") for n in range(many)]
    )
    made = type(pattern.decision).objects.bulk_create(
        [_copy(pattern.decision, transaction=one) for one in paid]
    )
    now = timezone.now()
    alerts = Alert.objects.bulk_create(
        [
            _copy(
                pattern,
                decision=one,
                transaction=one.transaction,
                status="CLOSED",
                disposition=FRAUD,
                closed_by=ana,
                closed_at=now - timedelta(minutes=n),
            )
            for n, one in enumerate(made)
        ]
    )
    vectors = dice.normal(size=(many, len(NAMES)))
    Profile.objects.bulk_create(
        [
            Profile(alert=one, spec=spec_id(), vector=row.tobytes())
            for one, row in zip(alerts, vectors, strict=True)
        ]
    )
    alert = looked(pattern, *vectors[3])
    assert names(alert, ana)[0] == str(alerts[3])
    walls, own = [], []
    for _ in range(15):
        wall, cpu = time.perf_counter(), time.process_time()
        alone(similar(alert, ana))
        walls.append(time.perf_counter() - wall)
        own.append(time.process_time() - cpu)
    print(f"  similar among {POOL}: {min(walls) * 1000:.0f} ms, {min(own) * 1000:.0f} ms of it CPU")
    assert min(own) < 0.05, own  # the wall clock of a busy machine says nothing about us


def _copy(row, **fields):
    plain = {f.attname: getattr(row, f.attname) for f in row._meta.fields if f.name != "id"}
    for name in fields:
        plain.pop(f"{name}_id", None)
    return type(row)(**plain | fields)
