"""From a file to rows: each stored once, each refusal kept, nothing doubled, nothing forgotten."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from anomalyshield import leases
from anomalyshield.audit.models import AuditEvent
from scoring import ingest, reading, uploads
from scoring.models import Chunk, Label, RejectedRecord, Transaction, Upload
from scoring.tasks import do, work_named

pytestmark = pytest.mark.django_db
HEADER = "transaction_id,user_id,amount,timestamp,city\n"
NOW = datetime.now(UTC).replace(microsecond=0)


def line(number, amount=None):
    moment = NOW - timedelta(days=30) + timedelta(minutes=number)
    return f"t{number},u{number % 7},{amount or number},{moment:%Y-%m-%dT%H:%M:%SZ},Pune\n"


def csv_of(*lines):
    return (HEADER + "".join(lines)).encode()


def receive(source, content, **options):
    return uploads.receive(
        by="command", source=source, name="day.csv", file=io.BytesIO(content), options=options
    )


def store(source, content, **options) -> Upload:
    """Receive it and do what a worker does."""
    upload = receive(source, content, **options)
    work()
    upload.refresh_from_db()
    return upload


def claim():
    """In a test that is one transaction, now() stands still before the file came."""
    Upload.objects.filter(state="READY").update(due_at=NOW - timedelta(days=1))
    return leases.claim(Upload, limit=10)


def work():
    for row in claim():
        do(work_named("upload"), row)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, settings):
    monkeypatch.setattr(reading, "BLOCK_ROWS", 10)
    settings.CHUNK_ROWS = 8


def test_every_row_is_stored_once_in_the_order_of_the_file(bank):
    upload = store(bank, csv_of(*map(line, range(35))))
    assert (upload.state, upload.stage, upload.error) == ("DONE", "SCORING", "")
    assert (upload.read, upload.accepted, upload.repeated, upload.rejected) == (35, 35, 0, 0)
    assert upload.progress == 1
    ids = Transaction.objects.order_by("pk").values_list("external_id", flat=True)
    assert list(ids) == [f"t{number}" for number in range(35)]


def test_a_row_keeps_every_field(bank):
    content = (
        "transaction_id,user_id,amount,timestamp,card_id,device_id,merchant,merchant_category,mcc,"
        "city,country,lat,lon,channel,is_online,timezone,colour\n"
        'é,"u,1",1234.5678,2026-01-14T15:00:00.123456Z,c,d,Café,food,742,Pune,in,18.5,73.8,web,,'
        "Asia/Kolkata,red\n"
    ).encode()
    assert store(bank, content).accepted == 1
    row = Transaction.objects.get()
    assert (row.external_id, row.user_id, row.amount) == ("é", "u,1", Decimal("1234.5678"))
    assert row.event_time == datetime(2026, 1, 14, 15, 0, 0, 123456, tzinfo=UTC)
    assert (row.card_id, row.device_id, row.merchant_name) == ("c", "d", "Café")
    assert (row.merchant_category, row.mcc, row.location) == ("food", "0742", "Pune")
    assert (row.country, row.latitude, row.longitude) == ("IN", 18.5, 73.8)
    assert (row.channel, row.is_online, row.timezone) == ("web", True, "Asia/Kolkata")
    assert row.extra == {"colour": "red"}
    assert row.amount_units == 12_345_678
    assert row.user_key
    assert len(bytes(row.digest)) == 16


def test_the_rows_are_cut_into_chunks_along_users(bank):
    upload = store(bank, csv_of(*map(line, range(35))))
    chunks = list(Chunk.objects.order_by("pk"))
    assert sorted(id for chunk in chunks for id in chunk.transaction_ids) == sorted(
        Transaction.objects.values_list("pk", flat=True)
    )
    assert sorted(len(chunk.transaction_ids) for chunk in chunks) == [3, 8, 8, 8, 8]
    assert {chunk.known_at for chunk in chunks} == {upload.stored_at}
    assert not Transaction.objects.filter(recorded_at__gt=upload.stored_at).exists()
    users = [
        set(Transaction.objects.filter(pk__in=chunk.transaction_ids).values_list("user_id"))
        for chunk in chunks
    ]
    assert max(map(len, users)) <= 3  # of seven, five rows each: a chunk of eight meets three


def test_the_file_is_gone_from_disk_once_it_is_stored(
    bank, settings, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        store(bank, csv_of(line(1)))
    assert list(settings.UPLOADS.iterdir()) == []


def test_rows_known_already_are_counted_and_change_nothing(bank):
    store(bank, csv_of(*map(line, range(15))))
    upload = store(bank, csv_of(*map(line, range(10, 35))))
    assert (upload.accepted, upload.repeated, upload.rejected) == (20, 5, 0)
    assert Transaction.objects.count() == 35


def test_a_file_of_known_rows_only_is_finished_at_once(bank):
    store(bank, csv_of(line(1), line(2)))
    upload = store(bank, csv_of(line(2), line(1)))
    assert (upload.accepted, upload.repeated, upload.stage) == (0, 2, "FINISHED")


def test_a_known_id_with_other_content_is_refused_and_the_first_stays(bank):
    store(bank, csv_of(line(1, amount=5)))
    upload = store(bank, csv_of(line(2), line(1, amount=6)))
    assert (upload.accepted, upload.repeated, upload.rejected) == (1, 0, 1)
    reject = RejectedRecord.objects.get()
    assert reject.reasons == {"transaction_id": "is already known with other content"}
    assert (reject.position, reject.record) == (2, {"transaction_id": "t1"})
    assert Transaction.objects.get(external_id="t1").amount == 5


@pytest.mark.parametrize("apart", [0, 15])  # in one block, and in two
def test_an_id_twice_in_one_file_counts_once(bank, apart):
    between = map(line, range(100, 100 + apart))
    upload = store(bank, csv_of(line(1, amount=5), *between, line(1, amount=5), line(1, amount=6)))
    assert (upload.accepted, upload.repeated, upload.rejected) == (1 + apart, 1, 1)


def test_ids_are_unique_within_their_source_only(bank):
    from scoring.models import Source

    store(bank, csv_of(line(1)))
    assert store(Source.objects.create(name="other"), csv_of(line(1, amount=9))).accepted == 1


def test_bad_rows_are_kept_with_field_and_reason_and_stop_nothing(bank):
    upload = store(
        bank,
        csv_of(
            line(1), "t2,u2,abc,2026-01-01,Pune\n", "t3,,5,31/12/2026,Pune\n", "short\n", line(5)
        ),
    )
    assert (upload.read, upload.accepted, upload.rejected) == (5, 2, 3)
    kept = {reject.position: reject for reject in RejectedRecord.objects.all()}
    assert kept[2].reasons == {"amount": "is not a plain number such as 1234.56"}
    assert kept[2].record["city"] == "Pune"
    assert set(kept[3].reasons) == {"user_id", "timestamp"}
    assert kept[4].reasons == {"row": "has 1 value where the header names 5 columns"}


def test_poison_bytes_are_rejects_and_not_a_failure(bank):
    poison = [b"a\x00b,u,1,2026-01-01,x\n", b"c,u\xff\xfe,1,2026-01-01,x\n", b'd,"open,1\n']
    good = [line(n).encode() for n in range(12)]
    accents = "é,u,1,2026-01-01,Zürich Genève\n".encode()
    content = csv_of() + accents + b"".join(good + poison + good)
    upload = store(bank, content)
    assert (upload.state, upload.error) == ("DONE", "")
    assert (upload.accepted, upload.repeated, upload.rejected) == (13, 12, 3)
    assert upload.read == upload.accepted + upload.repeated + upload.rejected


def test_parquet_comes_in_by_the_same_way(bank, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {
            "transaction_id": f"t{n}",
            "user_id": n % 3,
            "amount": n + 0.25,
            "timestamp": NOW - timedelta(days=n),
        }
        for n in range(25)
    ]
    rows[7]["amount"] = None
    rows[8]["transaction_id"] = "nul\x00"
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "f", row_group_size=6)
    with (tmp_path / "f").open("rb") as file:
        uploads.receive(by="command", source=bank, name="f.parquet", file=file, options={})
    work()
    upload = Upload.objects.get()
    assert (upload.state, upload.accepted, upload.rejected) == ("DONE", 23, 2)
    assert Transaction.objects.get(external_id="t3").amount == Decimal("3.25")


def test_a_worker_whose_clock_is_slow_does_not_take_this_minute_for_the_future(bank, monkeypatch):
    moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    monkeypatch.setattr(reading.timezone, "now", lambda: datetime.now(UTC) - timedelta(minutes=10))
    receive(bank, (HEADER + f"t1,u1,5,{moment},Pune\n").encode())
    Upload.objects.update(created_at=datetime.now(UTC))  # the door's clock was right
    work()
    upload = Upload.objects.get()
    assert (upload.accepted, upload.rejected) == (1, 0)


# --- going on, stopping, giving up ----------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_it_goes_on_at_its_checkpoint(bank, monkeypatch):
    receive(bank, csv_of(*map(line, range(35))))
    (row,) = claim()
    stored = []

    def dies_in_the_third(upload, parsed):
        if len(stored) == 2:
            raise RuntimeError("power cut")
        stored.append(parsed.block.first_row)
        store_block(upload, parsed)

    store_block = ingest.store_block
    monkeypatch.setattr(ingest, "store_block", dies_in_the_third)
    do(work_named("upload"), row)
    row.refresh_from_db()
    assert (row.state, row.accepted, row.checkpoint["row"]) == ("READY", 20, 20)
    monkeypatch.setattr(ingest, "store_block", store_block)
    (row,) = claim()
    do(work_named("upload"), row)
    row.refresh_from_db()
    assert (row.state, row.read, row.accepted, row.repeated) == ("DONE", 35, 35, 0)
    assert Transaction.objects.count() == 35


def test_a_worker_that_lost_its_lease_stores_nothing_more(bank):
    receive(bank, csv_of(*map(line, range(35))))
    (slow,) = claim()
    Upload.objects.update(lease_until=NOW - timedelta(days=1))
    (quick,) = claim()
    with pytest.raises(leases.LeaseLost):
        ingest.perform(slow)
    do(work_named("upload"), quick)
    quick.refresh_from_db()
    assert (quick.state, quick.accepted, quick.repeated) == ("DONE", 35, 0)


def test_stopping_keeps_what_was_stored_and_has_it_scored(bank, dana):
    receive(bank, csv_of(*map(line, range(35))))
    (row,) = claim()
    blocks = reading.blocks_of(row)
    ingest.store_block(row, next(blocks))
    assert uploads.cancel(by=dana, upload=Upload.objects.get())
    with pytest.raises(leases.LeaseLost):
        ingest.store_block(row, next(blocks))
    blocks.close()
    upload = Upload.objects.get()
    assert (upload.state, upload.stage, upload.accepted) == ("CANCELLED", "SCORING", 10)
    assert sum(len(chunk.transaction_ids) for chunk in Chunk.objects.all()) == 10
    event = AuditEvent.objects.get(action="upload.cancelled")
    assert (event.actor, event.after) == ("dana", {"rows_kept": 10})


def test_there_is_nothing_to_stop_once_all_is_stored(bank, dana):
    upload = store(bank, csv_of(line(1)))
    assert not uploads.cancel(by=dana, upload=upload)
    assert not AuditEvent.objects.filter(action="upload.cancelled").exists()


def test_a_file_that_is_damaged_further_on_keeps_what_came_before(bank, monkeypatch):
    from scoring.sources.base import Unreadable

    real = reading.parse_block

    def damaged(upload, source, block):
        if block.first_row > 20:
            raise Unreadable("The file is damaged.")
        return real(upload, source, block)

    monkeypatch.setattr(reading, "parse_block", damaged)
    upload = store(bank, csv_of(*map(line, range(35))))
    assert (upload.state, upload.stage, upload.error) == (
        "QUARANTINED",
        "SCORING",
        "The file is damaged.",
    )
    assert sum(len(chunk.transaction_ids) for chunk in Chunk.objects.all()) == 20


def test_a_file_that_vanished_is_set_aside_in_words(bank, settings):
    upload = receive(bank, csv_of(line(1)))
    (settings.UPLOADS / upload.path).unlink()
    work()
    upload.refresh_from_db()
    assert (upload.state, upload.stage) == ("QUARANTINED", "FINISHED")
    assert "Send it again" in upload.error


@pytest.mark.django_db(transaction=True)
def test_the_third_failure_without_progress_is_the_last(bank, monkeypatch):
    receive(bank, csv_of(line(1)))
    monkeypatch.setattr(ingest, "store_block", lambda *_: 1 / 0)
    for _ in range(3):
        work()
    upload = Upload.objects.get()
    assert (upload.state, upload.attempts) == ("QUARANTINED", 3)
    assert "ZeroDivisionError" in upload.error


def test_the_last_chunk_finishes_the_upload(bank):
    upload = store(bank, csv_of(*map(line, range(16))))
    first, second = Chunk.objects.order_by("pk")
    for chunk, stage in ((first, "SCORING"), (second, "FINISHED")):
        Chunk.objects.filter(pk=chunk.pk).update(state="DONE")
        ingest.chunk_done(upload.pk, len(chunk.transaction_ids))
        upload.refresh_from_db()
        assert upload.stage == stage
    assert upload.scored == 16
    assert not upload.under_way


def test_a_chunk_set_aside_does_not_keep_its_file_open_for_ever(bank):
    upload = store(bank, csv_of(line(1)))
    assert ingest.sweep() == 0
    Chunk.objects.update(state="QUARANTINED")
    assert ingest.sweep() == 1
    upload.refresh_from_db()
    assert (upload.stage, upload.scored) == ("FINISHED", 0)


# --- labels ---------------------------------------------------------------------------------------
LABELLED = "transaction_id,user_id,amount,timestamp,fraud,seen\n"


def labelled(*rows):
    return (LABELLED + "".join(f"{row}\n" for row in rows)).encode()


def test_labels_come_with_the_date_they_became_known(bank):
    upload = store(
        bank,
        labelled(
            "a,u,1,2026-01-01T10:00:00Z,1,2026-02-01",
            "b,u,1,2026-01-01T10:00:00Z,0,2026-02-02",
            "c,u,1,2026-01-01T10:00:00Z,,",
        ),
        label_column="fraud",
        label_known_column="seen",
    )
    assert upload.accepted == 3
    found = {label.transaction.external_id: label for label in Label.objects.all()}
    assert found["a"].value == "TRUE_FRAUD"
    assert found["a"].known_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert found["b"].value == "FALSE_POSITIVE"
    assert "c" not in found
    assert all(tx.extra is None for tx in Transaction.objects.all())  # never a feature


@pytest.mark.parametrize(
    "row, field, reason",
    [
        ("a,u,1,2026-01-01T10:00:00Z,1,", "seen", "is required where there is a label"),
        ("a,u,1,2026-01-01T10:00:00Z,1,soon", "seen", "is not a time"),
        ("a,u,1,2026-01-01T10:00:00Z,1,2025-12-31", "seen", "before the transaction"),
        ("a,u,1,2026-01-01T10:00:00Z,1,2199-01-01", "seen", "in the future"),
        ("a,u,1,2026-01-01T10:00:00Z,perhaps,2026-02-01", "fraud", "is not a label"),
    ],
)
def test_a_label_that_cannot_be_believed_rejects_its_row(bank, row, field, reason):
    upload = store(bank, labelled(row), label_column="fraud", label_known_column="seen")
    assert (upload.accepted, upload.rejected) == (0, 1)
    assert reason in RejectedRecord.objects.get().reasons[field]
    assert not Label.objects.exists()


def test_a_stated_delay_dates_the_labels_but_never_in_the_future(bank):
    old, new = NOW - timedelta(days=40), NOW - timedelta(days=1)
    store(
        bank,
        labelled(f"a,u,1,{old.isoformat()},1,", f"b,u,1,{new.isoformat()},1,"),
        label_column="fraud",
        label_delay_days=14,
    )
    found = {label.transaction.external_id: label.known_at for label in Label.objects.all()}
    assert found["a"] == old + timedelta(days=14)
    assert NOW <= found["b"] <= datetime.now(UTC)


def test_a_later_file_labels_transactions_known_already(bank):
    rows = labelled("a,u,1,2026-01-01T10:00:00Z,,")
    store(bank, rows, label_column="fraud", label_known_column="seen")
    upload = store(
        bank,
        labelled("a,u,1,2026-01-01T10:00:00Z,chargeback,2026-03-01"),
        label_column="fraud",
        label_known_column="seen",
    )
    assert upload.repeated == 1
    assert Label.objects.get().value == "TRUE_FRAUD"


def test_the_label_of_a_refused_row_is_refused_with_it(bank):
    store(bank, labelled("a,u,1,2026-01-01T10:00:00Z,,"))
    store(
        bank,
        labelled("a,u,2,2026-01-01T10:00:00Z,1,2026-03-01"),
        label_column="fraud",
        label_known_column="seen",
    )
    assert not Label.objects.exists()


def test_rows_met_again_in_the_middle_take_the_longer_way_and_the_short_one_after(bank):
    store(bank, csv_of(*(line(n) for n in range(1, 6))))
    later = store(bank, csv_of(*(line(n) for n in range(20, 30)), *(line(n) for n in range(40))))
    assert (later.read, later.accepted, later.repeated, later.rejected) == (50, 35, 15, 0)
    assert Transaction.objects.count() == 40
