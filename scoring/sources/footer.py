"""What a Parquet file declares of itself, read before any of it is unpacked.

The library that reads Parquet believes a file: it takes a footer of any length, follows nested
types as deep as they go, and makes room for a page as large as the page says it is. So the footer's
length, its schema and the heads of the pages are looked at first. They are written in Thrift's
compact protocol (https://parquet.apache.org/docs/file-format/, parquet.thrift), of which only as
much is understood as is needed to pass over a field.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from scoring.sources.base import MOST_COLUMNS, Unreadable

MOST_FOOTER = 64 * 1024 * 1024  # bytes; a hundred columns in ten thousand groups need less
MOST_NESTED = 8  # levels of types within types; the library names what is wrong with fewer
MOST_ELEMENTS = 8 * MOST_COLUMNS
MOST_PAGE = 256 * 1024 * 1024  # unpacked bytes; writers aim at one megabyte
MOST_GROUPS = 100_000
HEAD = 16 * 1024  # bytes a page's head may take; it holds the least and the greatest value
TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)


class Faulty(Exception):
    """This is not Thrift, or it goes on behind the end."""


class Compact:
    """Reads one structure of Thrift's compact protocol."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """Number and type of each field; whoever takes them reads or passes over its value."""
        number = 0
        while head := self.byte():
            number = number + (head >> 4) if head >> 4 else self.signed()
            yield number, head & 15

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise Faulty
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        found = shift = 0
        while True:
            byte = self.byte()
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found
            if shift > 63:
                raise Faulty

    def signed(self) -> int:
        found = self.varint()
        return (found >> 1) ^ -(found & 1)

    def items(self) -> tuple[int, int]:
        """How many a list has, and of which type."""
        head = self.byte()
        return (self.varint() if head >> 4 == 15 else head >> 4), head & 15

    def skip(self, kind: int, depth: int = 0) -> None:
        if depth > MOST_NESTED:
            raise Faulty
        if kind in (I16, I32, I64):
            self.varint()
        elif kind == BYTE:
            self.byte()
        elif kind == DOUBLE:
            self.at += 8
        elif kind == BINARY:
            length = self.varint()
            self.at += length
        elif kind in (LIST, SET):
            self._skip_items(depth)
        elif kind == STRUCT:
            for _, one in self.fields():
                self.skip(one, depth + 1)
        elif kind not in (TRUE, FALSE):
            raise Faulty

    def _skip_items(self, depth: int) -> None:
        count, kind = self.items()
        for _ in range(count):
            self.skip(BYTE if kind in (TRUE, FALSE) else kind, depth + 1)


def check_footer(path: Path) -> None:
    """Refuse a footer that is too long, and a schema that is too wide or too deep."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - 8, 0))
        tail = file.read(8)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != b"PAR1" or length + 12 > size:
            raise Unreadable("The Parquet file is damaged: it is cut off, its end is missing.")
        if length > MOST_FOOTER:
            raise Unreadable(
                f"The Parquet file is described in {length / 1024**2:,.0f} MB; at most "
                f"{MOST_FOOTER // 1024**2} are read."
            )
        file.seek(size - 8 - length)
        footer = file.read(length)
    try:
        _check_schema(_children(Compact(footer)))
    except Faulty:
        raise Unreadable("The Parquet file is damaged: its description is no such thing.") from None


def _children(footer: Compact) -> list[int]:
    """How many children each element of the schema has, in the order of the file."""
    for number, kind in footer.fields():
        if number != 2 or kind != LIST:
            footer.skip(kind)
            continue
        count, _ = footer.items()
        if count > MOST_ELEMENTS:
            raise Unreadable(
                f"The file names {count - 1:,} columns; at most {MOST_COLUMNS} can be read."
            )
        return [_children_of(footer) for _ in range(count)]
    raise Faulty


def _children_of(element: Compact) -> int:
    found = 0
    for number, kind in element.fields():
        if number == 5 and kind == I32:
            found = element.signed()
        else:
            element.skip(kind)
    if found < 0:
        raise Faulty
    return found


def _check_schema(children: list[int]) -> None:
    open_: list[int] = []  # how many children are still to come, on each level
    for count in children:
        while open_ and open_[-1] == 0:
            open_.pop()
        if open_:
            open_[-1] -= 1
        if count:
            open_.append(count)
        if len(open_) > MOST_NESTED:
            raise Unreadable(
                "The file holds columns within columns; only plain columns of text, numbers, "
                "booleans, dates and times can be read."
            )


def check_groups(metadata: Any) -> None:
    """Refuse groups of rows that do not make up the file."""
    if metadata.num_row_groups > MOST_GROUPS:
        raise Unreadable(
            f"The file is cut into {metadata.num_row_groups:,} groups of rows; at most "
            f"{MOST_GROUPS:,} are read."
        )
    rows = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
    if any(one < 0 for one in rows) or sum(rows) != metadata.num_rows:
        raise Unreadable(
            f"The Parquet file is damaged: it says it has {metadata.num_rows:,} rows, and its "
            f"groups have {sum(rows):,}."
        )


@dataclass(frozen=True)
class Page:
    """The head of a page."""

    head: int  # bytes of itself
    packed: int
    unpacked: int


def check_pages(path: Path, group: Any) -> None:
    """Refuse a group of rows of which one page would take more memory than any needs."""
    with path.open("rb") as file:
        for place in range(group.num_columns):
            chunk = group.column(place)
            starts = (chunk.dictionary_page_offset, chunk.data_page_offset)
            start = min((at for at in starts if at and at > 0), default=4)
            for page in _pages(file, start, start + chunk.total_compressed_size):
                if page.unpacked > MOST_PAGE:
                    raise Unreadable(
                        f"A page of column “{chunk.path_in_schema}” unpacks to "
                        f"{page.unpacked / 1024**2:,.0f} MB; at most {MOST_PAGE // 1024**2} are "
                        "taken at once. Write the file in smaller pages."
                    )


def _pages(file: BinaryIO, at: int, end: int) -> Iterator[Page]:
    while at < end:
        file.seek(at)
        try:
            page = _page(Compact(file.read(HEAD)))
        except Faulty:
            return  # the library says what is wrong with it
        yield page
        at += page.head + page.packed


def _page(head: Compact) -> Page:
    sizes = {2: 0, 3: 0}
    for number, kind in head.fields():
        if number in sizes and kind == I32:
            sizes[number] = head.signed()
        else:
            head.skip(kind)
    if min(sizes.values()) < 0 or head.at > len(head.data):
        raise Faulty
    return Page(head.at, sizes[3], sizes[2])
