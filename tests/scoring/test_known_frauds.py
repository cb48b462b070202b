"""What labels say of users, cards, devices and merchants: since when, until when, and no more."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from scoring import frauds, history, ingest, labels
from scoring.engine import features, kernel
from scoring.engine.history import FOREVER, KINDS, History, Rows
from scoring.engine.transaction import microseconds
from scoring.models import EntityFraud, Label, Transaction
from tests.scoring import making, paying
from tests.scoring.paying import START

pytestmark = pytest.mark.django_db
FRAUD, GENUINE, OPEN = Label.Value.TRUE_FRAUD, Label.Value.FALSE_POSITIVE, Label.Value.INCONCLUSIVE
DAY = timedelta(days=1)


def by_file(number: str, value: str, moment: datetime) -> int:
    return labels.from_file([(number, value, moment)], source=making.source())


def known(at: datetime | None = None, last: datetime = START + 90 * DAY) -> Rows:
    """What is known of the entities of a payment at that time, read in both ways."""
    event = paying.events()[-1:].copy()
    event["time"] = microseconds(last)
    at = at or timezone.now()
    one, many = history.read_one(event, known_at=at), history.read(event, known_at=at)
    assert one.frauds.tobytes() == many.frauds.tobytes()
    return one.frauds


def spans(rows: Rows) -> set[tuple[int, int]]:
    return {(int(row["known"]), int(row["until"])) for row in rows}


def test_a_fraud_is_known_of_each_entity_of_its_payment():
    [paid] = paying.stored(paying.payment("t1", card=7, device=0, merchant=9))
    assert by_file("t1", FRAUD, START + DAY) == 1
    rows = known()
    assert [tuple(row)[:2] for row in rows] == [(1, 1), (2, 7), (4, 9)]
    assert set(rows["id"]) == {paid.pk}
    assert set(rows["time"]) == {microseconds(START)}
    assert set(rows["units"]) == {paid.amount_units}
    assert np.isnan(rows["multiple"]).all(), "its user had paid nothing before"
    assert spans(rows) == {(microseconds(START + DAY), FOREVER)}


def test_labels_that_say_genuine_add_nothing():
    paying.stored(*paying.crowd(50))
    rows = [(f"p{number}", GENUINE, START + 60 * DAY) for number in range(50)]
    assert labels.from_file(rows, source=making.source()) == 50
    assert not EntityFraud.objects.exists()


def test_the_multiple_is_what_the_kernel_says_of_the_payment():
    paid = paying.stored(*paying.crowd(600, seed=4))
    paid += paying.stored(paying.payment("same time", paid[7].event_time, user=paid[7].user_key))
    rows = [(one.external_id, FRAUD, START + 60 * DAY) for one in paid]
    labels.from_file(rows, source=making.source())
    events = paying.events()
    vectors = features.compute(events, History.of(events))
    expected = dict(
        zip(events["id"].tolist(), vectors[:, features.column("amount_over_median")], strict=True)
    )
    said = dict(EntityFraud.objects.filter(kind=1).values_list("transaction_id", "multiple"))
    assert len(said) == 601
    assert {id: np.nan if one is None else one for id, one in said.items()} == pytest.approx(
        expected, rel=0, abs=0, nan_ok=True
    )
    counted = vectors[:, features.column("transaction_count_30d")]
    assert counted.max() > kernel.MEDIAN_OF
    assert (frauds.MEDIAN_OF, frauds.MOST_UNITS) == (kernel.MEDIAN_OF, kernel.MOST_UNITS)


@pytest.mark.parametrize("value", [GENUINE, OPEN])
def test_a_correction_ends_the_fraud_from_then_on(value):
    paying.stored(paying.payment("t1"))
    by_file("t1", FRAUD, START + DAY)
    by_file("t1", value, START + 5 * DAY)
    first, then = microseconds(START + DAY), microseconds(START + 5 * DAY)
    assert spans(known()) == {(first, then)}
    by_file("t1", FRAUD, START + 9 * DAY)
    assert spans(known()) == {(first, then), (microseconds(START + 9 * DAY), FOREVER)}


def test_a_label_taken_back_ends_the_fraud_and_a_correction_taken_back_restores_it(ana):
    [paid] = paying.stored(paying.payment("t1", timezone.now() - DAY))
    said = labels.give(by=ana, transaction=paid, value=FRAUD, origin="DISPOSITION")
    later = timezone.now() + DAY
    assert spans(known(last=later)) == {(microseconds(said.known_at), FOREVER)}
    other = labels.give(by=ana, transaction=paid, value=GENUINE, origin="DISPOSITION")
    assert spans(known(last=later)) == {(microseconds(said.known_at), microseconds(other.known_at))}
    labels.take_back(by=ana, label=other)
    assert spans(known(last=later)) == {(microseconds(said.known_at), FOREVER)}
    labels.take_back(by=ana, label=Label.objects.filter(transaction=paid).standing().get())
    assert EntityFraud.objects.filter(kind=KINDS["user"]).count() == 4


def test_a_first_label_taken_back_ends_the_fraud(ana):
    [paid] = paying.stored(paying.payment("t1", timezone.now() - DAY))
    said = labels.give(by=ana, transaction=paid, value=FRAUD, origin="DISPOSITION")
    back = labels.take_back(by=ana, label=said)
    ended = known(last=timezone.now() + DAY)
    assert spans(ended) == {(microseconds(said.known_at), microseconds(back.known_at))}


def test_what_is_said_twice_is_one_fraud(ana):
    [paid] = paying.stored(paying.payment("t1", timezone.now() - DAY))
    by_file("t1", FRAUD, paid.event_time)
    by_file("t1", FRAUD, paid.event_time)
    labels.give(
        by=ana, transaction=paid, value=FRAUD, origin="DISPOSITION", typology="CARD_TESTING"
    )
    assert EntityFraud.objects.filter(kind=KINDS["merchant"]).count() == 1


def test_what_was_recorded_later_is_not_seen():
    paying.stored(paying.payment("t1"))
    before = timezone.now()
    by_file("t1", FRAUD, START + DAY)
    between = timezone.now()
    by_file("t1", GENUINE, START + 2 * DAY)
    assert len(known(before)) == 0
    assert spans(known(between)) == {(microseconds(START + DAY), FOREVER)}
    assert spans(known()) == {(microseconds(START + DAY), microseconds(START + 2 * DAY))}


def test_frauds_of_payments_half_a_year_old_are_not_looked_at():
    paying.stored(paying.payment("t1"))
    by_file("t1", FRAUD, START + DAY)
    assert len(known(last=START + frauds.DAYS * DAY - timedelta(microseconds=1))) == 4
    assert len(known(last=START + frauds.DAYS * DAY)) == 0


def test_one_payment_and_a_batch_are_handed_the_same_whenever_it_became_known():
    paying.stored(paying.payment("t1"), paying.payment("t2", START + 9 * DAY))
    by_file("t1", FRAUD, START + 5 * DAY)
    events, at = paying.events(), timezone.now()
    together = history.read(events, known_at=at).frauds
    for row in range(2):
        alone = history.read_one(events[row : row + 1], known_at=at).frauds
        assert alone.tobytes() == together.tobytes()
        assert len(alone) == 4


def test_all_that_labels_say_in_any_order_is_read_as_it_stood():
    """Against a plain reading of the chains of labels, of random labels on random payments."""
    chance = np.random.default_rng(8)
    paid = {one.external_id: one for one in paying.stored(*paying.crowd(40))}
    for _ in range(120):
        one = paid[f"p{chance.integers(40)}"]
        moment = one.event_time + timedelta(hours=int(chance.integers(1, 2000)))
        by_file(one.external_id, chance.choice([FRAUD, GENUINE, OPEN]), moment)
    events, at = paying.events(), timezone.now()
    read = history.read(events, known_at=at).frauds
    for moment in [START + timedelta(days=int(day)) for day in range(0, 40, 3)]:
        clock = microseconds(moment)
        said = {
            (int(row["kind"]), int(row["key"]), int(row["id"]))
            for row in read
            if row["time"] <= clock and row["known"] <= clock < row["until"]
        }
        assert said == _standing_at(moment)


def _standing_at(moment: datetime) -> set[tuple[int, int, int]]:
    found = set()
    for one in Transaction.objects.filter(event_time__lte=moment).prefetch_related("labels"):
        last = sorted((x for x in one.labels.all() if x.known_at <= moment), key=lambda x: x.pk)
        if last and last[-1].value == FRAUD:
            keys = {kind: getattr(one, f"{entity}_key") for entity, kind in KINDS.items()}
            found |= {(kind, key, one.pk) for kind, key in keys.items() if key}
    return found


@pytest.mark.django_db(transaction=True)
def test_a_block_of_a_file_is_remembered_with_its_commit_and_once(settings, tmp_path, monkeypatch):
    settings.UPLOADS = tmp_path
    monkeypatch.setenv("ANOMALYSHIELD_ENV", "test")
    rows = [f"{row},{number % 4 // 3}" for number, row in enumerate(making.ordinary_rows(8))]
    content = "\n".join([f"{making.HEADER},fraud", *rows, ""]).encode()
    said = {"label_column": "fraud", "label_delay_days": 1}
    monkeypatch.setenv("ANOMALYSHIELD_FAULTS", "block.before_commit=raise")
    with pytest.raises(RuntimeError, match="fault at"):
        ingest.perform(making.send(content, **said))
    assert not EntityFraud.objects.exists()
    monkeypatch.delenv("ANOMALYSHIELD_FAULTS")
    making.work_through()
    assert EntityFraud.objects.filter(kind=KINDS["user"]).count() == 2
    making.send(content + b"\n", **said)
    making.work_through()
    assert EntityFraud.objects.filter(kind=KINDS["user"]).count() == 2
