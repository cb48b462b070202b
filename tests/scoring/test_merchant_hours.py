"""Merchants by the hour: whatever way payments come and go, the sums are those of the payments."""

from datetime import datetime, timedelta

import numpy as np
import psycopg
import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from scoring import history, ingest, merging
from scoring.engine.history import HOUR, MOST_UNITS, History, Rows
from scoring.engine.transaction import microseconds
from scoring.models import Chunk, MerchantHour, Transaction
from tests.scoring import making, paying
from tests.scoring.paying import START

pytestmark = pytest.mark.django_db
MONTH = timedelta(days=30) // timedelta(microseconds=1)
SEEN = ["id", "time", "units", "user", "card", "merchant"]


def whole(events: Rows) -> History:
    return History.of(events)


def of_month(found: Rows, event: Rows) -> Rows:
    """The hours of one event's merchant that the kernel looks at."""
    hour = event["time"][0] // HOUR * HOUR
    mine = (found["merchant"] == event["merchant"][0]) & (event["merchant"][0] != 0)
    return found[mine & (found["hour"] >= hour - MONTH) & (found["hour"] < hour)]


def of_last_hour(found: Rows, event: Rows) -> bytes:
    time = event["time"][0]
    mine = (found["merchant"] == event["merchant"][0]) & (event["merchant"][0] != 0)
    rows = found[mine & (found["time"] >= time - HOUR) & (found["time"] <= time)]
    return b"".join(rows[name].tobytes() for name in SEEN)


def is_read_exactly(events: Rows, past: History | None = None) -> None:
    """Each event's merchant is read as it is: alone, in a batch, and counted once more."""
    at, past = timezone.now(), past or whole(events)
    many = history.read(events, known_at=at)
    again = history.read(events, known_at=at, recount=True)
    assert again.hours.tobytes() == many.hours.tobytes()
    assert all(_holds(past.hours, part, at) for part in np.array_split(events, 5))
    for row in range(len(events)):
        event = events[row : row + 1]
        one, _ = history.read_now(event)
        expected = of_month(past.hours, event).tobytes()
        assert of_month(many.hours, event).tobytes() == expected
        assert of_month(one.hours, event).tobytes() == expected
        assert of_last_hour(many.by_merchant, event) == of_last_hour(past.by_merchant, event)
        assert of_last_hour(one.by_merchant, event) == of_last_hour(past.by_merchant, event)


def _holds(found: Rows, part: Rows, at: datetime) -> bool:
    """What is read again and again as of one moment is the same for each event of a part."""
    read = history.read(part, known_at=at, again=True).hours
    keys = read[["merchant", "hour"]].tolist()
    assert keys == sorted(set(keys))
    return all(
        of_month(read, part[row : row + 1]).tobytes()
        == of_month(found, part[row : row + 1]).tobytes()
        for row in range(len(part))
    )


def test_merchants_are_read_as_their_payments_are():
    for part in range(3):
        paying.stored(*paying.crowd(40, seed=part, days=36, name=f"p{part}-"))
        is_read_exactly(paying.events())
    late = paying.payment("late", START + timedelta(minutes=5), merchant=2)
    edges = [START + timedelta(hours=hours) for hours in (0, 1, 2, 720, 721)]
    paying.stored(late, *(paying.payment(f"e{n}", edge) for n, edge in enumerate(edges)))
    is_read_exactly(paying.events())


def test_a_crowded_hour_is_read_once_and_no_further_than_needed():
    crowded = [START + timedelta(minutes=minutes) for minutes in range(0, 600, 7)]
    paying.stored(*(paying.payment(f"p{n}", moment) for n, moment in enumerate(crowded)))
    events = paying.events()
    is_read_exactly(events)
    read = history.read(events, known_at=timezone.now()).by_merchant
    assert sorted(read["id"]) == sorted(events["id"])
    last = history.read(events[-1:], known_at=timezone.now()).by_merchant
    assert len(last) == 9


