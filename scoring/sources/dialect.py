"""Guesses how delimited text is written from its beginning, and says what it guessed."""

import codecs
import re
from dataclasses import dataclass

HEAD = 1024 * 1024  # bytes looked at
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
BOMS = [
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written."""

    codec: str
    bom: int  # bytes of the mark at its beginning
    delimiter: str
    wide: bool  # line ends cannot be found as the byte 10
    note: str


def guess(head: bytes) -> Dialect:
    """The dialect of a file that begins so. Deterministic: resuming guesses the same again."""
    codec, bom, name = _codec(head)
    text = head[bom:].decode(codec, "replace")
    first_break = re.search(r"\r\n|\n|\r", text)
    delimiter = _delimiter(text)
    return Dialect(
        codec=codec,
        bom=bom,
        delimiter=delimiter,
        wide=(first_break is not None and first_break[0] == "\r") or codec.startswith("utf-16"),
        note=f"{name}, separated by {DELIMITERS[delimiter]}",
    )


def _codec(head: bytes) -> tuple[str, int, str]:
    for mark, codec, name in BOMS:
        if head.startswith(mark):
            return codec, len(mark), name
    if unmarked := _utf16_without_mark(head):
        return unmarked, 0, "UTF-16"
    return ("utf-8", 0, "UTF-8") if _mostly_utf8(head) else ("cp1252", 0, "Windows-1252")


def _mostly_utf8(head: bytes) -> bool:
    """A few damaged rows do not make UTF-8 something else; they are rejected one by one."""
    # An incremental decoder forgives the character cut in two at the end of the head.
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(head)
    if text.isascii():
        return True
    damaged = len(re.findall("[\udc80-\udcff]", text))
    return damaged < len(re.findall("[^\x00-\x7f\udc80-\udcff]", text)) or not damaged


def _utf16_without_mark(head: bytes) -> str | None:
    """Latin text in UTF-16 has a zero in nearly every second byte of its header."""
    sample = head[:200]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) * 5 < len(sample) * 2:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _delimiter(text: str) -> str:
    """The candidate that occurs most in the header line outside quotes; a comma if none does."""
    line = next((line for line in re.split(r"[\r\n]+", text[:65536]) if line.strip()), "")
    bare = "".join(line.split('"')[0::2])
    return max(DELIMITERS, key=bare.count)
