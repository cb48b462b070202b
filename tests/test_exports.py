"""Tables as files: no formula, numbers as numbers, people masked, and a line on the trail."""

import csv
import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest

from anomalyshield import exports
from anomalyshield.audit.models import AuditEvent
from anomalyshield.cells import restored
from anomalyshield.exports import Column, Table

EVIL = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\0=1",
    "'=1",
    "＝1",
]
COLUMNS = [
    Column("Customer", personal=True),
    Column("Words"),
    Column("Loss", "money"),
    Column("Share", "share"),
    Column("At", "moment"),
    Column("Day", "day"),
]
ROW = [
    "user_4211",
    "=1+1",
    Decimal("-12.50"),
    0.25,
    datetime(2026, 11, 21, 12, tzinfo=UTC),
    date(2026, 11, 21),
]


def table(*rows: list[object]) -> Table:
    return Table("Money: by day", COLUMNS, list(rows), {"days": 30})


def cells(answer) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode()
    return list(csv.reader(StringIO(text, newline="")))


def sheet(answer) -> str:
    with ZipFile(BytesIO(b"".join(answer.streaming_content))) as book:
        return book.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize("text", EVIL)
def test_no_cell_of_a_csv_is_a_formula_and_each_can_be_taken_back(text):
    lines = list(exports.as_csv(Table("t", [Column("Words")], [[text]]), hidden=False))
    cell = next(csv.reader(StringIO("".join(lines[1:]), newline="")))[0]
    assert cell.startswith("'")
    assert restored(cell) == text


@pytest.mark.django_db
def test_an_analyst_downloads_values_and_the_trail_tells_of_it(ana):
    answer = exports.answer(by=ana, table=table(ROW), kind="csv")
    assert answer["Content-Disposition"] == 'attachment; filename="money-by-day.csv"'
    assert cells(answer)[1] == [
        "user_4211", "'=1+1", "-12.50", "0.25", "2026-11-21T12:00:00+00:00", "2026-11-21",
    ]  # fmt: skip
    event = AuditEvent.objects.get(action="data.exported")
    assert event.actor == "ana"
    assert event.after == {
        "table": "Money: by day", "rows": 1, "format": "csv", "masked": False,
        "filters": {"days": 30},
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("kind", exports.KINDS)
def test_who_works_no_alerts_reads_the_ends_of_names(dana, kind):
    answer = exports.answer(by=dana, table=table(ROW), kind=kind)
    text = str(cells(answer)) if kind == "csv" else sheet(answer)
    assert "us…11" in text
    assert "user_4211" not in text


@pytest.mark.django_db
def test_a_workbook_keeps_numbers_as_numbers_and_text_as_text(ana):
    xml = sheet(exports.answer(by=ana, table=table(ROW), kind="xlsx"))
    assert "<f>" not in xml, "no formula"
    assert re.search(r'<c r="C2" s="\d+"><v>-12.5</v></c>', xml)
    assert re.search(r'<c r="B2" s="\d+" t="inlineStr"><is><t>&apos;=1\+1|\'=1\+1', xml)


@pytest.mark.django_db
def test_what_is_not_known_is_an_empty_cell(ana):
    row = [None, None, math.nan, None, None, None]
    assert cells(exports.answer(by=ana, table=table(row), kind="csv"))[1] == [""] * 6
    assert "NAN" not in sheet(exports.answer(by=ana, table=table(row), kind="xlsx")).upper()


@pytest.mark.django_db
@pytest.mark.parametrize("kind, size", [("pdf", 1), ("csv", exports.MOST + 1)])
def test_another_kind_or_too_many_rows_are_refused_in_words_and_leave_no_trace(ana, kind, size):
    asked = Table("Money", COLUMNS, iter([]), count=size)
    with pytest.raises(exports.Refused, match=r"csv or xlsx|more than the 100,000"):
        exports.answer(by=ana, table=asked, kind=kind)
    assert not AuditEvent.objects.filter(action="data.exported").exists()
