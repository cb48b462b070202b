"""Zip archives from strangers: looked at before their list of members is believed."""

import struct
import zipfile
from pathlib import Path
from typing import IO, Any

from scoring.sources.base import Unreadable, printable

MOST_MEMBERS = 1_000
MOST_LISTED = 1024 * 1024  # bytes of the list of members, which is read as a whole
UNUSED = ("__MACOSX/", ".DS_Store", "Thumbs.db")  # what systems put beside a person's files
READ = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others are not unpacked piece by piece
END, END64, LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"


def listed(path: Path) -> zipfile.ZipFile:
    """The archive with its members. Unreadable if it is damaged or lists more than anybody has."""
    try:
        with path.open("rb") as file:
            _check_list(file, path.stat().st_size)
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, struct.error, OSError, ValueError, NotImplementedError) as fault:
        raise Unreadable(f"The zip archive is damaged: {str(fault)[:200]}.") from fault


def _check_list(file: Any, size: int) -> None:
    """What the end of the archive says of its list; with large archives there are two ends."""
    start = max(size - 65_557, 0)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(END)
    if at < 0:
        raise zipfile.BadZipFile("its list of members is missing")
    counts = [struct.unpack_from("<HI", tail, at + 10)]
    if at >= 20 and tail[at - 20 : at - 16] == LOCATOR:
        file.seek(struct.unpack_from("<Q", tail, at - 12)[0])
        record = file.read(56)
        if record.startswith(END64):
            counts = [struct.unpack_from("<QQ", record, 32)]
    for members, listing in counts:
        if members > MOST_MEMBERS or listing > MOST_LISTED:
            raise Unreadable(f"The zip archive lists more than {MOST_MEMBERS:,} files.")


def single(path: Path) -> tuple[zipfile.ZipFile, zipfile.ZipInfo]:
    """The archive and its only file; Unreadable if there are several, or it is a workbook."""
    found = listed(path)
    try:
        members = [one for one in found.infolist() if not _beside(one)]
        if any(one.filename == "[Content_Types].xml" for one in members):
            raise Unreadable("The file is an Excel workbook; let its name end in .xlsx.")
        if len(members) != 1:
            raise Unreadable(
                "The zip archive is empty."
                if not members
                else f"The zip archive holds {len(members)} files "
                f"({', '.join(printable(one.filename, 40) for one in members[:3])} …); "
                "send each by itself."
            )
        return found, members[0]
    except BaseException:
        found.close()
        raise


def _beside(member: zipfile.ZipInfo) -> bool:
    name = member.filename
    return member.is_dir() or name.startswith(UNUSED[0]) or name.rpartition("/")[2] in UNUSED


def opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    """The member's content. Nothing is ever written under the name it has in the archive."""
    if member.flag_bits & 1:
        raise Unreadable("The zip archive is protected by a password; send it without.")
    if member.compress_type not in READ:
        raise Unreadable(
            "The zip archive is packed in a way that is not read; pack it with “deflate”, which is "
            "what zip does by itself."
        )
    try:
        return archive.open(member)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as fault:
        raise Unreadable(f"The zip archive is damaged: {str(fault)[:200]}.") from fault
