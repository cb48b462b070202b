"""A corpus of untidy files: each is stored, or its bad rows are, with reasons, or it is refused.

Every sample goes the whole way: received, read by the worker's verb, counted in the database.
"""

import gzip
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from anomalyshield import leases
from anomalyshield.audit.models import AuditEvent
from scoring import ingest, reading, uploads
from scoring.models import RejectedRecord, Transaction, Upload
from scoring.sources import unpacking
from scoring.tasks import do, work_named
from tests.ingest.test_bombs import book_of
from tests.ingest.test_packed import zipped

pytestmark = pytest.mark.django_db
HEADER = "transaction_id,user_id,amount,timestamp,merchant_name"
AT = "2026-01-14T15:00:00Z"


def row(number, amount="5.00", at=AT, shop="Cafe", by=","):
    return by.join((f"t{number}", "u1", amount, at, shop))


def table(*rows, end="\n", head=HEADER):
    return end.join((head, *rows)) + end


def semicolons(*rows):
    return table(*rows, head=HEADER.replace(",", ";"))


GOOD = table(row(1), row(2), row(3))
LONG = "x" * 1_100_000


class Sample(NamedTuple):
    """A file, what comes of it, and how it was read."""

    content: bytes | str
    stored: int = 0
    rejects: dict[int, str] = {}  # row → a part of "field: reason"
    refused: str = ""
    options: dict = {}
    shop: str = ""  # merchant of the last row stored
    amount: str = ""


