"""Compressed files, read as what they hold, without unpacking more than is allowed.

What a file is compressed with is told by its first bytes. Its content comes as a stream that goes
forward, remembers a little behind it, and stops in words where it is larger than any file may be
or grows as only bombs do.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from scoring.sources.base import Unreadable
from scoring.sources.unpacking import FAULTS, PACKINGS, Packing, Stream, check_size

UNPACKED = 256 * 1024  # unpacked bytes taken at once
BUFFER = 32 * 1024  # handed on at once; it is filled anew whenever somebody goes back
BEHIND = 8 * 1024 * 1024  # unpacked bytes remembered: a rejected record is read again by its lines
LOOKED_AT = 32 * 1024 * 1024  # unpacked bytes that a first look reads


class Unpacked(io.RawIOBase):
    """The content of a compressed file. Going far back starts it again; a little back does not."""

    def __init__(self, begin: Callable[[], Stream], size: int, name: str) -> None:
        self._begin, self._size, self.name = begin, max(size, 1), name
        self._stream = self._started()
        self._kept = bytearray()  # the last bytes that were unpacked, up to `_end`
        self._at = self._end = 0

    def _started(self) -> Stream:
        try:
            return self._begin()
        except FAULTS as fault:
            raise Unreadable(_damaged(self.name, fault)) from fault

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._at
        elif whence != io.SEEK_SET:
            raise io.UnsupportedOperation("the end of a compressed file is not known")
        if offset < self._end - len(self._kept):
            self._stream.close()
            self._stream, self._kept, self._end = self._started(), bytearray(), 0
        while self._end < offset and self._unpack():
            pass
        self._at = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        while self._at >= self._end:
            if not self._unpack():
                return 0
        start = len(self._kept) - (self._end - self._at)
        found = self._kept[start : start + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def _unpack(self) -> bool:
        """Some more bytes, if there are any and they may be."""
        try:
            more = self._stream.read(UNPACKED)
        except FAULTS as fault:
            raise Unreadable(_damaged(self.name, fault)) from fault
        self._kept += more
        self._end += len(more)
        if len(self._kept) > 2 * BEHIND:
            del self._kept[:-BEHIND]
        check_size(self._end, self._stream.taken)
        return bool(more)

    def share(self) -> float:
        """How much of the compressed file lies behind, 0..1."""
        return min(self._stream.taken / self._size, 1.0)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def packing_of(path: Path) -> Packing | None:
    """What the file is compressed with, None if it is plain."""
    with path.open("rb") as file:
        head = file.read(16)
    return next((packing for packing in PACKINGS if packing.first.match(head)), None)


def opened(path: Path) -> BinaryIO:
    """The file, or what is compressed in it, to be read and sought in."""
    packing = packing_of(path)
    if packing is None:
        return path.open("rb")
    size = path.stat().st_size
    unpacked = Unpacked(lambda: packing.begin(path), size, packing.name)
    return cast(BinaryIO, io.BufferedReader(unpacked, BUFFER))


def look_ahead(file: BinaryIO) -> None:
    """Unpack a good part of a compressed file, so that most bombs are refused at the door."""
    if isinstance(getattr(file, "raw", None), Unpacked):
        file.seek(LOOKED_AT)


def share_of(file: BinaryIO) -> Callable[[int], float]:
    """What says how much of the file lies behind, 0..1, when so many bytes of its content do."""
    raw = getattr(file, "raw", None)
    if isinstance(raw, Unpacked):
        return lambda _: raw.share()
    size = max(os.fstat(file.fileno()).st_size, 1)
    return lambda end: min(end / size, 1.0)


def _damaged(name: str, fault: BaseException) -> str:
    told = str(fault).strip().partition("\n")[0][:200] or type(fault).__name__
    return f"The file is compressed with {name} and damaged: {told}"
