"""Makes the rows these tests speak about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from scoring.engine.keys import entity_key
from scoring.models import Source, Transaction

NOW = datetime.now(UTC)


def source(name: str = "till") -> Source:
    return Source.objects.get_or_create(name=name)[0]


def payment(external_id: str, *, days_ago: float = 1, user: str = "u1") -> Transaction:
    """A stored transaction of 25 USD, so many days ago."""
    return Transaction.objects.create(
        source=source(),
        external_id=external_id,
        event_time=NOW - timedelta(days=days_ago),
        amount=Decimal(25),
        currency="USD",
        amount_units=250_000,
        user_id=user,
        user_key=entity_key(user),
        digest=b"0" * 16,
    )
