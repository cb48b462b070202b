"""Excel workbooks: what a person saw in the sheet is what is read."""

from datetime import date, datetime, time

import pytest
import xlsxwriter

from scoring.sources import file_source
from scoring.sources.base import Broken, Unreadable
from tests.ingest.test_bombs import SHEET, book_of, changed

XLSX = file_source("xlsx")


def read(path):
    return [record for block in XLSX.blocks(path, None, 100) for record in block.records]


def sheet_of(path, fill, **how):
    book = xlsxwriter.Workbook(path, how)
    fill(book)
    book.close()
    return path


def one(path, write, **how):
    """The value of a cell that `write` wrote."""

    def fill(book):
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "value"])
        sheet.write(1, 0, "t1")
        write(book, sheet)

    (found,) = read(sheet_of(path, fill, **how))
    return found.reasons["value"] if isinstance(found, Broken) else found["value"]


@pytest.mark.parametrize(
    "given, format_, expected",
    [
        (19.99, None, "19.99"),
        (1.1, None, "1.1"),
        (0.1 + 0.2, None, "0.3"),
        (1234567, None, "1234567"),
        (-5, None, "-5"),
        (0, "#,##0.00", "0"),
        (12.5, '0.00" days"', "12.5"),  # letters within quotes make no date
        (12.5, "[Red]0.00", "12.5"),
        (True, None, True),
        (False, None, False),
        ("007", None, "007"),
        ("=SUM", "@", "=SUM"),
        ("_x000D_", None, "_x000D_"),
        ("a\r\nb", None, "a\r\nb"),
        (datetime(2026, 3, 1, 13, 45, 12), "yyyy-mm-dd hh:mm:ss", "2026-03-01 13:45:12"),
        (datetime(2026, 3, 1, 13, 45, 12, 345000), "d.m.yy h:mm", "2026-03-01 13:45:12.345000"),
        (date(2024, 2, 29), "dd/mm/yyyy", "2024-02-29 00:00:00"),
        (time(13, 45), "hh:mm", "is a time without a date, or a date before March 1900"),
    ],
)
@pytest.mark.parametrize("since_1904", [False, True])
def test_values_are_what_a_person_saw(given, format_, expected, since_1904, tmp_path):
    if isinstance(given, time) and since_1904:
        pytest.skip("since 1904 the first day is a day")

    def write(book, sheet):
        style = book.add_format({"num_format": format_}) if format_ else None
        if isinstance(given, str):
            sheet.write_string(1, 1, given, style)
        elif isinstance(given, (date, datetime, time)):
            sheet.write_datetime(1, 1, given, style)
        else:
            sheet.write(1, 1, given, style)

    assert one(tmp_path / "a.xlsx", write, date_1904=since_1904) == expected


@pytest.mark.parametrize(
    "formula, value, expected",
    [
        ("=1+2", 3, "3"),
        ('="a"&"b"', "ab", "ab"),
        ("=1/0", "#DIV/0!", "holds the error #DIV/0!"),
        ("=A1", None, "0"),
    ],
)
def test_of_a_formula_its_result_is_read(formula, value, expected, tmp_path):
    found = one(
        tmp_path / "a.xlsx", lambda _, sheet: sheet.write_formula(1, 1, formula, None, value or 0)
    )
    assert found == expected


def test_a_formula_nobody_computed_is_a_reject_that_says_so(tmp_path):
    path = book_of(tmp_path / "a.xlsx", [["id", "value"], ["t1", 7]])
    changed(path, SHEET, lambda old: old.replace(b"<v>7</v>", b"<f>1+6</f>"))
    (found,) = read(path)
    assert "open it in Excel and save it" in found.reasons["value"]


def test_words_in_many_colours_are_one_text(tmp_path):
    def write(book, sheet):
        bold = book.add_format({"bold": True})
        sheet.write_rich_string(1, 1, "Café ", bold, "Ünïcode", " ₹")

    assert one(tmp_path / "a.xlsx", write) == "Café Ünïcode ₹"


def test_blank_rows_are_passed_over_and_short_ones_filled(tmp_path):
    rows = [[], ["id", "a", "b"], [], ["t1", None, "x"], ["t2"], [], ["t3", 1, 2]]
    assert read(book_of(tmp_path / "a.xlsx", rows)) == [
        {"id": "t1", "a": "", "b": "x"},
        {"id": "t2", "a": "", "b": ""},
        {"id": "t3", "a": "1", "b": "2"},
    ]


def test_a_value_without_a_column_costs_its_row_only(tmp_path):
    rows = [["id", "a"], ["t1", 1, "more"], ["t2", 2]]
    bad, good = read(book_of(tmp_path / "a.xlsx", rows))
    assert bad.reasons == {"row": "has a value in column 3, where the header names 2"}
    assert good == {"id": "t2", "a": "2"}


def test_the_first_sheet_that_can_be_seen_is_read_and_named(tmp_path):
    def fill(book):
        hidden, shown = book.add_worksheet("Notes"), book.add_worksheet("May & June")
        book.add_worksheet("Later")
        hidden.write(0, 0, "nothing")
        shown.write_column(0, 0, ["id", "t1"])
        shown.activate()
        shown.set_first_sheet()
        hidden.hide()

    path = sheet_of(tmp_path / "a.xlsx", fill)
    assert XLSX.examine(path).note == "Excel, sheet “May & June”, the first of 3"
    assert read(path) == [{"id": "t1"}]


def test_rows_and_cells_without_references_are_counted(tmp_path):
    path = book_of(tmp_path / "a.xlsx", [["id", "a"], ["t1", 7]])
    import re

    changed(path, SHEET, lambda old: re.sub(rb' r="[A-Z]*[0-9]+"', b"", old))
    assert read(path) == [{"id": "t1", "a": "7"}]


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "protected by a password or of an old"),
        (b"id,amount\n1,2\n", "not an Excel workbook"),
        (b"PK\x03\x04" + b"\0" * 100, "zip archive is damaged"),
    ],
)
def test_what_is_no_workbook_is_refused(content, sentence, tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=sentence):
        XLSX.examine(path)
