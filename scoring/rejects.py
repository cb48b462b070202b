"""Refused rows as a CSV to mend and send again, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from anomalyshield.cells import harmless, restored
from scoring.models import RejectedRecord, Upload
from scoring.sources.base import Record

# The first columns of every such file. A file that begins with them comes from here and goes back.
MARKS = ("rejected_row", "rejected_because")


def is_ours(columns: list[str]) -> bool:
    return tuple(columns[:2]) == MARKS


def taken_back(record: Record) -> dict[str, Any]:
    """A record of a file that was downloaded here and mended, as it would stand in the original."""
    return {
        name: restored(value) if isinstance(value, str) else value
        for name, value in record.items()
        if name not in MARKS
    }


class _Echo:
    """A file that hands back what is written: csv.writer as a generator."""

    def write(self, line: str) -> str:
        return line


def lines(upload: Upload) -> Iterator[str]:
    """The header, then every refused row under the columns of its file, in the file's order."""
    writer = csv.writer(_Echo())
    columns = list((upload.options or {}).get("columns", []))
    yield writer.writerow([*MARKS, *map(harmless, columns)])
    rows: Iterable[RejectedRecord] = upload.rejects.order_by("position").iterator(chunk_size=1000)
    for row in rows:
        yield writer.writerow(_cells(row, columns))


def _cells(row: RejectedRecord, columns: list[str]) -> list[str]:
    cells = [str(row.position), harmless(because(row.reasons))]
    if any(name in columns for name in row.record):
        values = [row.record.get(column) for column in columns]
    else:  # it could not be taken apart into columns
        values = list(row.record.values())
    return cells + ["" if value is None else harmless(str(value)) for value in values]


def because(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{field} {reason}" for field, reason in reasons.items())
