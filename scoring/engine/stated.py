"""What a record states, field by field, with a reason for each that is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from scoring.engine import exchange, fields
from scoring.engine.fields import Unfit
from scoring.engine.gazetteer import Place
from scoring.engine.names import (
    HINTS,
    MOST_EXTRA,
    ONLINE_CHANNELS,
    PRESENT_CHANNELS,
    REQUIRED,
    TEXTS,
)

ALL_TEXTS = tuple(TEXTS.items())  # in the order in which `parse` takes them


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


class Reading:
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


def currency(reading: Reading, defaults: Defaults) -> str:
    if "currency" not in reading.given and defaults.currency == defaults.base_currency:
        return defaults.currency
    return reading.of("currency", fields.currency) or defaults.currency


def rate(
    reading: Reading, currency: str, event_time: datetime | None, defaults: Defaults
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


def zone(reading: Reading, defaults: Defaults) -> str:
    stated = reading.of("timezone", fields.zone_name)
    return str(stated or defaults.timezone or "UTC")


def event_time(reading: Reading, zone_name: str, defaults: Defaults) -> datetime | None:
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


def clamped(stated: datetime, defaults: Defaults) -> datetime:
    """Now for what lies too far ahead, if the source says so; what was stated is in the digest."""
    too_far = defaults.clamp and stated > defaults.received_at + defaults.ahead
    return defaults.received_at.astimezone(UTC) if too_far else stated


def position(reading: Reading) -> tuple[float | None, float | None]:
    if "latitude" not in reading.given and "longitude" not in reading.given:
        return None, None
    latitude = reading.of("latitude", fields.latitude)
    longitude = reading.of("longitude", fields.longitude)
    for one, other in (("latitude", "longitude"), ("longitude", "latitude")):
        if one in reading.given and other not in reading.given:
            reading.reasons.setdefault(one, f"was given without {other}")
    return latitude, longitude


def hints(reading: Reading) -> dict[str, float]:
    return {name: reading.of(name, fields.hint) for name in HINTS & reading.given.keys()}


def missing(reading: Reading) -> None:
    """What is required and not there, or blank; a value that is wrong has its reason already."""
    for name in REQUIRED:
        value = reading.given.get(name)
        blank = value is None or (name in TEXTS and isinstance(value, str) and not value.strip())
        if blank and name not in reading.reasons:
            reading.reasons[name] = "is required"


def online(channel: str) -> bool | None:
    if not channel:
        return None
    folded = channel.casefold()
    return True if folded in ONLINE_CHANNELS else False if folded in PRESENT_CHANNELS else None


def further(extra: dict[str, Any], reasons: dict[str, str]) -> dict[str, Any]:
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