def test_a_huge_amount_counts_as_the_most():
    huge = [paying.payment(f"h{n}", units=10**17) for n in range(3)]
    paying.stored(*huge, paying.payment("later", START + timedelta(hours=2)))
    events = paying.events()
    is_read_exactly(events)
    assert whole(events).hours["units"][0] == 3 * MOST_UNITS
    assert history.read(events, known_at=timezone.now()).hours["units"][0] == 3 * MOST_UNITS


def test_one_row_per_merchant_and_hour_of_a_statement_and_none_without_a_merchant():
    moments = [START + timedelta(minutes=minutes) for minutes in (0, 1, 59, 60)]
    paying.stored(*(paying.payment(f"p{n}", moment) for n, moment in enumerate(moments)))
    paying.stored(paying.payment("none", merchant=0))
    rows = MerchantHour.objects.order_by("hour").values_list("hour", "count", "units")
    assert list(rows) == [(START, 3, 750_000), (START + timedelta(hours=1), 1, 250_000)]
    assert set(MerchantHour.objects.values_list("recorded_at")) == set(
        Transaction.objects.exclude(merchant_key=0).values_list("recorded_at")
    )


def test_what_was_recorded_later_is_not_seen():
    paying.stored(paying.payment("p1"))
    before = timezone.now()
    paying.stored(paying.payment("p2"), paying.payment("p3", START + timedelta(hours=1)))
    event = paying.events()[-1:]
    for recount in (False, True):
        then = history.read(event, known_at=before, recount=recount)
        alone = history.read_one(event, known_at=before, recount=recount)
        assert then.hours.tobytes() == alone.hours.tobytes()
        assert then.hours["count"].tolist() == [1]
        assert then.by_merchant.tobytes() == alone.by_merchant.tobytes()
        assert len(then.by_merchant) == 1
    now = history.read(event, known_at=timezone.now())
    assert now.hours["count"].tolist() == [2]


def test_payments_that_are_deleted_or_changed_are_taken_away():
    paid = paying.stored(*paying.crowd(60, seed=5))
    Transaction.objects.filter(pk__in=[one.pk for one in paid[:20]]).delete()
    is_read_exactly(paying.events())
    Transaction.objects.filter(pk__gte=paid[40].pk).update(
        merchant_key=2, event_time=START + timedelta(days=3), amount_units=7
    )
    is_read_exactly(paying.events())
    Transaction.objects.all().delete()
    event = np.zeros(1, paying.history.EVENT)
    event["time"], event["merchant"] = microseconds(START + timedelta(days=20)), 1
    assert not len(history.read(event, known_at=timezone.now()).hours)
    assert not len(history.read_now(event)[0].hours)


@pytest.mark.django_db(transaction=True)
def test_a_file_counts_with_its_commit_and_once(settings, tmp_path, monkeypatch):
    settings.UPLOADS = tmp_path
    rows = [
        f"m{n},u{n % 3},25,{(START + timedelta(minutes=17 * n)).isoformat()},Shop {n % 2}"
        for n in range(40)
    ]
    content = "\n".join(["transaction_id,user_id,amount,timestamp,merchant", *rows, ""]).encode()
    monkeypatch.setenv("ANOMALYSHIELD_ENV", "test")
    monkeypatch.setenv("ANOMALYSHIELD_FAULTS", "block.before_commit=raise")
    with pytest.raises(RuntimeError, match="fault at"):
        ingest.perform(making.send(content))
    assert not MerchantHour.objects.exists()
    monkeypatch.delenv("ANOMALYSHIELD_FAULTS")
    making.work_through()
    is_read_exactly(paying.events())
    counted = list(MerchantHour.objects.values_list())
    making.send(content + b"\n")  # every row is known
    making.send(content.replace(b"m39,", b"m40,"))  # one is new
    making.work_through()
    assert MerchantHour.objects.count() == len(counted) + 1
    is_read_exactly(paying.events())


