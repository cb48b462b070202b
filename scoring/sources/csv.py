"""Reads delimited text in blocks; its position is the byte after the last whole record."""

import csv
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from scoring.sources import packed
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
from scoring.sources.content import refuse_other_than_text
from scoring.sources.dialect import HEAD, Dialect, guess

LONGEST = 1024 * 1024  # bytes of one record; an unclosed quote must not swallow a gigabyte
LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r(?=.))", re.DOTALL)  # a CR at the end may become a CRLF
REASONS = {
    "unexpected end of data": "a quote is opened here and never closed",
    "field larger": "a quote opened here is not closed for 128 KB, or the value is that long",
    "expected after": "a closing quote is followed by text; a quote inside a value must be doubled",
    "new-line": "a carriage return stands in the middle of the row",
}


class Csv:
    """Comma, semicolon, tab or bar; UTF-8, UTF-16 or cp1252; lines ended by LF, CRLF or CR."""

    def examine(self, path: Path) -> Examined:
        with packed.opened(path) as file:
            dialect, columns, first = _begin(file)
            packed.look_ahead(file)
            file.seek(first)
            if not file.read(HEAD).strip(b"\x00\r\n\x1a "):
                raise Unreadable("The file has a header but no rows.")
        packing = packed.packing_of(path)
        return Examined(
            columns, dialect.note + (f", packed with {packing.name}" if packing else "")
        )

    def blocks(self, path: Path, position: Position | None, rows: int) -> Iterator[Block]:
        with packed.opened(path) as file:
            dialect, columns, first = _begin(file)
            at = position or {"byte": first, "row": 0}
            yield from _Reading(file, dialect, columns).blocks(at, rows)


def _begin(file: BinaryIO) -> tuple[Dialect, list[str], int]:
    """How the file is written, its column names, and the byte after its header."""
    head = file.read(HEAD)
    refuse_other_than_text(head)
    dialect = guess(head)
    lines = _Lines(file, dialect, dialect.bom)
    try:
        header = next(filter(None, csv.reader(lines, delimiter=dialect.delimiter, strict=True)))
    except _TooLong:
        raise Unreadable(
            "The header cannot be read: the first line is longer than 1 MB, or a quote in it is "
            "never closed."
        ) from None
    except csv.Error:
        raise Unreadable("The header cannot be read: a quote in it is never closed.") from None
    except StopIteration:
        raise Unreadable("The file holds nothing but blanks.") from None
    columns = [name.strip() for name in header]
    check_columns(columns)
    return dialect, columns, lines.end


class _TooLong(Exception):
    """A record goes on for more than LONGEST bytes."""


class _Lines:
    """Hands csv.reader one line at a time and knows the byte at which the next one starts.

    csv.reader takes no line before it needs it, so after each record `end` is exactly the end of
    that record, quoted line breaks included.
    """

    def __init__(self, file: BinaryIO, dialect: Dialect, start: int) -> None:
        file.seek(start)
        self._codec = dialect.codec
        self._pieces = (_wide_pieces if dialect.wide else _pieces)(file, dialect.codec)
        self.start = self.end = start  # of the record being read
        self.damage = ""

    def __iter__(self) -> Iterator[str]:
        codec = self._codec
        for raw in self._pieces:
            self.end += len(raw)
            if self.end - self.start > LONGEST:
                raise _TooLong
            try:
                line = raw.decode(codec)
            except UnicodeDecodeError:
                self.damage = f"is not {codec.upper()} text"
                line = raw.decode(codec, "replace")
            if "\0" in line:
                self.damage = "holds a NUL character"
            yield line

    def skip(self) -> str:
        """Pass over one line, however long, and return its beginning."""
        first = b""
        for raw in self._pieces:
            first = first or raw[:1024]
            self.end += len(raw)
            if raw.decode(self._codec, "replace").endswith(("\n", "\r")):
                break
        self.start = self.end
        return first.decode(self._codec, "replace")


def _pieces(file: BinaryIO, codec: str) -> Iterator[bytes]:
    """Lines ended by LF; a longer one than a record may be comes in several pieces."""
    return iter(partial(file.readline, LONGEST + 1), b"")


def _wide_pieces(file: BinaryIO, codec: str) -> Iterator[bytes]:
    """The same where line ends cannot be found in bytes: UTF-16, and CR alone.

    (In UTF-16, U+0A41 followed by U+0042 also holds the bytes of a line feed.)
    """
    errors = "surrogatepass" if codec.startswith("utf-16") else "surrogateescape"
    decoder = getincrementaldecoder(codec)(errors)
    text = ""
    while more := file.read(1 << 16):
        text += decoder.decode(more)
        done = 0
        for line in LINE.finditer(text):
            yield line[0].encode(codec, errors)
            done = line.end()
        text = text[done:]
        if len(text) > LONGEST:
            yield text.encode(codec, errors)
            text = ""
    if text:
        yield text.encode(codec, errors)


class _Reading:
    """One pass over a file, from a position on."""

    def __init__(self, file: BinaryIO, dialect: Dialect, columns: list[str]) -> None:
        self._file = file
        self._dialect = dialect
        self._columns = columns
        self._share = packed.share_of(file)

    def blocks(self, position: Position, rows: int) -> Iterator[Block]:
        done = position["row"]
        records: list[Record | Broken] = []
        lines = _Lines(self._file, self._dialect, position["byte"])
        for record in self._records(lines):
            records.append(record)
            if len(records) == rows:
                yield self._block(records, done, self._end)
                done += rows
                records = []
        if records:
            yield self._block(records, done, self._end)

    def _block(self, records: list[Record | Broken], done: int, end: int) -> Block:
        position = {"byte": end, "row": done + len(records)}
        return Block(records, done + 1, position, self._share(end))

    def _records(self, lines: _Lines) -> Iterator[Record | Broken]:
        """Every record; an unreadable row costs itself only: the next line starts afresh."""
        columns, width = self._columns, len(self._columns)
        while True:
            try:
                for values in self._reader(lines):
                    self._end = lines.start = lines.end
                    if lines.damage:
                        yield _broken(values, {"row": lines.damage})
                        lines.damage = ""
                    elif len(values) == width:
                        yield dict(zip(columns, values, strict=True))
                    elif values and values != ["\x1a"]:  # blank line; DOS end of file
                        yield _broken(values, {"row": _ragged(len(values), width)})
                return
            except (csv.Error, _TooLong) as error:
                lines = _Lines(self._file, self._dialect, lines.start)
                broken = Broken(printable(lines.skip()), {"row": _sentence(error)})
                self._end = lines.end
                yield broken

    def _reader(self, lines: _Lines) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._dialect.delimiter, strict=True)


def _broken(values: list[str], reasons: dict[str, str]) -> Broken:
    return Broken(printable(" | ".join(values)), reasons)


def _ragged(found: int, wanted: int) -> str:
    return f"has {found} value{'s'[: found != 1]} where the header names {wanted} columns"


def _sentence(error: Exception) -> str:
    if isinstance(error, _TooLong):
        return "is longer than 1 MB, or a quote is opened here and never closed"
    return next((text for part, text in REASONS.items() if part in str(error)), str(error))
