"""One value of a record: read tolerantly where nothing is guessed, refused in words otherwise."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from unicodedata import normalize
from zoneinfo import ZoneInfo

FUTURE_TOLERANCE = timedelta(minutes=5)  # clocks of tills differ; more than this is a mistake
FIRST_YEAR = 1970
CLOCK = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?", re.ASCII)
TRUE = frozenset({"1", "true", "yes", "y", "t", "1.0"})
FALSE = frozenset({"0", "false", "no", "n", "f", "0.0"})


class Unfit(ValueError):
    """A value that cannot be used; its text completes the sentence "<field> …"."""


def text(value: object, limit: int) -> str:
    """A text of at most `limit` characters, trimmed, in form NFC; integers are spelt out."""
    if not isinstance(value, str):
        value = _spelt(value)
    value = value.strip()
    if not value.isascii():
        value = normalize("NFC", value)
    if not value.isprintable():
        _refuse_unstorable(value)
    if len(value) > limit:
        raise Unfit(f"is {len(value):,} characters long; at most {limit} fit")
    return value


def _spelt(value: object) -> str:
    if isinstance(value, bool):
        raise Unfit("is true or false, not a text")
    if isinstance(value, float | Decimal):
        if -(10**15) < value < 10**15 and value == int(value):
            return str(int(value))  # 1234.0: an integer column with gaps, read as floats
        raise Unfit("is a number with decimals, not a text")
    if isinstance(value, int):
        if abs(value) >= 10**40:  # str() of thousands of digits is itself refused by Python
            raise Unfit("has more than 40 digits")
        return str(value)
    if isinstance(value, bytes):
        raise Unfit("is binary, not a text")
    raise Unfit(f"is {_kind(value)}, not a text")


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return "of another kind"


def _refuse_unstorable(value: str) -> None:
    for char in value:
        if "\ud800" <= char <= "\udfff":
            raise Unfit("holds half a character (a lone surrogate)")
        if char < " " or char == "\x7f":
            raise Unfit(f"holds the control character U+{ord(char):04X}")


def number(value: object) -> float:
    """A finite float."""
    if isinstance(value, bool):
        raise Unfit("is true or false, not a number")
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise Unfit("is not a number") from None
    if not math.isfinite(result) or (isinstance(value, str) and "_" in value):
        raise Unfit("is not a finite number")
    return result


def hint(value: object) -> float:
    """A feature the client worked out itself; true and false are 1 and 0."""
    return float(value) if isinstance(value, bool) else number(value)


def latitude(value: object) -> float:
    """Degrees north."""
    return _degrees(value, 90)


def longitude(value: object) -> float:
    """Degrees east."""
    return _degrees(value, 180)


def _degrees(value: object, bound: float) -> float:
    degrees = number(value)
    if abs(degrees) > bound:
        raise Unfit(f"is outside -{bound:g} to {bound:g} degrees")
    return degrees


def truth(value: object) -> bool:
    """True or false, however spelt."""
    spelt = str(value).strip().lower()
    if spelt in TRUE or spelt in FALSE:
        return spelt in TRUE
    raise Unfit("is neither true nor false")


def merchant_code(value: object) -> str:
    """Four digits; the leading zeros a spreadsheet has eaten are given back."""
    code = text(value, 8)
    if not (code.isascii() and code.isdigit()) or len(code) > 4:
        raise Unfit("is not a four-digit merchant category code")
    return code.zfill(4)


def country(value: object) -> str:
    """An ISO 3166 code of two letters, in capitals."""
    return _letters(value, 2)


def currency(value: object) -> str:
    """An ISO 4217 code of three letters, in capitals."""
    return _letters(value, 3)


def _letters(value: object, length: int) -> str:
    code = text(value, 64).upper()
    if len(code) != length or not (code.isascii() and code.isalpha()):
        raise Unfit(f"is not a code of {length} letters")
    return code


def zone_name(value: object) -> str:
    """The name of a time zone that exists."""
    return zone(text(value, 64)).key


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Unfit("is not the name of a time zone, such as Asia/Kolkata") from None


def offset_seconds(zone_name: str, moment: datetime) -> int:
    """How far that zone's clocks stood from UTC at the moment; an unknown or empty name is UTC."""
    if zone_name in ("", "UTC"):
        return 0
    try:
        shift = moment.astimezone(zone(zone_name)).utcoffset()
    except Unfit:
        return 0
    return int(shift.total_seconds()) if shift else 0


