"""One part of a page of figures: a question, a drawing, and the same as a table.

The page, the files, the API and the scheduled reports are all made from it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from anomalyshield.exports import Column, Table
from anomalyshield.templatetags.words import dated, figure, masked_if, money, percent, score, when
from scoring.payment_words import country

DASH = "–"
WORDY = ("text", "moment", "day", "country")  # kinds that are no numbers


@dataclass(frozen=True)
class Section:
    """`key` names it in addresses; `bars` is the column that a report draws."""

    key: str
    title: str
    meaning: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    chart: SafeString | None = None
    note: str = ""  # what one must know to read it right
    empty: str = _("Nothing in this time.")
    bars: int | None = None
    links: Sequence[str] = ()  # of the first cell of each row
    faint: frozenset[int] = frozenset()  # rows that may still turn
    shades: Sequence[Sequence[int]] = ()  # 0 to 9 of each cell: the table is its own drawing
    open: bool = False  # the table is what one comes for
    own_currency: bool = False  # rows state theirs; elsewhere money is in that of the house

    @property
    def heads(self) -> list[tuple[str, bool]]:
        """Each heading, what its money is in, and whether numbers stand below it."""
        house = "" if self.own_currency else f", {settings.BASE_CURRENCY}"
        return [
            (f"{column.title}{house if column.kind == 'money' else ''}", column.kind not in WORDY)
            for column in self.columns
        ]

    def table(self, told: dict[str, Any]) -> Table:
        """For a file; `told` is how it was asked for."""
        return Table(self.title, self.columns, self.rows, told)

    def lines(self, hidden: bool) -> list["Line"]:
        """The rows in words for this reader."""
        return [self._line(place, row, hidden) for place, row in enumerate(self.rows)]

    def _line(self, place: int, row: Sequence[Any], hidden: bool) -> "Line":
        shades = self.shades[place] if self.shades else [None] * len(row)
        cells = [
            _cell(value, column, hidden, shade)
            for value, column, shade in zip(row, self.columns, shades, strict=True)
        ]
        address = self.links[place] if self.links else ""
        return Line(cells, address, place in self.faint)


@dataclass(frozen=True)
class Cell:
    """A value in words."""

    text: str
    number: bool
    shade: int | None = None
    shown: str = ""  # on a page: a moment is an element there


@dataclass(frozen=True)
class Line:
    """A row in words, where its first cell leads, and whether it may still turn."""

    cells: list[Cell] = field(default_factory=list)
    address: str = ""
    faint: bool = False

    @property
    def first(self) -> Cell:
        return self.cells[0]

    @property
    def rest(self) -> list[Cell]:
        return self.cells[1:]


def _cell(value: Any, column: Column, hidden: bool, shade: int | None) -> Cell:
    text = words(value, column, hidden)
    shown = dated(text, value) if column.kind == "moment" else text
    return Cell(text, column.kind not in WORDY, shade, shown)


def words(value: Any, column: Column, hidden: bool = False) -> str:
    """A value as people read it; what is not known is a dash, never a zero."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return DASH
    if column.personal:
        return masked_if(str(value), hidden)
    match column.kind:
        case "money":
            return money(value).replace("-", "−")
        case "score":
            return score(value)
        case "share":
            return percent(float(value))
        case "moment":
            assert isinstance(value, datetime)
            return when(value)
        case "country":
            return country(str(value))
        case "day":
            assert isinstance(value, date)
            return value.isoformat()
        case "number":
            whole = isinstance(value, int) or (isinstance(value, Decimal) and value == int(value))
            return figure(f"{value:,}" if whole else f"{value:,.1f}")
    return str(value)
