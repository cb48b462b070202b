"""Recognises what a file really is by its first bytes, whatever its name says."""

from scoring.sources.base import Unreadable

# First bytes → what it is, and what to do about it.
SIGNATURES: list[tuple[bytes, str]] = [
    (b"PAR1", "a Parquet file; let its name end in .parquet, and do not pack it again"),
    (b"PK\x03\x04", "a zip archive within another; pack it once"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office file; save the sheet as CSV"),
    (b"\x1f\x8b", "compressed twice, within with gzip; pack it once"),
    (b"BZh", "compressed twice, within with bzip2; pack it once"),
    (b"\xfd7zXZ", "compressed twice, within with xz; pack it once"),
    (b"\x28\xb5\x2f\xfd", "compressed twice, within with zstd; pack it once"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"\x7fELF", "a program, not data"),
    (b"MZ", "a program, not data"),
    (b"#!", "a script, not data"),
    (b"%PDF", "a PDF document; export the table as CSV"),
    (b"SQLite format 3", "an SQLite database; export the table as CSV"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"ARROW1", "an Arrow IPC file; write it as Parquet"),
    (b"Obj\x01", "an Avro file; write it as Parquet"),
    (b"ORC", "an ORC file; write it as Parquet"),
    (b"\xff\xfe\x00\x00", "text in UTF-32; save it as UTF-8"),
    (b"\x00\x00\xfe\xff", "text in UTF-32; save it as UTF-8"),
]
MARKUP: list[tuple[bytes, str]] = [
    (b"<!doctype", "a web page; often a log-in page saved in place of the file"),
    (b"<html", "a web page; often a log-in page saved in place of the file"),
    (b"<svg", "an image"),
    (b"<?xml", "an XML document; export the table as CSV"),
    (b"{", "JSON; send it to the scoring API, or export the table as CSV"),
    (b"[", "JSON; send it to the scoring API, or export the table as CSV"),
]


def refuse_other_than_text(head: bytes) -> None:
    """Raise Unreadable, saying what the file is, unless it may be a table in plain text."""
    if not head:
        raise Unreadable("The file is empty.")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not text.strip(b"\x00"):
        raise Unreadable("The file holds nothing but blanks.")
    for first, what in SIGNATURES:
        # A header may begin like a word of two letters, but a program's next bytes are not text.
        if head.startswith(first) and not (first in (b"MZ", b"ORC", b"BZh") and _is_text(head)):
            raise Unreadable(f"The file is not a CSV: it is {what}.")
    if head[257:262] == b"ustar":
        raise Unreadable("The file is not a CSV: it is a tar archive; pack the table alone.")
    for first, what in MARKUP:
        if text.startswith(first):
            raise Unreadable(f"The file is not a CSV: it is {what}.")


def _is_text(head: bytes) -> bool:
    return not any(byte < 9 for byte in head[:1024])
