"""What micro-batches remember: sorted rows in files, one per batch, merged as they grow old.

A shelf holds the rows of one kind and shard. A batch reads what the batches before it wrote and
writes a file of its own, named by its number: done again after a crash it finds what it found and
writes what it wrote. Eight files become one, eight of those the next, so that a shelf of a million
batches has some fifty files, and a row is written again seven times in all (a log-structured merge
tree: O'Neil et al., Acta Informatica 33, 1996). Reading looks up keys by bisection in mapped files,
so that what is kept may be larger than memory.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring.engine.history import HISTORY, HOURS, Rows, summed

FAN = 8
SEED = 0  # the number of what was there before the first batch; batch n has number n + 1
NAMED = re.compile(r"(\d{12})-(\d{12})-(\d)\.npy")
# Transactions that are known: the key of their id, and the digest of what they said.
SEEN = np.dtype([("key", "<i8"), ("time", "<i8"), ("id", "<i8"), ("mark", "V16")])
KEPT = {"user": HISTORY, "card": HISTORY, "device": HISTORY, "merchant": HISTORY}
KINDS = {**KEPT, "hours": HOURS, "seen": SEEN}
KEY = {"hours": "merchant", "seen": "key"}
Keys = NDArray[np.int64]


class Ahead(RuntimeError):
    """The shelf holds batches that, by the checkpoint, were never done."""


def forget(root: Path, number: int) -> None:
    """Take off the shelves what a batch wrote that was broken off: done again it may decide
    otherwise, and what it refuses then must not be known already."""
    for path in root.glob(f"*/*/{number:012d}-{number:012d}-0.npy"):
        path.unlink(missing_ok=True)


@dataclass(frozen=True, order=True)
class _File:
    first: int
    last: int
    level: int
    path: Path


@dataclass(frozen=True)
class Shelf:
    """The rows of one kind and shard, in a folder that every machine at work can reach."""

    folder: Path
    kind: str

    @classmethod
    def of(cls, root: Path, kind: str, shard: int) -> "Shelf":
        return cls(root / kind / f"{shard:04d}", kind)

    def find(self, keys: Keys, *, before: int) -> Rows:
        """The rows of these keys that were written before that number, in no order."""
        wanted = np.unique(keys)
        found = [
            _of(np.load(one.path, mmap_mode="r"), self._key, wanted) for one in self._before(before)
        ]
        return np.concatenate([np.empty(0, KINDS[self.kind]), *found])

    def put(self, rows: Rows, *, number: int) -> None:
        """The rows of a batch; again the same when the batch is done again."""
        if len(rows):
            self._write(rows, number, number, 0)

    def settle(self, *, before: int, keep: Callable[[Rows], Rows]) -> None:
        """Merge what has grown many, dropping what `keep` leaves out."""
        files = self._before(before)
        while len(files) >= FAN and len({one.level for one in files[-FAN:]}) == 1:
            old, files = files[-FAN:], files[:-FAN]
            rows = keep(np.concatenate([np.load(one.path) for one in old]))
            made = self._write(rows, old[0].first, old[-1].last, old[0].level + 1)
            for one in old:
                one.path.unlink(missing_ok=True)
            files.append(made)

    @property
    def _key(self) -> str:
        return KEY.get(self.kind, self.kind)

    def _before(self, number: int) -> list[_File]:
        """What counts now, oldest first. A crash amid merging leaves the merged and its parts."""
        whole: list[_File] = []
        for one in sorted(self._files(), key=lambda one: (one.first, -one.last)):
            if one.first < number <= one.last:
                raise Ahead(f"{one.path} holds batches up to {one.last - 1}; this is {number - 1}.")
            if one.last < number and not (whole and one.last <= whole[-1].last):
                whole.append(one)
        return whole

    def _files(self) -> list[_File]:
        if not self.folder.is_dir():
            return []
        found = [(NAMED.fullmatch(path.name), path) for path in self.folder.iterdir()]
        return [_File(*map(int, name.groups()), path) for name, path in found if name]

    def _write(self, rows: Rows, first: int, last: int, level: int) -> _File:
        if self.kind == "hours":
            rows = summed(rows)
        else:
            rows = rows[np.lexsort((rows["id"], rows["time"], rows[self._key]))]
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{first:012d}-{last:012d}-{level}.npy"
        aside = path.with_suffix(f".{os.getpid()}")
        with aside.open("wb") as file:
            np.save(file, rows, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())  # Spark's checkpoint will say that this batch is done
        aside.replace(path)
        return _File(first, last, level, path)


def _of(rows: Rows, key: str, wanted: Keys) -> Rows:
    """The rows of these keys among rows sorted by key."""
    column = rows[key]
    starts, ends = _place(column, wanted, after=False), _place(column, wanted, after=True)
    counts = ends - starts
    before = np.cumsum(counts) - counts
    return np.asarray(rows[np.repeat(starts - before, counts) + np.arange(counts.sum())])


def _place(column: Keys, wanted: Keys, *, after: bool) -> Keys:
    """Where each key would stand. Bisected by hand: numpy would read the whole file to begin."""
    low, high = np.zeros(len(wanted), np.int64), np.full(len(wanted), len(column))
    while (open_ := low < high).any():
        middle = (low + high) // 2
        at = column[np.minimum(middle, len(column) - 1)]
        below = open_ & ((at <= wanted) if after else (at < wanted))
        low, high = np.where(below, middle + 1, low), np.where(open_ & ~below, middle, high)
    return low
