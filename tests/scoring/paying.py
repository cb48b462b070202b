"""Payments put straight into the table: random streams whose past is known in full."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from scoring import history
from scoring.engine.history import KINDS, Rows
from scoring.models import Transaction
from tests.scoring import making

START = datetime(2026, 9, 1, 12, tzinfo=UTC)


def payment(external_id: str, moment: datetime = START, **fields: Any) -> Transaction:
    """A payment of 25 by user 1 with card, device and merchant 1, not stored yet."""
    keys = {f"{entity}_key": fields.pop(entity, 1) for entity in KINDS}
    units = fields.pop("units", 250_000)
    return Transaction(
        source=making.source(),
        external_id=external_id,
        event_time=moment,
        amount=Decimal(units) / 10_000,
        currency="USD",
        amount_units=units,
        user_id=str(keys["user_key"]),
        digest=b"0" * 16,
        **keys,
        **fields,
    )


def stored(*payments: Transaction) -> list[Transaction]:
    """Stored by one statement, numbered in this order."""
    return Transaction.objects.bulk_create(payments)


def crowd(count: int, *, seed: int = 1, days: int = 40, name: str = "p") -> list[Transaction]:
    """Payments of a few users at a few merchants, in no order of time; some have no merchant."""
    chance = np.random.default_rng(seed)
    return [
        payment(
            f"{name}{number}",
            START + timedelta(seconds=int(chance.integers(0, days * 86_400))),
            units=int(chance.lognormal(12, 1.5)),
            user=int(chance.integers(1, 6)),
            card=int(chance.integers(0, 5)),
            device=int(chance.integers(0, 4)),
            merchant=int(chance.integers(0, 4)),
        )
        for number in range(count)
    ]


def events() -> Rows:
    """All that is stored, in the order of time."""
    return history.stored_events(list(Transaction.objects.values_list("pk", flat=True)))
