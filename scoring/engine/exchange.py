"""Amounts of other currencies in the house's own, at a dated rate; never at a guessed one."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

LONGEST = timedelta(days=7)  # weekends and holidays have no rates; what is older is no rate


@dataclass(frozen=True)
class Table:
    """Rates by currency, each with the days they are of, oldest first."""

    days: Mapping[str, list[date]] = field(default_factory=dict)
    rates: Mapping[str, list[Decimal]] = field(default_factory=dict)

    def rate(self, currency: str, day: date) -> Decimal | None:
        """House currency for one unit: the last known of that day or before; None if too old."""
        days = self.days.get(currency, ())
        place = bisect_right(days, day) - 1
        if place < 0 or day - days[place] > LONGEST:
            return None
        return self.rates[currency][place]


def table_of(rows: Iterable[tuple[str, date, Decimal]]) -> Table:
    """The table of these rates, in whatever order."""
    days: dict[str, list[date]] = {}
    rates: dict[str, list[Decimal]] = {}
    for currency, day, rate in sorted(rows):
        days.setdefault(currency, []).append(day)
        rates.setdefault(currency, []).append(rate)
    return Table(days, rates)


def converted(amount: Decimal, rate: Decimal, units: int) -> int:
    """The amount in whole units of the house currency; halves go to the even one."""
    return int((amount * rate * units).to_integral_value(ROUND_HALF_EVEN))
