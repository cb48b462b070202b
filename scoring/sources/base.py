"""What every source of files promises, whatever is inside them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scoring.engine.cards import holds_card

Record = Mapping[str, object]  # column name → value as it stood there
Position = dict[str, int]  # where to go on; JSON, and understood by its own source alone

MOST_COLUMNS = 500


class Unreadable(Exception):
    """The whole file cannot be read. Its text is a sentence for the person who sent it."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that could not be taken apart into columns, in the place where it stood."""

    text: str  # its beginning, printable, for the person who mends it
    reasons: dict[str, str]


@dataclass(frozen=True, slots=True)
class Block:
    """The next rows of a file, in its order."""

    records: list[Record | Broken]
    first_row: int  # number of the first of them; rows count from 1, a header does not count
    position: Position  # reading from here goes on after the last of them
    done_share: float  # how much of the file lies behind, 0..1


@dataclass(frozen=True, slots=True)
class Examined:
    """What a look at the beginning of a file says."""

    columns: list[str]
    note: str  # how it will be read, in words: "UTF-8, separated by semicolons"


class FileSource(Protocol):
    """Reads one kind of file in blocks, in memory that does not grow with the file.

    A source owns its position: `blocks` started at any position it ever gave out yields exactly
    the records that followed then, with the same row numbers, in another process too.
    """

    def examine(self, path: Path) -> Examined:
        """Look at the beginning only. Unreadable if the content is not what this kind reads."""

    def blocks(self, path: Path, position: Position | None, rows: int) -> Iterator[Block]:
        """Blocks of `rows` records, the last one shorter, from `position` or the beginning."""


def check_columns(columns: list[str]) -> None:
    """Refuse headers from which a row cannot be read without guessing."""
    if len(columns) > MOST_COLUMNS:
        raise Unreadable(
            f"The file names {len(columns):,} columns; at most {MOST_COLUMNS} can be read."
        )
    seen: dict[str, int] = {}
    for number, name in enumerate(columns, start=1):
        if not name:
            raise Unreadable(f"Column {number} has no name in the header; name every column.")
        if name in seen:
            raise Unreadable(
                f"The header names “{printable(name, 60)}” twice (columns {seen[name]} and "
                f"{number}); every column needs a name of its own."
            )
        if holds_card(name):  # a payment's line would be kept as names, and its card with them
            raise Unreadable(
                f"Column {number} is called like a card number: the first line must name the "
                "columns."
            )
        seen[name] = number


def printable(text: str, length: int = 300) -> str:
    """The beginning of a text with everything a page or database cannot hold made visible."""
    short = text[:length].encode("utf-8", "backslashreplace").decode()
    return "".join(
        char if char.isprintable() or char == " " else repr(char)[1:-1] for char in short
    )
