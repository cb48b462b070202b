"""The table of exchange rates: imported from a file, kept in memory where payments are read."""

import csv
import io
import threading
import time
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield.audit.record import record
from scoring.columns import Refused
from scoring.engine import exchange, fields
from scoring.models import ExchangeRate

MOST_ROWS, MOST_CHARACTERS = 100_000, 5_000_000
NAMES = {"date": "day", "day": "day", "currency": "currency", "rate": "rate"}
LARGEST, PLACES = Decimal(10) ** 9, Decimal("0.000000000001")
FRESH_SECONDS = 5.0  # an import holds everywhere within this
_lock = threading.Lock()
_table = exchange.Table()
_mark: tuple[Any, ...] | None = None
_looked = 0.0
REPLACED = """
DELETE FROM scoring_exchangerate AS old
USING unnest(%s::text[], %s::date[]) AS fresh (currency, day)
WHERE old.currency = fresh.currency AND old.day = fresh.day
"""
LOOK = """
SELECT max(id), count(*), (SELECT oid FROM pg_database WHERE datname = current_database())
FROM scoring_exchangerate
"""


@transaction.atomic
def import_rates(*, by: Any, text: str) -> int:
    """Take the rates of a CSV with the columns date, currency, rate: all of them, or none.

    `rate` is what one unit of the currency is worth here. A rate of a day that is known already is
    replaced. Payments stored before stay as they were converted. Raises Refused with the line.
    """
    found = read(text)
    keys = sorted(found)
    with connection.cursor() as cursor:
        cursor.execute(REPLACED, [[c for c, _day in keys], [day for _currency, day in keys]])
    ExchangeRate.objects.bulk_create(
        [ExchangeRate(currency=c, day=d, rate=found[c, d]) for c, d in keys], batch_size=5_000
    )
    currencies, until = sorted({c for c, _day in keys}), max(day for _c, day in keys)
    record(
        by=by,
        action="rates.imported",
        object=None,
        after={"rates": len(keys), "currencies": currencies, "until": str(until)},
    )
    transaction.on_commit(forget)
    return len(keys)


def read(text: str) -> dict[tuple[str, date], Decimal]:
    """The rates of a text by currency and day; Refused with the line that is none."""
    if len(text) > MOST_CHARACTERS:
        raise Refused("file", _("The table is too large; send it in parts."))
    lines = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    try:
        heads = [NAMES.get(name.strip().casefold(), "") for name in next(lines, [])]
        if sorted(filter(None, heads)) != ["currency", "day", "rate"]:
            raise Refused("file", _("The first line names the columns: date, currency, rate."))
        found: dict[tuple[str, date], Decimal] = {}
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            line = dict(zip(heads, cells, strict=False))
            key, rate = _rate(line, lines.line_num)
            if found.setdefault(key, rate) != rate:
                raise _wrong(lines.line_num, _("that currency has another rate on that day above"))
    except csv.Error as error:
        raise _wrong(lines.line_num, str(error)) from None
    if not 0 < len(found) <= MOST_ROWS:
        raise Refused("file", _("There is no rate in it, or more than 100,000."))
    return found


def _rate(line: dict[str, str], number: int) -> tuple[tuple[str, date], Decimal]:
    try:
        day = date.fromisoformat(line.get("day", "").strip())
    except ValueError:
        raise _wrong(number, _("the date is written like 2026-11-20")) from None
    if day > timezone.now().date():
        raise _wrong(number, _("the date lies in the future"))
    try:
        currency = fields.currency(line.get("currency", ""))
    except fields.Unfit:
        raise _wrong(number, _("the currency is a code such as EUR")) from None
    if currency == settings.BASE_CURRENCY:
        raise _wrong(number, _("the house currency needs no rate"))
    try:
        rate = Decimal(line.get("rate", "").strip()).quantize(PLACES)
    except InvalidOperation:
        raise _wrong(number, _("the rate is a number such as 1.0834")) from None
    if not (rate.is_finite() and 0 < rate < LARGEST):
        raise _wrong(number, _("the rate is above 0, and below a thousand million"))
    return (currency, day), rate


def _wrong(line: int, why: str) -> Refused:
    return Refused("file", _("Line {line}: {why}.").format(line=line, why=why))


# --- where payments are read ----------------------------------------------------------------------
def rate_of(currency: str, day: date) -> Decimal | None:
    """House currency for one unit on that day; None if no rate is near enough."""
    return current().rate(currency, day)


def current() -> exchange.Table:
    """The table as it was at most FRESH_SECONDS ago; asked only where another currency occurs."""
    global _table, _mark, _looked
    if _mark is not None and time.monotonic() - _looked < FRESH_SECONDS:
        return _table
    with _lock:
        with connection.cursor() as cursor:
            cursor.execute(LOOK)
            mark = cursor.fetchone()
        if mark != _mark:
            rows = ExchangeRate.objects.order_by().values_list("currency", "day", "rate")
            _table, _mark = exchange.table_of(rows.iterator(chunk_size=10_000)), mark
        _looked = time.monotonic()
    return _table


def forget() -> None:
    """Look again at once; imports in this process, and tests, use it."""
    global _mark
    _mark = None


def latest() -> list[ExchangeRate]:
    """The newest rate of each currency."""
    rows = ExchangeRate.objects.order_by("currency", "-day").distinct("currency")
    return list(rows)
