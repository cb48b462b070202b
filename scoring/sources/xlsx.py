"""Reads the first visible sheet of an Excel workbook, row by row; its position is a row number."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from scoring.sources.base import (
    Block,
    Broken,
    Examined,
    Position,
    Record,
    Unreadable,
    check_columns,
    printable,
)
from scoring.sources.content import SIGNATURES
from scoring.sources.workbook import Attributes, Sheet, Text, Texts, Workbook

LONGEST = 1024 * 1024  # characters of one row
MOST_CELLS = 16_384  # columns of a sheet
WHOLE = re.compile(r"-?[0-9]{1,18}")
UNCOMPUTED = "is a formula whose result is not in the file; open it in Excel and save it"
Cells = dict[int, object]  # by column, from 0; blank ones are not there


class _Fault(str):
    """What is wrong with a cell, in the place of its value."""


class Xlsx:
    """Texts, numbers, booleans, dates; of a formula its result. Macros are refused."""

    def examine(self, path: Path) -> Examined:
        with closing(_opened(path)) as book:
            sheet = _sheet(book)
            rows = (row for _, found in _Rows(book, sheet).read() for row in found)
            columns = _columns(next(rows, {}))
            if next(rows, None) is None:
                raise Unreadable(f"The sheet “{sheet.name}” has a header but no rows.")
            of = f", the first of {len(book.sheets)}" if len(book.sheets) > 1 else ""
            return Examined(columns, f"Excel, sheet “{sheet.name}”{of}")

    def blocks(self, path: Path, position: Position | None, rows: int) -> Iterator[Block]:
        with closing(_opened(path)) as book:
            yield from _blocks(_Rows(book, _sheet(book)), (position or {"row": 0})["row"], rows)


def _opened(path: Path) -> Workbook:
    with path.open("rb") as file:
        head = file.read(64)
    if not head.startswith(b"PK\x03\x04"):
        if head.startswith(b"\xd0\xcf\x11\xe0"):
            raise Unreadable(
                "The workbook is protected by a password or of an old kind (.xls); save it as "
                ".xlsx without a password."
            )
        what = next((what for first, what in SIGNATURES if head.startswith(first)), "")
        raise Unreadable(
            "The file is not an Excel workbook, though its name says so"
            + (f": it is {what}." if what else ".")
            if head
            else "The file is empty."
        )
    return Workbook(path)


def _sheet(book: Workbook) -> Sheet:
    found = next((sheet for sheet in book.sheets if not sheet.hidden), None)
    if found is None:
        raise Unreadable("The workbook has no sheet that can be seen.")
    return found


def _columns(header: Cells) -> list[str]:
    if not header:
        raise Unreadable("The sheet holds nothing but blanks.")
    columns = [str(header.get(at, "")).strip() for at in range(max(header) + 1)]
    check_columns(columns)
    return columns


def _blocks(reading: "_Rows", done: int, rows: int) -> Iterator[Block]:
    columns: list[str] = []
    pending: list[Record | Broken] = []
    skip = done
    for share, found in reading.read():
        for cells in found:
            if not columns:
                columns = _columns(cells)
            elif skip:
                skip -= 1
            else:
                pending.append(_record(columns, cells))
        while len(pending) > rows:  # the last block is told as the whole
            yield _block(pending[:rows], done, share)
            done, pending = done + rows, pending[rows:]
    if pending:
        yield _block(pending, done, 1.0)


def _block(records: list[Record | Broken], done: int, share: float) -> Block:
    return Block(records, done + 1, {"row": done + len(records)}, share)


def _record(columns: list[str], cells: Cells) -> Record | Broken:
    values = [cells.get(at, "") for at in range(len(columns))]
    further = max(cells) + 1
    reasons = {
        name: str(value)
        for name, value in zip(columns, values, strict=True)
        if isinstance(value, _Fault)
    }
    if further > len(columns):
        reasons["row"] = f"has a value in column {further}, where the header names {len(columns)}"
    if reasons:
        return Broken(printable(" | ".join(map(str, values))), reasons)
    return dict(zip(columns, values, strict=True))


class _Rows:
    """The rows of a sheet that are not blank, as its XML is read."""

    def __init__(self, book: Workbook, sheet: Sheet) -> None:
        self._book, self._sheet = book, sheet
        self._texts: Texts = book.texts()
        self._found: list[Cells] = []
        self._cells: Cells = {}
        self._at, self._length = -1, 0
        self._given: Attributes = {}
        self._inline, self._value, self._formula = Text(), "", False
        self._inside = False

    def read(self) -> Iterator[tuple[float, list[Cells]]]:
        """The share of the sheet that lies behind, and the rows that came since."""
        for share in self._book.events(self._sheet.part, self._start, self._end, self._more):
            found, self._found = self._found, []
            yield share, found

    def _start(self, tag: str, given: Attributes) -> None:
        if tag == "c":
            self._at = _column(given["r"]) if "r" in given else self._at + 1
            self._given, self._value, self._formula = given, "", False
        elif tag == "row":
            self._cells, self._at, self._length = {}, -1, 0
        elif tag == "v":
            self._inside = True
        elif tag == "f":
            self._formula = True
        else:
            self._inline.start(tag)

    def _more(self, text: str) -> None:
        if self._inside:
            self._value += text[: LONGEST - len(self._value)]
        else:
            self._inline.more(text)

    def _end(self, tag: str) -> None:
        if tag == "v":
            self._inside = False
        elif tag == "c":
            self._keep(self._cell())
        elif tag == "row" and self._cells:
            self._found.append(self._cells)
        else:
            self._inline.end(tag)

    def _keep(self, value: object) -> None:
        """A row that is too long keeps what it is blamed for, and nothing behind it."""
        self._length += len(value) if isinstance(value, str) else 0
        if self._length > LONGEST:
            self._cells[self._at] = _Fault("ends a row that is longer than 1 MB")
        elif value != "":
            self._cells[self._at] = value

    def _cell(self) -> object:
        kind, inline = self._given.get("t", "n"), self._inline.taken()
        if kind == "inlineStr":
            return inline
        if self._value == "":
            return _Fault(UNCOMPUTED) if self._formula and kind != "str" else ""
        if kind == "s":
            return self._shared()
        if kind == "b":
            return self._value.strip() in ("1", "true")
        if kind == "e":
            return _Fault(f"holds the error {printable(self._value, 20)}")
        if kind == "n":
            return self._number()
        return self._value  # a formula's text, or a date as ISO 8601 writes it

    def _shared(self) -> object:
        at = self._value.strip()
        if not at.isascii() or not at.isdigit() or int(at[:18]) >= len(self._texts):
            return _Fault("refers to a text that is not in the workbook")
        return self._texts[int(at)]

    def _number(self) -> object:
        """As a person saw it: Excel shows 15 digits and keeps 17, of which the last are noise."""
        text, style = self._value.strip(), self._given.get("s", "0")
        dated = style.isascii() and style.isdigit() and len(style) < 8
        if dated and int(style) < len(self._book.dated) and self._book.dated[int(style)]:
            return _moment(text, since_1904=self._book.since_1904)
        if WHOLE.fullmatch(text):
            return text
        try:
            return f"{float(text):.15g}"
        except ValueError:
            return text


def _column(reference: str) -> int:
    """AB12 is column 27, counted from 0."""
    number = 0
    for letter in reference:
        if not "A" <= letter <= "Z":
            break
        number = 26 * number + ord(letter) - 64
        if number > MOST_CELLS:
            raise Unreadable(f"The sheet has more than {MOST_CELLS:,} columns.")
    return max(number - 1, 0)


def _moment(text: str, *, since_1904: bool) -> object:
    """Days since 1900 or 1904 as a time without a zone, exact to a millisecond.

    Excel takes 1900 for a leap year; from March of it on, days count from 30 December 1899.
    """
    start = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)
    try:
        days = float(text)
        if not since_1904 and days < 61:
            return _Fault("is a time without a date, or a date before March 1900")
        moment = start + timedelta(milliseconds=round(days * 86_400_000))
    except (ValueError, OverflowError):
        return _Fault("is shown as a date, and is none")
    return moment.isoformat(sep=" ")
