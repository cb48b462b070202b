"""A table of a page as a file: CSV and XLSX from one description, masked, recorded, never too long.

Text can be no formula (`cells.harmless`); numbers stay numbers and moments are UTC. Columns that
name people show the ends only to whoever may not work alerts.
"""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from tempfile import NamedTemporaryFile
from typing import Any, Literal

from django.db import models
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _

from anomalyshield.audit.record import record
from anomalyshield.cells import harmless
from anomalyshield.templatetags.words import figure, masked_if

MOST = 100_000  # rows of one file
LONGEST = 32_767  # characters that a cell of a workbook holds
KINDS = ("csv", "xlsx")
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Kind = Literal["text", "number", "score", "money", "share", "moment", "day", "country"]
FORMATS = {
    "text": "@",
    "number": "#,##0.####",
    "score": "0.000",
    "money": "#,##0.00",
    "share": "0.0%",
    "moment": "yyyy-mm-dd hh:mm:ss",
    "day": "yyyy-mm-dd",
    "country": "@",
}
EPOCH = datetime(2000, 1, 1)


class Refused(Exception):
    """This cannot be downloaded; the message is a sentence for the person."""


@dataclass(frozen=True)
class Column:
    """A heading, what its values are, and whether they name a person."""

    title: str
    kind: Kind = "text"
    personal: bool = False


@dataclass(frozen=True)
class Table:
    """What a page shows as rows, and how it was asked for.

    `rows` hold plain values in the order of `columns`. A generator needs `count` as well, because
    the trail tells how many rows left the house before the first one does.
    """

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]
    filters: Mapping[str, Any] = field(default_factory=dict)
    count: int | None = None

    @property
    def size(self) -> int:
        return len(self.rows) if isinstance(self.rows, Sequence) else int(self.count or 0)

    @property
    def stem(self) -> str:
        """Its name as that of a file."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "table"


def answer(
    *, by: Any, table: Table, kind: str, about: models.Model | None = None
) -> HttpResponseBase:
    """The table as a download, with its trace in the audit trail. Raises Refused."""
    if kind not in KINDS:
        raise Refused(_("Tables come as {kinds}.").format(kinds=_(" or ").join(KINDS)))
    if table.size > MOST:
        raise Refused(
            _(
                "{size} rows are more than the {most} of one file. Ask for a shorter time or "
                "fewer queues."
            ).format(size=figure(f"{table.size:,}"), most=figure(f"{MOST:,}"))
        )
    hidden = not by.may("alert.work")
    told = {"table": str(table.name), "rows": table.size, "format": kind, "masked": hidden}
    record(
        by=by, action="data.exported", object=about, after={**told, "filters": dict(table.filters)}
    )
    name = f"{table.stem}.{kind}"
    if kind == "xlsx":
        response: HttpResponseBase = FileResponse(
            as_xlsx(table, hidden), as_attachment=True, filename=name, content_type=WORKBOOK
        )
    else:
        response = StreamingHttpResponse(
            as_csv(table, hidden), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def shown(table: Table, hidden: bool) -> Iterator[list[Any]]:
    """The rows as this reader may have them; never more than one file holds."""
    for place, row in enumerate(table.rows):
        if place == MOST:
            return
        yield [
            masked_if(str(value), hidden) if column.personal and value is not None else value
            for column, value in zip(table.columns, row, strict=True)
        ]


class _Echo:
    """A file that hands back what is written: csv.writer as a generator."""

    def write(self, line: str) -> str:
        return line


def as_csv(table: Table, hidden: bool) -> Iterator[str]:
    """Line after line, the titles first."""
    writer = csv.writer(_Echo())
    yield writer.writerow([harmless(str(column.title)) for column in table.columns])
    for row in shown(table, hidden):
        yield writer.writerow([_plain(value) for value in row])


def _plain(value: Any) -> Any:
    match value:
        case None:
            return ""
        case float() if not math.isfinite(value):
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case int() | float() | Decimal():
            return value
    return harmless(str(value))


def as_xlsx(table: Table, hidden: bool) -> Any:
    """A file that is gone when it is closed; written row after row, so memory does not grow."""
    from xlsxwriter import Workbook  # only who asks for a workbook waits for it

    file = NamedTemporaryFile(suffix=".xlsx")  # noqa: SIM115 — the answer closes it
    book = Workbook(
        file.name,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    book.set_properties({"created": EPOCH, "author": "AnomalyShield"})
    sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\']", " ", str(table.name))[:31] or _("Table"))
    formats = [book.add_format({"num_format": FORMATS[c.kind]}) for c in table.columns]
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, max(len(str(column.title)) + 2, 12))
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, harmless(str(column.title)), book.add_format({"bold": True}))
    for number, row in enumerate(shown(table, hidden), start=1):
        for place, value in enumerate(row):
            _write(sheet, number, place, value, formats[place])
    book.close()
    return file


def _write(sheet: Any, row: int, place: int, value: Any, form: Any) -> None:
    value = value if isinstance(value, int | float | Decimal | date) else _plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        return
    match value:
        case bool():
            sheet.write_string(row, place, "yes" if value else "no")
        case datetime():
            sheet.write_datetime(row, place, value.astimezone(UTC).replace(tzinfo=None), form)
        case date():
            sheet.write_datetime(row, place, value, form)
        case int() | float() | Decimal():
            sheet.write_number(row, place, float(value), form)
        case "":
            return
        case _:
            sheet.write_string(row, place, value[:LONGEST], form)
