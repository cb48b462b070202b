"""However the past is read, the vectors are the same bits: alone, in a batch, kept or recounted."""

from datetime import timedelta

import numpy as np
import pytest
from django.db.models import F
from django.utils import timezone

from scoring import history, labels, merging
from scoring.engine import features
from scoring.engine.history import History
from scoring.models import MerchantHour, Transaction
from tests.scoring import making, paying
from tests.scoring.paying import START

pytestmark = pytest.mark.django_db


def payments_and_labels() -> None:
    """Three files out of order, some frauds known hours or weeks later, some of them withdrawn."""
    chance = np.random.default_rng(6)
    for part in range(3):
        name = f"p{part}-"
        paid = paying.stored(*paying.crowd(60, seed=part, days=35, name=name))
        for value in ("TRUE_FRAUD", "FALSE_POSITIVE"):
            which = chance.choice(60, 15, replace=False)
            later = [timedelta(hours=int(hours)) for hours in chance.integers(1, 600, 15)]
            rows = [
                (f"{name}{number}", value, paid[number].event_time + after)
                for number, after in zip(which, later, strict=True)
            ]
            labels.from_file(rows, source=making.source())


def test_every_way_of_reading_comes_to_the_same_vectors():
    payments_and_labels()
    for model in (MerchantHour, Transaction):
        model.objects.update(recorded_at=F("recorded_at") - timedelta(hours=1))
    events, at = paying.events(), timezone.now()
    batch = history.read(events, known_at=at)
    expected = features.compute(events, History.of(events, batch.frauds))
    assert np.nansum(expected[:, features.column("known_fraud_count_180d")]) > 20
    assert features.compute(events, batch).tobytes() == expected.tobytes()
    merging.merge()
    again = history.read(events, known_at=at, recount=True)
    assert features.compute(events, again).tobytes() == expected.tobytes()
    for rows in np.array_split(np.arange(len(events)), 4):
        kept = history.read(events[rows], known_at=at, again=True)
        assert features.compute(events[rows], kept).tobytes() == expected[rows].tobytes()
    for row in range(0, len(events), 3):
        event = events[row : row + 1]
        assert features.compute(event, history.read_now(event)[0]).tobytes() == (
            expected[row : row + 1].tobytes()
        )
        alone = history.read_one(event, known_at=at, recount=True)
        assert features.compute(event, alone).tobytes() == expected[row : row + 1].tobytes()


def test_what_is_recorded_later_changes_no_vector_as_of_before():
    payments_and_labels()
    events, at = paying.events(), timezone.now()
    before = features.compute(events, history.read(events, known_at=at))
    paying.stored(*paying.crowd(60, seed=11, days=35, name="late-"))
    labels.from_file(
        [(f"p0-{number}", "TRUE_FRAUD", START + timedelta(days=20)) for number in range(60)],
        source=making.source(),
    )
    for recount in (False, True):
        past = history.read(events, known_at=at, recount=recount)
        assert features.compute(events, past).tobytes() == before.tobytes()
    now = features.compute(events, history.read(events, known_at=timezone.now()))
    assert now.tobytes() != before.tobytes()


def test_each_payment_is_read_by_the_clock_of_its_own_place():
    hours = {"": 0, "Asia/Kolkata": 5.5, "UTC": 0, "America/New_York": -4, "Asia/Kathmandu": 5.75}
    paid = paying.stored(*(paying.payment(f"z-{zone}", timezone=zone) for zone in hours))
    for read in (history.stored_events, history.events_of):
        found = read([one.pk for one in paid])
        offsets = dict(zip(found["id"].tolist(), found["offset"].tolist(), strict=True))
        assert {one.timezone: offsets[one.pk] / 3600 for one in paid} == hours