# --- merging --------------------------------------------------------------------------------------
def aged(by: timedelta = timedelta(hours=1)) -> None:
    """As if all that is stored had been recorded so much earlier."""
    MerchantHour.objects.update(recorded_at=F("recorded_at") - by)
    Transaction.objects.update(recorded_at=F("recorded_at") - by)


def test_merging_changes_nothing_that_is_read():
    for part in range(4):
        paying.stored(*paying.crowd(40, seed=part, days=3, name=f"p{part}-"))
    aged()
    paying.stored(*paying.crowd(40, seed=9, days=3, name="new-"))
    before = MerchantHour.objects.count()
    for _ in range(3):
        merging.merge()
        is_read_exactly(paying.events())
    settled = MerchantHour.objects.filter(recorded_at__lt=timezone.now() - timedelta(minutes=1))
    assert settled.count() == settled.values("merchant_key", "hour").distinct().count()
    assert settled.count() < before - 40


def test_what_is_not_settled_is_left_for_the_next_time():
    for name in "abc":
        paying.stored(paying.payment(name))
    merging.merge()
    assert MerchantHour.objects.count() == 3
    aged()
    paying.stored(paying.payment("d"))
    merging.merge()
    assert list(MerchantHour.objects.order_by("id").values_list("count", flat=True)) == [1, 3]
    aged()
    merging.merge()
    assert MerchantHour.objects.get().count == 4
    number = MerchantHour.objects.get().pk
    merging.merge()
    assert MerchantHour.objects.get().pk == number, "alone it is not written again"


def test_portions_come_to_the_same(monkeypatch):
    monkeypatch.setattr(
        merging, "MERGE", merging.MERGE.replace(f"LIMIT {merging.AT_ONCE}", "LIMIT 7")
    )
    for part in range(4):
        paying.stored(*paying.crowd(30, seed=part, days=2, name=f"p{part}-"))
    aged()
    for _ in range(4):
        merging.merge()
    hours = MerchantHour.objects.values("merchant_key", "hour").distinct()
    assert MerchantHour.objects.count() == hours.count()
    is_read_exactly(paying.events())


def test_a_waiting_chunk_reads_as_of_its_moment_whatever_is_merged():
    for part in range(3):
        paying.stored(*paying.crowd(30, seed=part, days=2, name=f"p{part}-"))
        aged()
    moments = sorted(Transaction.objects.values_list("recorded_at", flat=True).distinct())
    assert len(moments) == 3
    events = paying.events()
    read = {moment: history.read(events, known_at=moment).hours for moment in moments}
    Chunk.objects.create(transaction_ids=[], known_at=moments[1])
    for _ in range(3):
        merging.merge()
    for moment in moments[1:]:
        assert history.read(events, known_at=moment).hours.tobytes() == read[moment].tobytes()
    exact = history.read(events, known_at=moments[0], recount=True)
    assert exact.hours.tobytes() == read[moments[0]].tobytes(), "counted again it is exact anyway"
    numbers = set(MerchantHour.objects.values_list("pk", flat=True))
    merging.merge()
    assert set(MerchantHour.objects.values_list("pk", flat=True)) == numbers


def test_an_hour_whose_payments_were_deleted_leaves_no_row():
    paying.stored(*paying.crowd(30, days=2))
    Transaction.objects.all().delete()
    aged()
    merging.merge()
    assert not MerchantHour.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_chunk_that_is_just_being_made_is_waited_for(monkeypatch):
    monkeypatch.setattr(merging, "BY", merging.BY.replace("'1 minute'", "'0 seconds'"))
    for name in "ab":
        paying.stored(paying.payment(name))
    with psycopg.connect(**connection.get_connection_params()) as apart:
        apart.execute("SELECT 1")  # its transaction has begun
        MerchantHour.objects.update(recorded_at=timezone.now())
        merging.merge()
        assert MerchantHour.objects.count() == 2
    merging.merge()
    assert MerchantHour.objects.count() == 1
