"""From a record, however its source calls things, to a validated transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple

from scoring.engine import amounts, exchange, fields
from scoring.engine.fields import Unfit, offset_seconds
from scoring.engine.gazetteer import Place
from scoring.engine.keys import country_number, entity_key, folded_key
from scoring.engine.names import (
    HINTS,
    MOST_EXTRA,
    ONLINE_CHANNELS,
    PRESENT_CHANNELS,
    REQUIRED,
    TEXTS,
    Names,
    by_our_names,
    channel_number,
)

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # of PostgreSQL's binary timestamptz
UNITS = 10_000  # per unit of currency: amounts are summed as integers
MICROSECOND = timedelta(microseconds=1)
ALL_TEXTS = tuple(TEXTS.items())  # in the order in which `parse` takes them


class Invalid(ValueError):
    """A record that does not become a transaction: every field that is wrong, and why."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field} {reason}" for field, reason in reasons.items()))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a source says once for all its records, and when this one was received."""

    currency: str
    base_currency: str
    timezone: str
    received_at: datetime
    ahead: timedelta = fields.FUTURE_TOLERANCE  # of the clocks of the sender
    clamp: bool = False  # what lies further ahead happens now, instead of being refused
    behind: timedelta | None = None  # later than this it is refused; None: never
    # What one unit of another currency was worth on a day; None: there is no table.
    rate: Callable[[str, date], Decimal | None] | None = None
    # Where a location lies, in words and with the country stated; None: nobody looks.
    place: Callable[[str, str], Place] | None = None


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
    reading = _Reading(given, {})
    texts = reading.texts()
    transaction_id, user_id, card_id, device_id, merchant, category, location, channel = texts
    amount = reading.of("amount", amounts.amount)
    currency = _currency(reading, defaults)
    zone_name = _zone(reading, defaults) if "timezone" in given else defaults.timezone or "UTC"
    event_time = _event_time(reading, zone_name, defaults)
    mcc = reading.of("mcc", fields.merchant_code) or "" if "mcc" in given else ""
    country = reading.of("country", fields.country) or "" if "country" in given else ""
    latitude, longitude = _position(reading)
    online = reading.of("is_online", fields.truth) if "is_online" in given else None
    hints = {} if HINTS.isdisjoint(given) else _hints(reading)
    kept = _extra(extra, reading.reasons) if extra else extra
    if not (transaction_id and user_id and "amount" in given):
        _missing(reading)
    rate = None
    if currency != defaults.base_currency:
        rate = _rate(reading, currency, event_time, defaults)
    if reading.reasons or amount is None or event_time is None:
        raise Invalid(reading.reasons)
    units = int(amount * UNITS)  # as it was said: a rate that changes makes no other payment of it
    # A time we made up is not part of what was said: a repeated request would differ by it.
    stated = microseconds(event_time) if "timestamp" in given else given.get("time_of_day")
    more = (stated, units, currency, mcc, country, latitude, longitude, online, zone_name)
    said = repr((texts, more)).encode()
    if defaults.place is not None and location and latitude is None:  # no part of what was said
        found = defaults.place(location, country)
        country, latitude, longitude = found.country or country, found.latitude, found.longitude
    return Transaction(  # by place: a file makes millions, and names cost a third of making one
        transaction_id,
        _clamped(event_time, defaults) if defaults.clamp else event_time,
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
        _online(channel) if online is None else online,
        zone_name,
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


class _Reading:
    """The values of one record being read, and what was wrong with them so far."""

    __slots__ = ("given", "reasons")

    def __init__(self, given: dict[str, Any], reasons: dict[str, str]) -> None:
        self.given = given
        self.reasons = reasons

    def texts(self) -> list[str]:
        """The texts in the order of TEXTS: the hottest lines of reading a file."""
        get, found = self.given.get, []
        for name, limit in ALL_TEXTS:
            value = get(name)
            if value is None:
                found.append("")
            elif (
                type(value) is str
                and len(value) <= limit
                and value.isascii()
                and value.isprintable()
            ):
                found.append(value.strip())
            else:
                found.append(self._text(name, value, limit))
        return found

    def _text(self, name: str, value: object, limit: int) -> str:
        try:
            return fields.text(value, limit)
        except Unfit as unfit:
            self.reasons[name] = str(unfit)
            return ""

    def of(self, name: str, read: Callable[[Any], Any]) -> Any:
        value = self.given.get(name)
        if value is None:
            return None
        try:
            return read(value)
        except Unfit as unfit:
            self.reasons[name] = str(unfit)
            return None


def _currency(reading: _Reading, defaults: Defaults) -> str:
    if "currency" not in reading.given and defaults.currency == defaults.base_currency:
        return defaults.currency
    return reading.of("currency", fields.currency) or defaults.currency


def _rate(
    reading: _Reading, currency: str, event_time: datetime | None, defaults: Defaults
) -> Decimal | None:
    """That of the payment's day. Without one it is refused, and never guessed."""
    if event_time is None or "currency" in reading.reasons:
        return None
    day = event_time.date()
    found = defaults.rate(currency, day) if defaults.rate else None
    if found is None:
        near = f" within {exchange.LONGEST.days} days before {day}" if defaults.rate else ""
        reading.reasons["currency"] = (
            f"has no exchange rate from {currency} to {defaults.base_currency}{near}"
        )
    return found


