"""From a record, however its source calls things, to a validated transaction."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple

from scoring.engine import amounts, exchange, fields, stated
from scoring.engine.fields import offset_seconds
from scoring.engine.keys import country_number, entity_key, folded_key
from scoring.engine.names import HINTS, Names, by_our_names, channel_number
from scoring.engine.stated import Defaults as Defaults  # what `parse` is told goes with it

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # of PostgreSQL's binary timestamptz
UNITS = 10_000  # per unit of currency: amounts are summed as integers
MICROSECOND = timedelta(microseconds=1)


class Invalid(ValueError):
    """A record that does not become a transaction: every field that is wrong, and why."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field} {reason}" for field, reason in reasons.items()))
        self.reasons = reasons


class Transaction(NamedTuple):
    """One payment event, validated. The names are those of the stored row.

    A named tuple, because a frozen dataclass takes four times as long to make, and a file makes
    millions.
    """

    external_id: str
    event_time: datetime  # UTC
    amount: Decimal
    currency: str
    amount_units: int  # ten-thousandths of the base currency
    user_id: str
    card_id: str
    device_id: str
    merchant_name: str
    merchant_category: str
    mcc: str
    location: str
    country: str
    latitude: float | None
    longitude: float | None
    channel: str
    is_online: bool | None
    timezone: str  # the zone whose clocks the features read: the record's, else the source's
    user_key: int
    card_key: int
    device_key: int
    merchant_key: int
    place_key: int
    category_key: int
    digest: bytes  # of what was said, so that a repeated request has the same one
    hints: dict[str, float]
    extra: dict[str, Any]


def parse(
    record: Mapping[str, Any],
    *,
    defaults: Defaults,
    mapping: Mapping[str, str] | Names | None = None,
) -> Transaction:
    """The transaction a record describes. Invalid names every wrong field at once.

    `mapping` is the source's own: their column → our field. Required are transaction_id, user_id
    and amount. Without a time, the time of receipt is the event time.
    """
    given, extra = by_our_names(record, mapping)
    reading = stated.Reading(given, {})
    texts = reading.texts()
    transaction_id, user_id, card_id, device_id, merchant, category, location, channel = texts
    amount = reading.of("amount", amounts.amount)
    currency = stated.currency(reading, defaults)
    zone = stated.zone(reading, defaults) if "timezone" in given else defaults.timezone or "UTC"
    event_time = stated.event_time(reading, zone, defaults)
    mcc = reading.of("mcc", fields.merchant_code) or "" if "mcc" in given else ""
    country = reading.of("country", fields.country) or "" if "country" in given else ""
    latitude, longitude = stated.position(reading)
    online = reading.of("is_online", fields.truth) if "is_online" in given else None
    hints = {} if HINTS.isdisjoint(given) else stated.hints(reading)
    kept = stated.further(extra, reading.reasons) if extra else extra
    if not (transaction_id and user_id and "amount" in given):
        stated.missing(reading)
    rate = None
    if currency != defaults.base_currency:
        rate = stated.rate(reading, currency, event_time, defaults)
    if reading.reasons or amount is None or event_time is None:
        raise Invalid(reading.reasons)
    units = int(amount * UNITS)  # as it was said: a rate that changes makes no other payment of it
    # A time we made up is not part of what was said: a repeated request would differ by it.
    moment = microseconds(event_time) if "timestamp" in given else given.get("time_of_day")
    more = (moment, units, currency, mcc, country, latitude, longitude, online, zone)
    said = repr((texts, more)).encode()
    if defaults.place is not None and location and latitude is None:  # no part of what was said
        found = defaults.place(location, country)
        country, latitude, longitude = found.country or country, found.latitude, found.longitude
    return Transaction(  # by place: a file makes millions, and names cost a third of making one
        transaction_id,
        stated.clamped(event_time, defaults) if defaults.clamp else event_time,
        amount,
        currency,
        units if rate is None else exchange.converted(amount, rate, UNITS),
        user_id,
        card_id,
        device_id,
        merchant,
        category,
        mcc,
        location,
        country,
        latitude,
        longitude,
        channel,
        stated.online(channel) if online is None else online,
        zone,
        entity_key(user_id),
        entity_key(card_id),
        entity_key(device_id),
        folded_key(merchant),
        folded_key(location or country),
        folded_key(category or mcc),
        blake2b(said, digest_size=16).digest(),
        hints,
        kept,
    )


def microseconds(moment: datetime) -> int:
    """Since 2000-01-01 UTC, exactly: the unit of time of every event and history."""
    return (moment - EPOCH) // MICROSECOND


def event_of(transaction: Transaction, id: int) -> tuple[int | float, ...]:
    """The transaction as one row of `history.EVENT`; `id` is its ingest number."""
    nan = float("nan")
    online = transaction.is_online
    return (
        id,
        microseconds(transaction.event_time),
        transaction.amount_units,
        transaction.user_key,
        transaction.card_key,
        transaction.device_key,
        transaction.merchant_key,
        transaction.place_key,
        transaction.category_key,
        nan if transaction.latitude is None else transaction.latitude,
        nan if transaction.longitude is None else transaction.longitude,
        country_number(transaction.country),
        nan if online is None else float(online),
        offset_seconds(transaction.timezone, transaction.event_time),
        int(transaction.mcc or 0),
        channel_number(transaction.channel),
    )