SAMPLES = {
    # --- encodings and marks ---
    "utf-8": Sample(GOOD, 3),
    "utf-8 with a mark": Sample(GOOD.encode("utf-8-sig"), 3),
    "utf-16 little endian": Sample(GOOD.encode("utf-16"), 3),
    "utf-16 big endian, marked": Sample(b"\xfe\xff" + GOOD.encode("utf-16-be"), 3),
    "utf-16 without a mark": Sample(GOOD.encode("utf-16-le"), 3),
    "utf-32": Sample(GOOD.encode("utf-32"), refused="UTF-32"),
    "windows-1252": Sample(table(row(1, shop="Café €")).encode("cp1252"), 1, shop="Café €"),
    "accents in utf-8": Sample(table(row(1, shop="Café ₹ 日本")), 1, shop="Café ₹ 日本"),
    "a letter and its accent apart": Sample(table(row(1, shop="Cafe\u0301")), 1, shop="Café"),
    "two encodings in one file": Sample(
        table(*(row(n, shop="Café") for n in (1, 2, 3))).encode()
        + row(4, shop="Caf\xe9").encode("latin-1"),
        3,
        {4: "row: is not UTF-8 text"},
    ),
    "one damaged character": Sample(
        table(row(1, shop="Zürich Süd"), row(2)).encode() + b"t3,u1,5,,caf\xff\n", 2, {3: "UTF-8"}
    ),
    "an overlong character": Sample(
        table(row(1, shop="Zürich süß")).encode() + b"t2,u1,5,,\xc0\xaf\n", 1, {2: "UTF-8"}
    ),
    "half a surrogate pair in utf-16": Sample(
        GOOD.encode("utf-16") + "t4,u1,5,,".encode("utf-16-le") + b"\x00\xd8\n\x00",
        3,
        {4: "UTF-16"},
    ),
    # --- line ends ---
    "carriage returns and line feeds": Sample(table(row(1), row(2), end="\r\n"), 2),
    "carriage returns alone": Sample(table(row(1), row(2), end="\r"), 2),
    "no line end at the end": Sample(GOOD.rstrip("\n"), 3),
    "blank lines between": Sample(table(row(1), "", "", row(2), ""), 2),
    "lines of blanks": Sample(table(row(1), "   ", row(2)), 2, {2: "has 1 value where"}),
    "blank lines before the header": Sample("\n\n" + GOOD, 3),
    "the end of file of DOS": Sample(GOOD + "\x1a", 3),
    "zeros after the end": Sample(GOOD + "\0" * 4_096, 3, {4: "NUL"}),
    # --- separators ---
    "semicolons": Sample(semicolons(row(1, by=";"), row(2, by=";")), 2),
    "tabs": Sample(table(row(1, by="\t"), head=HEADER.replace(",", "\t")), 1),
    "bars": Sample(table(row(1, by="|"), head=HEADER.replace(",", "|")), 1),
    "semicolons with commas in values": Sample(
        semicolons(row(1, shop="Smith, Sons, Co", by=";")), 1, shop="Smith, Sons, Co"
    ),
    "blanks around separators": Sample(
        table("t1 , u1 , 5.00 , 2026-01-14T15:00:00Z , Cafe"), 1, shop="Cafe", amount="5.0000"
    ),
    "a separator at the end of rows": Sample(
        table(row(1) + ",", row(2)), 1, {1: "has 6 values where the header names 5"}
    ),
    "a separator at the end of the header": Sample(
        table(row(1) + ",", head=HEADER + ","), refused="Column 6 has no name"
    ),
    # --- quotes ---
    "every value quoted": Sample(
        table('"t1","u1","5.00","2026-01-14T15:00:00Z","Cafe, Bar"'), 1, shop="Cafe, Bar"
    ),
    "quotes in quotes": Sample(table(row(1, shop='"the ""Cafe"""')), 1, shop='the "Cafe"'),
    "a quote within a bare value": Sample(table(row(1, shop='5" pipe')), 1, shop='5" pipe'),
    "text behind a closing quote": Sample(
        table(row(1), row(2, shop='"a" b'), row(3)), 2, {2: "must be doubled"}
    ),
    "a quote never closed": Sample(
        table(row(1, shop='"open'), row(2), row(3)), 2, {1: "opened here and never closed"}
    ),
    "a quote never closed over 200 KB": Sample(
        table(row(1, shop='"open'), *(row(n, shop="x" * 190) for n in range(2, 900))),
        898,
        {1: "quote"},
    ),
    "a line break in quotes": Sample(
        table(row(1, shop='"two\nlines"'), row(2)), 1, {1: "control character U.000A"}
    ),
    "single quotes are no quotes": Sample(table(row(1, shop="'Cafe'")), 1, shop="'Cafe'"),
    "quoted numbers": Sample(table(row(1, amount='"12.50"')), 1, amount="12.5000"),
    # --- rows of other lengths ---
    "too few values": Sample(table(row(1), "t2,u1", row(3)), 2, {2: "has 2 values where"}),
    "too many values": Sample(table(row(1) + ",x,y", row(2)), 1, {1: "has 7 values where"}),
    "a header among the rows": Sample(
        table(row(1), HEADER, row(2)), 2, {2: "amount: is not a plain"}
    ),
    "a sum below the table": Sample(table(row(1), row(2), "Total,,10.00,,"), 2, {3: "user_id"}),
    # --- huge ---
    "a value of a megabyte": Sample(
        table(row(1), row(2, shop=LONG), row(3)), 2, {2: "longer than 1 MB"}
    ),
    "a value of 200 KB": Sample(table(row(1), row(2, shop="x" * 200_000)), 1, {2: "128 KB"}),
    "a merchant of 5,000 letters": Sample(
        table(row(1, shop="x" * 5_000)), 0, {1: "characters long"}
    ),
    "an id of 5,000 letters": Sample(table(row("1" * 5_000)), 0, {1: "transaction_id: is"}),
    "one line without end": Sample(LONG + LONG, refused="header cannot be read|quote"),
    "ten thousand columns": Sample(
        ",".join(f"c{n}" for n in range(10_000)) + "\n", refused="10,000 columns"
    ),
    # --- headers ---
    "the same column twice": Sample(
        table(row(1), head=HEADER.replace("user_id", "amount")), refused="twice"
    ),
    "a column without a name": Sample(
        table(row(1), head=HEADER.replace("user_id", "")), refused="no name"
    ),
    "blanks around names": Sample(table(row(1), head=HEADER.replace(",", " , ")), 1),
    "names in capitals": Sample(table(row(1), head=HEADER.upper()), 1),
    "a header alone": Sample(HEADER + "\n", refused="a header but no rows"),
    "no header": Sample(row(1) + "\n" + row(2) + "\n", refused="user_id|amount|column"),
    "nothing": Sample("", refused="empty"),
    "blanks alone": Sample(" \n\n \r\n", refused="nothing but blanks"),
    # --- control characters ---
    "a NUL in a value": Sample(table(row(1, shop="a\0b"), row(2)), 1, {1: "NUL"}),
    "a bell in a value": Sample(table(row(1, shop="a\ab"), row(2)), 1, {1: "U.0007"}),
    "an escape in an id": Sample(table(row("\x1b[31m"), row(2)), 1, {1: "U.001B"}),
    # --- numbers ---
    "a comma for the point": Sample(
        semicolons(row(1, "1234,56", by=";")), 0, {1: "amount: holds a comma; write 1234.56"}
    ),
    "a comma for the point, said so": Sample(
        semicolons(row(1, "1.234,56", by=";")), 1, options={"decimal_mark": ","}, amount="1234.5600"
    ),
    "thousands separators": Sample(table(row(1, '"1,234.56"')), 0, {1: "thousands separators"}),
    "thousands separators, said so": Sample(
        table(row(1, '"1,234.56"')), 1, options={"decimal_mark": "."}, amount="1234.5600"
    ),
    "a sign of a currency, said so": Sample(
        table(row(1, "$ 12.50")), 1, options={"decimal_mark": "."}, amount="12.5000"
    ),
    "underscores": Sample(table(row(1, "1_000")), 0, {1: "amount: is not a plain number"}),
    "digits of full width": Sample(table(row(1, "１２")), 0, {1: "amount: is not a plain number"}),
    "an exponent": Sample(table(row(1, "1e3")), 0, {1: "amount: is not a plain number"}),
    "five decimals": Sample(table(row(1, "1.00001")), 0, {1: "more than 4 decimal places"}),
    "negative": Sample(table(row(1, "-5")), 0, {1: "amount: is negative"}),
    "zero": Sample(table(row(1, "0")), 1, amount="0.0000"),
    "not a number": Sample(
        table(row(1, "NaN"), row(2, "inf"), row(3, "#REF!")),
        0,
        dict.fromkeys((1, 2, 3), "amount: is not"),
    ),
    "more than all the money": Sample(table(row(1, "1" + "0" * 30)), 0, {1: "too large"}),
    "no amount": Sample(table(row(1, "")), 0, {1: "amount: is required"}),
    # --- times ---
    "day or month first": Sample(
        table(row(1, at="03/04/2026")), 0, {1: "timestamp: is not a time"}
    ),
    "the day first, said so": Sample(
        table(row(1, at="13/01/2026 15:00")), 1, options={"date_format": "%d/%m/%Y %H:%M"}
    ),
    "the day first where it cannot be": Sample(
        table(row(1, at="01/13/2026 15:00")),
        0,
        {1: "timestamp"},
        options={"date_format": "%d/%m/%Y %H:%M"},
    ),
    "seconds since 1970": Sample(table(row(1, at="1768402800")), 1),
    "a day that is none": Sample(
        table(row(1, at="2026-02-30")), 0, {1: "timestamp: is not a time"}
    ),
    "a year to come": Sample(table(row(1, at="2099-01-01")), 0, {1: "lies in the future"}),
    # --- something else under this name ---
    "a web page": Sample("<!DOCTYPE html><html></html>", refused="a web page"),
    "JSON": Sample('[{"transaction_id": 1}]', refused="JSON"),
    "a program": Sample(b"\x7fELF\x02" + b"\0" * 64, refused="a program"),
    "a picture": Sample(b"\x89PNG\r\n\x1a\n" + b"\0" * 64, refused="an image"),
    "an archive of tar": Sample(
        b"a.csv" + b"\0" * 252 + b"ustar" + b"\0" * 64, refused="a tar archive"
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_each_untidy_file_has_its_one_outcome(name, bank):
    sample = SAMPLES[name]
    content = sample.content.encode() if isinstance(sample.content, str) else sample.content
    if sample.refused:
        with pytest.raises(uploads.Refused, match=sample.refused) as refusal:
            received(bank, content, sample)
        assert len(str(refusal.value).split()) >= 4
        assert not Upload.objects.exists()
        return
    upload = received(bank, content, sample)
    worked()
    upload.refresh_from_db()
    found = {
        one.position: "; ".join(f"{field}: {reason}" for field, reason in one.reasons.items())
        for one in RejectedRecord.objects.all()
    }
    assert (upload.error, upload.accepted) == ("", sample.stored), found
    assert found.keys() == sample.rejects.keys(), found
    for position, reason in sample.rejects.items():
        assert re.search(reason, found[position]), found[position]
    assert upload.accepted + upload.rejected == upload.read
    last = Transaction.objects.order_by("-pk").first()
    if sample.shop:
        assert last.merchant_name == sample.shop
    if sample.amount:
        assert str(last.amount) == sample.amount


@pytest.mark.parametrize("name", ["day.csv.gz", "day.zip", "day.xlsx"])
def test_packed_files_and_workbooks_go_the_whole_way(name, bank, tmp_path):
    """Two payments that are right and one whose amount is not, however they are wrapped."""
    rows = [line.split(",") for line in table(row(1), row(2, amount="-5"), row(3)).splitlines()]
    content = "\n".join(map(",".join, rows)).encode()
    if name.endswith(".xlsx"):
        content = book_of(tmp_path / "a.xlsx", rows).read_bytes()
    packed = {"gz": gzip.compress, "zip": lambda plain: zipped(("day.csv", plain))}
    content = packed.get(name.rpartition(".")[2], bytes)(content)
    upload = received(bank, content, Sample(b""), name)
    worked()
    upload.refresh_from_db()
    assert (upload.error, upload.accepted, upload.rejected) == ("", 2, 1)
    assert upload.progress == 1
    assert RejectedRecord.objects.get().reasons == {
        "amount": "is negative; an amount is zero or more"
    }
    assert set(Transaction.objects.values_list("external_id", flat=True)) == {"t1", "t3"}


def test_a_file_of_which_nothing_can_be_taken_is_read_to_its_end_only_if_somebody_says_so(
    bank, dana, monkeypatch
):
    """Four megabytes of Parquet can hold twenty million rows that are all refused and kept."""
    monkeypatch.setattr(ingest, "HOPELESS", 10)
    monkeypatch.setattr(reading, "BLOCK_ROWS", 5)
    hopeless = table(*(row(n, amount="much") for n in range(30))).encode()
    upload = received(bank, hopeless, Sample(b""))
    worked()
    upload.refresh_from_db()
    assert (upload.state, upload.read, upload.rejected) == ("CANCELLED", 10, 10)
    assert upload.error.removeprefix("NoneTaken: ").startswith("None of the first 10 rows")
    stopped = AuditEvent.objects.get(action="upload.cancelled")
    assert (stopped.actor, stopped.reason) == ("worker", upload.error)
    uploads.resume(by=dana, upload=upload)
    worked()
    upload.refresh_from_db()
    assert (upload.state, upload.read, upload.rejected, upload.error) == ("DONE", 30, 30, "")
    one = table(*(row(n, amount="much") for n in range(100, 130))).encode()
    mostly = received(bank, one.replace(b",much", b",5.00", 1), Sample(b""))
    worked()
    mostly.refresh_from_db()
    assert (mostly.state, mostly.accepted, mostly.rejected) == ("DONE", 1, 29), "one was good"


def test_a_bomb_is_refused_with_its_field_and_leaves_nothing(bank, monkeypatch, settings):
    monkeypatch.setattr(unpacking, "FREE", 100_000)
    bomb = gzip.compress((HEADER + "\n" + row(1) + "\n" * 5_000_000).encode())
    with pytest.raises(uploads.Refused, match="200 times its size") as refusal:
        received(bank, bomb, Sample(b""), "day.csv.gz")
    assert refusal.value.field == "file"
    assert not list(Path(settings.UPLOADS).iterdir())


def received(source, content, sample, name="untidy.csv"):
    return uploads.receive(
        by="command",
        source=source,
        name=name,
        file=io.BytesIO(content),
        options=dict(sample.options),
    )


def worked():
    Upload.objects.filter(state="READY").update(due_at=datetime.now(UTC) - timedelta(days=1))
    for upload in leases.claim(Upload, limit=10):
        do(work_named("upload"), upload)


def test_there_are_as_many_as_were_promised():
    assert len(SAMPLES) >= 60