def _zone(reading: _Reading, defaults: Defaults) -> str:
    stated = reading.of("timezone", fields.zone_name)
    return str(stated or defaults.timezone or "UTC")


def _event_time(reading: _Reading, zone_name: str, defaults: Defaults) -> datetime | None:
    """The time as it was stated, or that of receipt."""
    given, received_at = reading.given, defaults.received_at
    ahead = None if defaults.clamp else defaults.ahead
    if "timestamp" in given:
        try:
            stated = fields.moment(given["timestamp"], zone_name)
            return fields.checked(stated, received_at, ahead=ahead, behind=defaults.behind)
        except Unfit as unfit:
            reading.reasons["timestamp"] = str(unfit)
            return None
    if "time_of_day" in given:
        return reading.of(  # type: ignore[no-any-return]
            "time_of_day", lambda value: fields.clock_time(value, zone_name, received_at)
        )
    return received_at.astimezone(UTC)


def _clamped(stated: datetime, defaults: Defaults) -> datetime:
    """Now for what lies too far ahead, if the source says so; what was stated is in the digest."""
    too_far = defaults.clamp and stated > defaults.received_at + defaults.ahead
    return defaults.received_at.astimezone(UTC) if too_far else stated


def _position(reading: _Reading) -> tuple[float | None, float | None]:
    if "latitude" not in reading.given and "longitude" not in reading.given:
        return None, None
    latitude = reading.of("latitude", fields.latitude)
    longitude = reading.of("longitude", fields.longitude)
    for one, other in (("latitude", "longitude"), ("longitude", "latitude")):
        if one in reading.given and other not in reading.given:
            reading.reasons.setdefault(one, f"was given without {other}")
    return latitude, longitude


def _hints(reading: _Reading) -> dict[str, float]:
    return {name: reading.of(name, fields.hint) for name in HINTS & reading.given.keys()}


def _missing(reading: _Reading) -> None:
    """What is required and not there, or blank; a value that is wrong has its reason already."""
    for name in REQUIRED:
        value = reading.given.get(name)
        blank = value is None or (name in TEXTS and isinstance(value, str) and not value.strip())
        if blank and name not in reading.reasons:
            reading.reasons[name] = "is required"


def _online(channel: str) -> bool | None:
    if not channel:
        return None
    folded = channel.casefold()
    return True if folded in ONLINE_CHANNELS else False if folded in PRESENT_CHANNELS else None


def _extra(extra: dict[str, Any], reasons: dict[str, str]) -> dict[str, Any]:
    if len(extra) > MOST_EXTRA:
        reasons["record"] = (
            f"has {len(extra):,} fields that are not ours; at most {MOST_EXTRA} are kept"
        )
        return {}
    kept: dict[str, Any] = {}
    for name, value in extra.items():
        try:
            kept[fields.text(name, 200)] = fields.further(value)
        except Unfit as unfit:
            reasons[ascii(name)[1:-1][:200]] = str(unfit)
    return kept


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
