"""A day of scored payments outside: whole, once, replaced when copied again, and taken in again."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from anomalyshield import leases
from anomalyshield.audit.models import AuditEvent
from scoring import lake, lakefile, storing
from scoring.admitting import gate_of
from scoring.models import Decision, DecisionPolicy, LakeCopy, Source, Transaction, Upload
from scoring.sources import file_source
from scoring.tasks import WORK, do, work_named

pytestmark = pytest.mark.django_db
DAY = (datetime.now(UTC) - timedelta(days=1)).date()


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.LAKE, settings.LAKE_KIND = str(tmp_path / "lake"), "parquet"
    return tmp_path / "lake"


@pytest.fixture
def scored():
    """Forty payments that were decided yesterday, and one of today."""
    gate = gate_of(Source.objects.create(name="bank"), datetime.now(UTC))
    paid = [gate.admit(payment(number)) for number in range(41)]
    storing.copy_straight(storing.packed(enumerate(paid), Source.objects.get().pk, None))
    policy = DecisionPolicy.objects.create(version=1, values={}, active=True)
    noon = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)
    for place, row in enumerate(Transaction.objects.order_by("pk")):
        Decision.objects.create(
            transaction=row,
            policy=policy,
            risk_score=place / 41,
            level="LOW",
            outcome="APPROVE",
            reason_codes=["NEW_DEVICE", "HIGH_AMOUNT"][: place % 3],
            known_at=noon,
            decided_at=noon if place < 40 else datetime.now(UTC),
        )
    return Decision.objects.filter(decided_at=noon)


def payment(number):
    return {
        "transaction_id": f"t{number}",
        "user_id": "u1",
        "amount": f"{number}.25",
        "timestamp": f"2026-01-14T15:{number:02}:00.5Z",
        "merchant": "Café ₹",
        "lat": 18.5,
        "lon": 73.8 if number % 2 else -73.8,
        "mcc": "5411",
        "is_online": number % 2 == 0,
        "timezone": "Asia/Kolkata",
    }


def run(*arguments):
    out = StringIO()
    call_command("lake", *map(str, arguments), stdout=out)
    return out.getvalue()


def copied(day=DAY):
    """Asked for, and done as a worker does; in one transaction now() stands before the asking."""
    run("copy", "--since", day)
    LakeCopy.objects.filter(state="READY").update(due_at=datetime.now(UTC) - timedelta(days=1))
    for row in leases.claim(LakeCopy, limit=10):
        do(work_named("lake"), row)


def test_a_day_stands_in_its_own_folder_with_a_manifest(scored, folder):
    copied()
    assert run("list").startswith(f"{DAY}  parquet  40 rows")
    copy = LakeCopy.objects.get()
    assert (copy.state, copy.rows, copy.error) == ("DONE", 40, "")
    told = json.loads((folder / f"day={DAY}" / "_manifest.json").read_text())
    assert told == {"day": f"{DAY}", "rows": 40, "bytes": copy.bytes, "sha256": copy.sha256}
    table = ds.dataset(folder, partitioning="hive").to_table()
    assert table.num_rows == 40
    one = table.to_pylist()[0]
    paid = Transaction.objects.get(external_id=one["transaction_id"])
    assert (one["amount"], one["user_id"], one["timestamp"]) == (
        paid.amount,
        paid.user_id,
        paid.event_time,
    )
    assert (one["risk_score"], one["outcome"], one["model_version"]) == (
        paid.decision.risk_score,
        paid.decision.outcome,
        paid.decision.model_id,
    )
    actions = AuditEvent.objects.filter(action__startswith="lake.").values_list("action", flat=True)
    assert list(actions.order_by("pk")) == ["lake.asked", "lake.copied"]


def test_what_was_copied_can_come_in_again_as_equal_rows(scored, folder):
    """The first columns are the fields that an ingestion takes."""
    copied()
    path = folder / f"day={DAY}" / "payments.parquet"
    before = list(Transaction.objects.order_by("pk").values_list("external_id", "digest"))[:40]
    records = [
        one for block in file_source("parquet").blocks(path, None, 100) for one in block.records
    ]
    gate = gate_of(Source.objects.get(), datetime.now(UTC))
    again = [gate.admit(record) for record in records]
    assert [(one.external_id, bytes(one.digest)) for one in again] == [
        (external, bytes(digest)) for external, digest in before
    ]


def test_a_day_copied_again_replaces_what_stood_there(scored, folder):
    copied()
    scored.filter(pk__in=list(scored.values_list("pk", flat=True)[:15])).update(
        decided_at=datetime.now(UTC)
    )
    copied()
    assert ds.dataset(folder, partitioning="hive").count_rows() == 25
    assert run("check") == "Every copy is the one its manifest tells of.\n"
    assert [path.name for path in folder.iterdir()] == [f"day={DAY}"]


def test_a_copy_that_stops_half_way_leaves_the_one_before(scored, folder, monkeypatch):
    copied()
    before = (folder / f"day={DAY}" / "payments.parquet").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lakefile, "_into_place", full)
    with pytest.raises(OSError, match="No space left"):
        lakefile.write(folder, DAY, "parquet")
    assert (folder / f"day={DAY}" / "payments.parquet").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == [f"day={DAY}"]


def test_what_a_machine_left_that_died_is_swept_when_nobody_can_be_at_it(scored, folder):
    folder.mkdir()
    dead, alive, alien = (folder / f".{name}.parquet" for name in ("a" * 32, "b" * 32, "mine"))
    for path in (dead, alive, alien):
        path.write_bytes(b"half of it")
        os.utime(path, (time.time() - 2 * 86_400,) * 2)
    os.utime(alive)
    copied()
    assert [path.exists() for path in (dead, alive, alien)] == [False, True, True]


def test_the_folder_is_as_private_as_the_database_unless_somebody_made_it(folder, tmp_path):
    copied()
    assert folder.stat().st_mode & 0o777 == 0o700
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o750)
    lakefile.write(shared, DAY, "parquet")
    assert shared.stat().st_mode & 0o777 == 0o750


def test_a_day_is_copied_when_its_last_decisions_are_committed(monkeypatch):
    """One that was written before midnight may be committed minutes after it."""
    now = datetime.now(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    monkeypatch.setattr(lake, "today", lambda: midnight.date())  # it has just struck
    assert lake.ask(by="command", day=now.date()).due_at == midnight + lake.SETTLED
    assert lake.ask(by="command", day=DAY - timedelta(days=1)).due_at < datetime.now(UTC)


def test_a_day_without_payments_is_an_empty_table(folder):
    copied()
    assert pq.read_table(folder / f"day={DAY}" / "payments.parquet").num_rows == 0


def test_a_changed_file_is_found(scored, folder):
    copied()
    path = folder / f"day={DAY}" / "payments.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CommandError, match=f"{DAY}: its file is not the one"):
        run("check")
    (path.parent / "_manifest.json").unlink()
    with pytest.raises(CommandError, match="it has no manifest"):
        run("check")


def test_each_day_is_asked_for_once_by_the_schedule(settings):
    lake.daily()
    lake.daily()
    days = LakeCopy.objects.values_list("day", flat=True)
    assert sorted(days) == [DAY - timedelta(days=ago) for ago in range(6, -1, -1)]
    given_up = LakeCopy.objects.filter(day=DAY)  # the disk was full
    given_up.update(state=LakeCopy.State.QUARANTINED)
    lake.daily()
    assert list(given_up.values_list("state", flat=True)) == ["READY", "QUARANTINED"]
    settings.LAKE = ""
    LakeCopy.objects.all().delete()
    lake.daily()
    assert not LakeCopy.objects.exists()


@pytest.mark.parametrize(
    "changes, arguments, sentence",
    [
        ({"LAKE": ""}, [], "There is no lake"),
        ({"LAKE_KIND": "iceberg"}, [], "must be parquet or delta"),
        ({}, ["--since", datetime.now(UTC).date()], "is not over"),
        ({}, ["--since", "yesterday"], "is not a day such as"),
        ({}, ["--since", "2026-01-02", "--until", "2026-01-01"], "lies before"),
    ],
)
def test_what_cannot_be_copied_is_refused_in_words(changes, arguments, sentence, settings):
    for name, value in changes.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError, match=sentence):
        run("copy", *arguments)
    assert not LakeCopy.objects.exists()


def test_a_delta_table_without_its_package_is_refused_by_its_name(settings, monkeypatch):
    settings.LAKE_KIND = "delta"
    monkeypatch.setattr(lake, "find_spec", lambda name: None)
    with pytest.raises(CommandError, match="pip install deltalake"):
        run("copy", "--since", DAY)


@pytest.mark.parametrize("first, then", [("parquet", "delta"), ("delta", "parquet")])
def test_a_folder_is_one_kind_of_lake(first, then, folder, settings, monkeypatch):
    monkeypatch.setattr(lake, "find_spec", lambda name: True)
    place = {"parquet": folder / f"day={DAY}" / "_manifest.json", "delta": folder / "_delta_log/x"}
    place[first].parent.mkdir(parents=True)
    place[first].touch()
    settings.LAKE_KIND = then
    with pytest.raises(CommandError, match=f"is a lake of {first} already"):
        run("copy", "--since", DAY)
    with pytest.raises(lake.Refused, match=f"is a lake of {first} already"):
        lake.perform(LakeCopy(day=DAY, kind=then))  # asked for by who was told another folder


def test_what_a_delta_table_held_before_leaves_a_day_later(scored, folder, settings):
    """Else it would keep, in files no reader sees, whom it was copied again to forget."""
    deltalake = pytest.importorskip("deltalake", reason="deltalake is not installed")
    settings.LAKE_KIND = "delta"
    copied()
    [first] = folder.glob("day=*/*.parquet")
    copied()
    assert first.exists(), "somebody may be reading it"
    log = folder / "_delta_log" / "00000000000000000001.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "remove" in line:
            line["remove"]["deletionTimestamp"] -= 25 * 3_600_000
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    copied(DAY - timedelta(days=1))
    assert not first.exists()
    assert deltalake.DeltaTable(str(folder)).to_pyarrow_table().num_rows == 40


def test_a_delta_table_holds_each_day_once(scored, folder, settings):
    deltalake = pytest.importorskip("deltalake", reason="deltalake is not installed")
    settings.LAKE_KIND = "delta"
    for day in (DAY, DAY - timedelta(days=1), DAY):
        copied(day)
    table = deltalake.DeltaTable(str(folder))
    assert table.to_pyarrow_table().num_rows == 40
    assert not list(folder.glob(".*.parquet"))
    assert {row["day"] for row in table.to_pyarrow_table().to_pylist()} == {DAY}


def test_its_work_is_on_the_list_of_work():
    assert "scoring.LakeCopy" in {work.model for work in WORK}


@pytest.mark.django_db(transaction=True)
def test_the_command_does_it_here_if_it_is_told_to(folder):
    said = run("copy", "--since", DAY, "--inline")
    assert said.startswith(f"{DAY} is asked for\n{DAY}  parquet  0 rows")


def test_ids_that_a_source_declares_personal_leave_as_tokens_that_still_join(scored, folder):
    copied()
    file = folder / f"day={DAY}" / "payments.parquet"
    assert set(pq.read_table(file)["user_id"].to_pylist()) == {"u1"}
    Source.objects.update(pii=["customer", "device_id"], mapping={"customer": "user_id"})
    Transaction.objects.filter(external_id="t3").update(user_id="u2", card_id="c9")
    copied()
    rows = {row["transaction_id"]: row for row in pq.read_table(file).to_pylist()}
    first, other = rows["t1"]["user_id"], rows["t3"]["user_id"]
    assert {row["user_id"] for row in rows.values()} == {first, other}
    assert first != other
    assert first.startswith("pii-")
    assert b"u1" not in file.read_bytes()
    assert rows["t3"]["card_id"] == "c9", "nobody declared it"
    assert rows["t1"]["device_id"] == "", "what was not said stays unsaid"


def test_an_id_is_personal_by_the_name_it_had_in_a_file(scored, folder):
    Source.objects.update(pii=["Kunde"])
    source, told = Source.objects.get(), {"mapping": {"Kunde": "user_id"}}
    Upload.objects.create(source=source, name="a.csv", kind="csv", options=told)
    copied()
    rows = pq.read_table(folder / f"day={DAY}" / "payments.parquet").to_pylist()
    assert all(row["user_id"].startswith("pii-") for row in rows)


def test_whatever_of_a_payment_is_declared_personal_does_not_leave(scored, folder):
    Source.objects.update(
        pii=["shop", "lat", "longitude"], mapping={"shop": "merchant_name", "lat": "latitude"}
    )
    copied()
    file = folder / f"day={DAY}" / "payments.parquet"
    rows = pq.read_table(file).to_pylist()
    assert {(row["latitude"], row["longitude"]) for row in rows} == {(None, None)}
    [shop] = {row["merchant_name"] for row in rows}
    assert shop.startswith("pii-")
    assert "Café" not in file.read_bytes().decode("utf-8", "ignore")
