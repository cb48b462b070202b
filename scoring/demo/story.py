"""Some weeks of payments in order, told until a moment: deterministic in seed, rows and moment."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from scoring.demo import frauds, honest, table, world
from scoring.demo.payments import ORIGINS, joined
from scoring.demo.typologies import NAMES, REGISTER, Typology

DAYS = 60
ROWS = 8_000
FRAUD_SHARE = 0.06
ANALYST = ORIGINS.index("analyst")


class Story:
    """Everything until a moment, oldest first."""

    def __init__(
        self,
        *,
        until: datetime,
        seed: int = 7,
        rows: int = ROWS,
        fraud_share: float = FRAUD_SHARE,
        days: int = DAYS,
        kinds: Sequence[Typology] = REGISTER,
        fresh_days: float = 0.0,
        prefix: str = "demo",
        people: str = "",
    ) -> None:
        self.until, self.prefix, self.people = until, prefix, people
        rng = np.random.default_rng(seed)
        # Days start at midnight UTC, so that hours of the day mean what they say.
        midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
        self.start = midnight - timedelta(days if midnight == until else days - 1)
        self.days = (until - self.start) / timedelta(days=1)
        bad = round(rows * fraud_share)
        self.world = world.build(rng, self.days, rows)
        good = honest.payments(rng, self.world, rows - bad, self.start.weekday())
        told = joined(good, frauds.payments(rng, self.world, good, bad, kinds, fresh_days))
        self.payments = told.in_order()
        self.ids = table.identifiers(prefix, 1, self.payments.count)

    def typology_of(self) -> dict[str, str]:
        """Transaction id → what it really was; honest ones say ""."""
        names = ("", *NAMES)
        kinds = [names[number] for number in self.payments.typology.tolist()]
        return dict(zip(self.ids.to_pylist(), kinds, strict=True))

    def table(self, from_day: float = 0, to_day: float = np.inf) -> pa.Table:
        """The payments of some days; their labels are those known by `until`."""
        wanted = (self.payments.day >= from_day) & (self.payments.day < to_day)
        ids = self.ids.filter(pa.array(wanted))
        part = self.payments.where(wanted)
        rows = table.table(part, self.world, start=self._start, ids=ids, until=self.days)
        return table.of_others(rows, self.people) if self.people else rows

    def truth(self) -> pa.Table:
        return table.truth(self.payments, start=self._start, ids=self.ids)

    def csv(self, from_day: float = 0, to_day: float = np.inf) -> bytes:
        """As the file an upstream system would send."""
        return table.csv_bytes(self.table(from_day, to_day))

    def lines(self, from_day: float = 0, to_day: float = np.inf) -> list[dict[str, Any]]:
        """The same as records of JSON, without what became known of them later."""
        rows = self.table(from_day, to_day).drop_columns(list(table.ANSWERS)).to_pylist()
        return [
            {name: _spelt(value) for name, value in row.items() if value is not None}
            for row in rows
        ]

    def without_own_analysts(self, from_day: float) -> None:
        """From that day on the fraud desk works here: what it finds comes in no file."""
        own = (self.payments.origin == ANALYST) & (self.payments.day >= from_day)
        self.payments.reported[own] = np.nan

    @property
    def _start(self) -> np.datetime64:
        return np.datetime64(self.start.astimezone(UTC).replace(tzinfo=None), "s")


def _spelt(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value) if isinstance(value, Decimal) else value