def moment(value: object, zone_name: str) -> datetime:
    """An instant in UTC. A time without offset is on the clocks of `zone_name`.

    ISO 8601 with T or a space; or seconds, milliseconds or microseconds since 1970 as a number of
    10, 13 or 16 digits. 03/04/2026 is refused: nobody can say which is the month.
    """
    if type(value) is str:
        read = _read_time(value.strip())
    elif isinstance(value, datetime):
        read = value
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unfit("is not a time")
    else:
        read = _since_1970(value)
    if read.tzinfo is UTC:
        return read
    if read.tzinfo is None:
        read = read.replace(tzinfo=UTC if zone_name in ("", "UTC") else zone(zone_name))
    try:
        return read.astimezone(UTC)
    except OverflowError:
        raise Unfit("is beyond the calendar") from None


def _read_time(value: str) -> datetime:
    if value.isascii() and value.isdigit() and len(value) in (10, 13, 16):
        return _since_1970(int(value))
    try:
        # RFC 3339 lets the letters be small; Python takes the Z as it stands alone.
        return datetime.fromisoformat(value if value[-1:] != "z" else value.upper())
    except ValueError:
        raise Unfit("is not a time such as 2026-01-14T15:00:00Z") from None


def _since_1970(value: int | float | Decimal) -> datetime:
    size = value if value >= 0 else -value
    scale = 1 if size < 10**11 else 1_000 if size < 10**14 else 1_000_000
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(
            microseconds=int(value * (1_000_000 // scale))
        )
    except (OverflowError, ValueError):
        raise Unfit("is beyond the calendar") from None


def checked(
    event_time: datetime,
    received_at: datetime,
    *,
    ahead: timedelta | None = FUTURE_TOLERANCE,
    behind: timedelta | None = None,
) -> datetime:
    """The same instant, unless it lies before 1970, or further from receipt than is allowed.

    `ahead` and `behind` are how far into the future and the past; None is without bound.
    """
    if ahead is not None and event_time > received_at + ahead:
        raise Unfit(f"lies in the future ({event_time:%Y-%m-%d %H:%M} UTC)")
    if event_time.year < FIRST_YEAR:
        raise Unfit("lies before 1970")
    if behind is not None and received_at - event_time > behind:
        late = _in_words(received_at - event_time)
        raise Unfit(f"comes {late} late; this source takes at most {_in_words(behind)}")
    return event_time


def _in_words(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def clock_time(value: object, zone_name: str, received_at: datetime) -> datetime:
    """The latest instant, not after receipt, at which that zone's clocks showed "HH:MM"."""
    match = CLOCK.fullmatch(str(value).strip())
    hour, minute, second = (int(part or 0) for part in match.groups()) if match else (99, 0, 0)
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and minute + second):
        raise Unfit('is not a time of day such as "23:45"')
    local = received_at.astimezone(zone(zone_name or "UTC"))
    shown = local.replace(hour=hour % 24, minute=minute, second=second, microsecond=0)
    if shown > local:
        shown -= timedelta(days=1)
    return shown.astimezone(UTC)


def further(value: object) -> object:
    """A field nobody scores, as it can be kept in JSON."""
    if isinstance(value, str):
        return text(value, 2_000)
    if isinstance(value, int):
        return value if int.bit_length(value) <= 53 else _spelt(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping | list | tuple):
        return _nested(value)
    return text(str(value), 2_000)


def _nested(value: object) -> object:
    try:
        kept = json.dumps(value, default=str, ensure_ascii=False, allow_nan=False)
        size = len(kept.encode())
    except (ValueError, RecursionError):
        raise Unfit("holds something that cannot be kept as JSON text") from None
    if "\\u0000" in kept or size > 10_000:
        raise Unfit("holds the control character U+0000, or more than 10,000 bytes")
    return json.loads(kept)
