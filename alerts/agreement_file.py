"""The figures of agreement as a table: one line for each figure, with its interval and its base."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpResponseBase

from alerts import agreement
from alerts.agreement import Figures, Line
from anomalyshield import exports
from anomalyshield.exports import Column, Table
from scoring.engine.agreement import Agreement
from scoring.engine.sampling import Share

COLUMNS = (
    Column("Figure"),
    Column("By"),
    Column("Of"),
    Column("Value", "score"),
    Column("95 % from", "score"),
    Column("95 % to", "score"),
    Column("Reviews", "number"),
)
Row = tuple[str, str, str, float | None, float | None, float | None, int]


def days_of(asked: str) -> int:
    """The time asked for, in days; the usual one for what is not offered."""
    return int(asked) if asked in map(str, agreement.DAYS) else agreement.USUAL


def file_of(by: Any, kind: str, days: int) -> HttpResponseBase:
    """What the page shows to this person as CSV or XLSX; 404 for another kind of file."""
    if kind not in exports.KINDS:
        raise Http404(f"Tables come as {' or '.join(exports.KINDS)}.")
    rows = list(rows_of(agreement.figures(by, days)))
    table = Table("Agreement", COLUMNS, rows, {"page": "agreement", "days": days})
    return exports.answer(by=by, table=table, kind=kind)


def rows_of(found: Figures) -> Iterator[Row]:
    """Kappa and agreement, the estimate over all verdicts, first and second word, the groups."""
    yield _kappa("Drawn at random", found.at_random)
    yield _kappa("All reviews", found.all)
    yield ("Said the same", "", "All reviews", found.all.observed, *found.all.share, found.reviews)
    yield ("Overturned", "", "All verdicts, estimated", *found.overturned, found.settled)
    yield _share("Overturned", "", "Called genuine; fraud by reports from outside", found.outside)
    for first, counts in found.table:
        for then, count in zip(found.heads, counts, strict=True):
            yield (f"First {first}, then {then}", "", "All reviews", None, None, None, count)
    for name, lines in found.groups.items():
        for line in lines:
            yield from _line(name, line)


def _kappa(of: str, said: Agreement) -> Row:
    return ("Kappa", "", of, said.kappa, said.low, said.high, said.cases)


def _line(name: str, line: Line) -> Iterator[Row]:
    yield _share("Said the same", name, line.name, line.agreed)
    yield _share("Overturned", name, line.name, line.overturned)


def _share(figure: str, name: str, of: str, share: Share) -> Row:
    ends = (share.low, share.high) if share.of else (None, None)
    return (figure, name, of, share.value, *ends, share.of)
