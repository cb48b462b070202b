"""What an Excel workbook says of itself: its sheets, its texts, and which numbers are dates.

Only what a table needs is understood. XML is read event by event; a document type, which is what
entities are declared in, is refused, and so is a tag that does not end.
"""

import re
import zipfile
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from xml.parsers import expat

from scoring.sources import archive, unpacking
from scoring.sources.base import Unreadable, printable

PIECE = 64 * 1024
LONGEST_TAG = 1024 * 1024  # bytes of one tag, comment or entity
MOST_PART = 16 * 1024 * 1024  # bytes of the small parts: sheets, styles, relations
MOST_TEXTS = 256 * 1024 * 1024  # bytes of all shared texts, which are kept in memory
LONGEST_TEXT = 32_767  # characters of a cell; Excel keeps no more
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # formats by number
NOT_LETTERS = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')  # of a format: texts, fillers, colours
Attributes = dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """A sheet of the workbook."""

    name: str
    part: str
    hidden: bool


class Texts:
    """The texts that cells share, in as many bytes as they need."""

    def __init__(self) -> None:
        self._bytes, self._ends = bytearray(), array("Q", [0])

    def add(self, text: str) -> None:
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))
        if len(self._bytes) + 8 * len(self._ends) > MOST_TEXTS:
            raise Unreadable("The workbook holds too much text; save the sheet as CSV.")

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, at: int) -> str:
        found = self._bytes[self._ends[at] : self._ends[at + 1]]
        return found.decode("utf-8", "surrogatepass")


class Workbook:
    """An open workbook. Unreadable if it is none, or one that must not be read."""

    def __init__(self, path: Path) -> None:
        self._archive = archive.listed(path)
        try:
            self._names = set(self._archive.namelist())
            if "xl/workbook.xml" not in self._names:
                raise Unreadable("The file is not an Excel workbook, though its name says so.")
            if any(name.endswith("vbaProject.bin") for name in self._names):
                raise Unreadable("The workbook holds macros; save it without them, as .xlsx.")
            self.sheets, self.since_1904 = self._contents()
            self.dated = self._dated()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._archive.close()

    def texts(self) -> Texts:
        """All shared texts; those of how a word is spoken are no part of it."""
        found, kept = Texts(), Text()
        if "xl/sharedStrings.xml" not in self._names:
            return found

        def start(tag: str, _: Attributes) -> None:
            kept.start(tag)

        def end(tag: str) -> None:
            if tag == "si":
                found.add(kept.taken())
            kept.end(tag)

        for _ in self.events("xl/sharedStrings.xml", start, end, kept.more):
            pass
        return found

    def events(
        self,
        part: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
        most: int = unpacking.MOST_UNPACKED,
    ) -> Iterator[float]:
        """Read a part; after each piece its share that lies behind."""
        parser = _parser(start, end, text)
        done = 0
        try:
            member = self._archive.getinfo(part)
            unpacking.check_size(member.file_size, member.compress_size)
            if member.file_size > most:
                raise Unreadable("The workbook is larger in its small parts than any workbook.")
            with archive.opened(self._archive, member) as file:
                while piece := file.read(PIECE):
                    parser.Parse(piece, False)
                    done += len(piece)
                    if done - parser.CurrentByteIndex > LONGEST_TAG:
                        raise Unreadable("The workbook holds a tag that does not end.")
                    yield done / max(member.file_size, 1)
                parser.Parse(b"", True)
        except (expat.ExpatError, KeyError, *unpacking.FAULTS, zipfile.BadZipFile) as fault:
            raise Unreadable(f"The workbook is damaged: {part}: {str(fault)[:200]}") from fault

    def _small(self, part: str, start: Callable[[str, Attributes], None]) -> None:
        for _ in self.events(part, start, most=MOST_PART):
            pass

    def _contents(self) -> tuple[list[Sheet], bool]:
        """The sheets in their order, and whether days are counted from 1904."""
        targets: dict[str, str] = {}
        sheets: list[Sheet] = []
        old: list[bool] = []

        def relation(tag: str, given: Attributes) -> None:
            if tag == "Relationship" and given.get("TargetMode") != "External":
                targets[given.get("Id", "")] = _place(given.get("Target", ""))

        def sheet(tag: str, given: Attributes) -> None:
            if tag == "sheet" and (part := targets.get(given.get("id", ""), "")) in self._names:
                hidden = given.get("state", "visible") != "visible"
                sheets.append(Sheet(printable(given.get("name", ""), 60), part, hidden))
            elif tag == "workbookPr":
                old.append(given.get("date1904", "0") in ("1", "true"))

        self._small("xl/_rels/workbook.xml.rels", relation)
        self._small("xl/workbook.xml", sheet)
        return sheets, any(old)

    def _dated(self) -> list[bool]:
        """For each style of a cell, whether its number is shown as a date or a time."""
        formats: dict[str, str] = {}
        found: list[bool] = []
        within: list[bool] = [False]

        def start(tag: str, given: Attributes) -> None:
            if tag == "numFmt":
                formats[given.get("numFmtId", "")] = given.get("formatCode", "")
            elif tag in ("cellXfs", "cellStyles"):
                within[0] = tag == "cellXfs"
            elif tag == "xf" and within[0]:
                number = given.get("numFmtId", "0")
                code = NOT_LETTERS.sub("", formats.get(number, "")).lower()
                standard = number.isdigit() and int(number) in DATES
                found.append(standard or any(letter in code for letter in "ymdhs"))

        if "xl/styles.xml" in self._names:
            self._small("xl/styles.xml", start)
        return found


class Text:
    """The characters between tags `t`, but not those within `rPh`."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._inside = self._spoken = False

    def start(self, tag: str) -> None:
        self._inside = self._inside or tag == "t"
        self._spoken = self._spoken or tag == "rPh"

    def end(self, tag: str) -> None:
        self._inside = self._inside and tag != "t"
        self._spoken = self._spoken and tag != "rPh"

    def more(self, text: str) -> None:
        if self._inside and not self._spoken:
            self._length += len(text)
            if self._length > LONGEST_TEXT:
                raise Unreadable(f"A cell holds more than {LONGEST_TEXT:,} characters.")
            self._parts.append(text)

    def taken(self) -> str:
        text, self._parts, self._length = "".join(self._parts), [], 0
        return unescaped(text)


def unescaped(text: str) -> str:
    """Characters that XML cannot hold stand as `_x000D_`."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _parser(start: Any, end: Any, text: Any) -> Any:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def begun(tag: str, given: Attributes) -> None:
        bare = {name.rpartition(" ")[2]: value for name, value in given.items()}
        start(tag.rpartition(" ")[2], bare)

    parser.StartElementHandler = begun
    if end is not None:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(" ")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refused
    return parser


def _refused(*_: object) -> None:
    raise Unreadable("The workbook declares a document type, which no workbook does.")


def _place(target: str) -> str:
    """The part that a relation of the workbook speaks of; it is only looked up in the archive."""
    if target.startswith("/"):
        return target[1:]
    parts: list[str] = ["xl"]
    for part in PurePosixPath(target).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)
