"""What may be said of a source: each field by itself and all together, for every door alike."""

from collections.abc import Mapping
from typing import Any

from scoring import connections, schemas
from scoring.columns import Refused, checked_options
from scoring.engine import fields
from scoring.engine.notices import FIELDS as NOTICE_FIELDS
from scoring.models import Source

MOST_PII, MOST_ABOUT = 200, 20
LONGEST_TITLE = 120
LONGEST_WAIT = 20 * 366 * 86_400  # seconds: twenty years
LONGEST_AHEAD = 7 * 86_400


def checked(
    kind: str, said: Mapping[str, Any], secrets: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The same fields and secrets, every one sensible; Refused names the one that is not."""
    kept = dict(said)
    if kind not in Source.Kind.values:
        raise Refused("kind", f"The kind is one of {', '.join(Source.Kind.values)}.")
    for name, check in CHECKS.items():
        if name in kept:
            kept[name] = check(name, kept[name])
    if "connection" in kept:
        kept["connection"] = connections.checked(kind, kept["connection"])
    return kept, connections.checked_secrets(kind, secrets)


def _title(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TITLE or not value.isprintable():
        raise Refused(name, f"A title is one line of at most {LONGEST_TITLE} characters.")
    return value.strip()


def _currency(name: str, value: Any) -> str:
    return _fit(name, fields.currency, value)


def _timezone(name: str, value: Any) -> str:
    return _fit(name, fields.zone_name, value)


def _fit(name: str, how: Any, value: Any) -> str:
    try:
        return str(how(value))
    except fields.Unfit as unfit:
        raise Refused(name, f"{str(value)[:80]} {unfit}.") from None


def _mapping(name: str, value: Any) -> dict[str, str]:
    """To fields of payments, or, of a source that speaks about them, of notices."""
    if isinstance(value, Mapping) and set(value.values()) <= NOTICE_FIELDS:
        return dict(checked_options({"mapping": value, "notices": True}).get("mapping", {}))
    return dict(checked_options({"mapping": value}).get("mapping", {}))


def _about(name: str, value: Any) -> list[str]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refused(name, "Give a list of names of sources.")
    kept = list(dict.fromkeys(one.strip() for one in value if one.strip()))
    if len(kept) > MOST_ABOUT or any(len(one) > 64 or "\x00" in one for one in kept):
        raise Refused(name, f"At most {MOST_ABOUT} names of sources.")
    return kept


def _schema(name: str, value: Any) -> dict[str, Any] | None:
    try:
        return schemas.checked(value)
    except schemas.Unusable as unusable:
        raise Refused(name, str(unusable)) from None


def _connection(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused(name, "The connection is an object of settings.")
    return dict(value)


def _pii(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refused(name, "Give a list of field names.")
    kept = list(dict.fromkeys(one.strip() for one in value if one.strip()))
    if len(kept) > MOST_PII or any(len(one) > 200 or "\x00" in one for one in kept):
        raise Refused(name, f"At most {MOST_PII} names of at most 200 characters.")
    return kept


def _late(name: str, value: Any) -> str:
    return _one_of(name, value, Source.Late.values)


def _future(name: str, value: Any) -> str:
    return _one_of(name, value, Source.Future.values)


def _one_of(name: str, value: Any, choices: list[str]) -> str:
    if value not in choices:
        raise Refused(name, f"Choose one of {', '.join(choices)}.")
    return str(value)


def _late_after(name: str, value: Any) -> int:
    return _seconds(name, value, LONGEST_WAIT, least=1)


def _future_after(name: str, value: Any) -> int:
    return _seconds(name, value, LONGEST_AHEAD)


def _seconds(name: str, value: Any, most: int, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Refused(name, f"A whole number of seconds between {least} and {most:,}.")
    return value


CHECKS = {
    "title": _title,
    "currency": _currency,
    "timezone": _timezone,
    "mapping": _mapping,
    "connection": _connection,
    "about": _about,
    "schema": _schema,
    "pii": _pii,
    "late": _late,
    "late_after": _late_after,
    "future": _future,
    "future_after": _future_after,
}
