"""How far a job has come: the latest event it has seen, and that state and checkpoint agree."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

LATE_AFTER = 2 * 60_000_000  # microseconds behind the latest event: the watermark
FILE = "marks.json"
ANEW = "begin anew in another --folder."


class Apart(RuntimeError):
    """State and checkpoint are not of one job; the text says what to do."""


@dataclass(frozen=True)
class Mark:
    """Where a batch begins."""

    number: int
    newest: int  # event before it, microseconds since 2000; 0: there was none

    @property
    def watermark(self) -> int:
        return self.newest - LATE_AFTER


@dataclass(frozen=True)
class Marks:
    """The marks of a job, in the folder of its state."""

    folder: Path
    shards: int

    @classmethod
    def of(cls, folder: Path, shards: int) -> "Marks":
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, shards)

    @property
    def begun(self) -> bool:
        return (self.folder / FILE).exists()

    def begin(self, number: int) -> Mark:
        """Where this batch begins, the same each time it is done. Apart if it cannot be next."""
        if not self.begun:
            if number:
                raise Apart(
                    f"The checkpoint goes on with batch {number}, but nothing is kept of those "
                    f"before it in {self.folder}. Bring the state back, or {ANEW}"
                )
            return Mark(0, 0)
        kept = json.loads((self.folder / FILE).read_text())
        if kept["shards"] != self.shards:
            raise Apart(
                f"The state lies in {kept['shards']} shards, not in {self.shards}: start the job "
                f"with --shards {kept['shards']}, or {ANEW}"
            )
        if number == kept["number"]:
            return Mark(number, kept["before"])
        if number == kept["number"] + 1:
            return Mark(number, kept["newest"])
        raise Apart(
            f"The checkpoint goes on with batch {number}, the state ends with {kept['number']}. "
            f"They belong together: restore both, or {ANEW}"
        )

    def done(self, number: int, newest: int) -> None:
        before = self.begin(number).newest
        told = {
            "number": number,
            "before": before,
            "newest": max(before, newest),
            "shards": self.shards,
        }
        aside = self.folder / f"{FILE}.{os.getpid()}"
        with aside.open("w") as file:
            json.dump(told, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.folder / FILE)
