"""What unpacks compressed files, a piece at a time, and how much any file may unpack to."""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from scoring.sources import archive
from scoring.sources.base import Unreadable

PIECE = 64 * 1024  # compressed bytes read at once
MOST_UNPACKED = 20 * 1024**3  # as large as a plain file may be
MOST_TIMES = 200  # tables shrink to a fifth or a thirtieth, bombs to a thousandth
FREE = 16 * 1024 * 1024  # so much may be unpacked from anything
MEMORY = 128 * 1024 * 1024  # that a decompressor of xz may ask for
FAULTS = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)


def check_size(unpacked: int, packed: int) -> None:
    """Unreadable if so many bytes cannot be a table that was compressed to so few."""
    if unpacked > MOST_UNPACKED:
        raise Unreadable(
            f"The file unpacks to more than {MOST_UNPACKED / 1024**3:.0f} GB; send it in parts."
        )
    if unpacked > FREE and unpacked > MOST_TIMES * max(packed, 1):
        raise Unreadable(
            f"The file unpacks to more than {MOST_TIMES} times its size, which no table does; "
            "it is not read any further."
        )


class Piecewise(Protocol):
    """What bz2 and lzma call a decompressor."""

    eof: bool
    unused_data: bytes
    needs_input: bool

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the manners of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


class Stream(Protocol):
    """Unpacked bytes one after another."""

    @property
    def taken(self) -> int:
        """Compressed bytes behind."""

    def read(self, most: int) -> bytes: ...

    def close(self) -> None: ...


class _Compressed:
    """One compressed stream after another, as `cat a.gz b.gz` makes them."""

    def __init__(self, path: Path, make: Callable[[], Piecewise]) -> None:
        self._file, self._make = path.open("rb"), make
        self._inner, self._left = make(), b""

    @property
    def taken(self) -> int:
        return self._file.tell()

    def read(self, most: int) -> bytes:
        while True:
            if self._inner.eof and not self._another():
                return b""
            ended = self._inner.needs_input and not self._left and not self._more()
            data, self._left = self._left, b""
            if found := self._inner.decompress(data, most):
                return found
            if ended and not self._inner.eof:
                raise Unreadable("The file is cut off: what is compressed in it does not end.")

    def _more(self) -> bool:
        self._left = self._file.read(PIECE)
        return bool(self._left)

    def _another(self) -> bool:
        """Zeros may follow the end; they fill a file up to the block of a tape."""
        self._left = (self._inner.unused_data or self._left).lstrip(b"\0")
        while not self._left and self._more():
            self._left = self._left.lstrip(b"\0")
        if self._left:
            self._inner = self._make()
        return bool(self._left)

    def close(self) -> None:
        self._file.close()


class _Zstd:
    """By Arrow, which refuses windows of more than 128 MB by itself."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self._file = pa.OSFile(str(path))
        self._stream = pa.CompressedInputStream(self._file, "zstd")

    def read(self, most: int) -> bytes:
        return bytes(self._stream.read(most))

    @property
    def taken(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()


class _Member:
    """The one file of a zip archive, which never gives more than the archive declares."""

    def __init__(self, path: Path) -> None:
        self._archive, self.member = archive.single(path)
        check_size(self.member.file_size, self.member.compress_size)
        self._file, self._size = archive.opened(self._archive, self.member), path.stat().st_size

    def read(self, most: int) -> bytes:
        return self._file.read(most)

    @property
    def taken(self) -> int:
        return round(self._size * self._file.tell() / max(self.member.file_size, 1))

    def close(self) -> None:
        self._archive.close()


class Packing(NamedTuple):
    """How compressed files of one kind begin, what they are called, and what unpacks them."""

    first: re.Pattern[bytes]
    name: str
    begin: Callable[[Path], Stream]


PACKINGS = [
    Packing(
        re.compile(rb"\x1f\x8b\x08"),
        "gzip",
        lambda path: _Compressed(path, lambda: cast(Piecewise, _Gzip())),
    ),
    Packing(
        re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
        "bzip2",
        lambda path: _Compressed(path, cast(Callable[[], Piecewise], bz2.BZ2Decompressor)),
    ),
    Packing(
        re.compile(rb"\xfd7zXZ\0"),
        "xz",
        lambda path: _Compressed(
            path, lambda: cast(Piecewise, lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY))
        ),
    ),
    Packing(re.compile(rb"\x28\xb5\x2f\xfd"), "zstd", _Zstd),
    Packing(re.compile(rb"PK\x03\x04"), "zip", _Member),
]
