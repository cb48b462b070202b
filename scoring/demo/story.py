"""The sixty days as transactions in order, and as the CSV file an upstream system would send."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np

from scoring.demo import frauds, honest, world
from scoring.demo.honest import Payment

DAYS = 60
ROWS = 8_000
FRAUD_SHARE = 0.06
COLUMNS = [
    *("transaction_id", "timestamp", "user_id", "card_id", "device_id", "amount", "currency"),
    *("merchant_name", "merchant_category", "mcc", "location", "country", "latitude", "longitude"),
    *("channel", "timezone", "label", "label_known_at"),
]


class Story:
    """Everything until a moment, oldest first. Deterministic in seed, rows and `until`."""

    def __init__(self, *, until: datetime, seed: int = 7, rows: int = ROWS) -> None:
        self.until = until
        rng = np.random.default_rng(seed)
        # Days start at midnight UTC, so that hours of the day mean what they say.
        self.start = until.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(DAYS - 1)
        self.days = (until - self.start) / timedelta(days=1)
        people = world.build(rng, self.days)
        bad = round(rows * FRAUD_SHARE)
        told = honest.payments(rng, people, rows - bad, self.days)
        told += frauds.payments(rng, people, bad, self.days)
        self.payments = sorted(told, key=lambda one: (one.day, one.customer.number))
        self.ids = [f"demo-{number:06d}" for number in range(1, len(self.payments) + 1)]

    def typology_of(self) -> dict[str, str]:
        """Transaction id → what it really was; honest ones say ""."""
        return {id_: one.typology for id_, one in zip(self.ids, self.payments, strict=True)}

    def csv(self, from_day: float = 0, to_day: float = DAYS) -> bytes:
        """The payments of some days as a file; its labels are those the bank knows by `until`."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(self._rows(from_day, to_day))
        return out.getvalue().encode()

    def lines(self, from_day: float, to_day: float) -> list[dict[str, str]]:
        """The same as records, without what became known of them later."""
        rows = self._rows(from_day, to_day)
        return [dict(zip(COLUMNS[:-2], row, strict=False)) for row in rows]

    def _rows(self, from_day: float, to_day: float) -> Iterable[list[str]]:
        for id_, one in zip(self.ids, self.payments, strict=True):
            if from_day <= one.day < to_day:
                yield [id_, self._stamp(one.day), *_said(one), *self._label(one)]

    def _label(self, one: Payment) -> tuple[str, str]:
        if one.reported is None or one.reported > self.days:
            return "", ""
        return "fraud", self._stamp(one.reported)

    def _stamp(self, day: float) -> str:
        return f"{self.start + timedelta(seconds=round(day * 86_400)):%Y-%m-%dT%H:%M:%SZ}"


def _said(one: Payment) -> list[str]:
    merchant, place = one.merchant, one.place
    return [
        one.customer.user_id,
        one.customer.card_id,
        one.device,
        f"{max(one.amount, 0.25):.2f}",
        "USD",
        merchant.name,
        merchant.trade.name,
        merchant.trade.mcc,
        place.name,
        place.country,
        str(place.latitude),
        str(place.longitude),
        "pos" if merchant.place else "online",
        place.zone,
    ]
