"""What senders call things, and what we call them."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

# Other names under which senders give a field. The field's own name wins over them.
ALIASES = {
    "entity_id": "user_id",
    "merchant": "merchant_name",
    "merchant_type": "merchant_category",
    "category": "merchant_category",
    "city": "location",
    "lat": "latitude",
    "lon": "longitude",
    "lng": "longitude",
    "event_time": "timestamp",
}
TEXTS = {
    "transaction_id": 128,
    "user_id": 128,
    "card_id": 128,
    "device_id": 128,
    "merchant_name": 200,
    "merchant_category": 100,
    "location": 200,
    "channel": 32,
}
# Features a client may send; ours win, theirs are compared with them.
HINTS = frozenset(
    {
        "hour",
        "day_of_week",
        "is_weekend",
        "location_distance_km",
        "time_since_last_transaction_minutes",
        "transaction_count_1h",
        "total_amount_24h",
    }
)
FIELDS = frozenset(TEXTS) | {
    "amount",
    "currency",
    "timestamp",
    "time_of_day",
    "timezone",
    "mcc",
    "country",
    "latitude",
    "longitude",
    "is_online",
}
REQUIRED = ("transaction_id", "user_id", "amount")
ONLINE_CHANNELS = frozenset(
    {"online", "web", "internet", "ecommerce", "e-commerce", "ecom", "app", "mobile"}
)
PRESENT_CHANNELS = frozenset(
    {"pos", "in_store", "in-store", "store", "atm", "branch", "chip", "swipe"}
)
# The kinds of channel a model tells apart, by the words senders use for them.
CHANNELS = {
    **dict.fromkeys(("online", "web", "internet", "ecommerce", "e-commerce", "ecom"), 1),
    **dict.fromkeys(("app", "mobile"), 2),
    **dict.fromkeys(("pos", "in_store", "in-store", "store", "chip", "swipe"), 3),
    "atm": 4,
}
OTHER_CHANNEL = 5
MOST_EXTRA = 100
LONGEST_NUMBER = 40  # characters


def channel_number(channel: str) -> int:
    """Which kind of channel a word means; 0 for silence, 5 for a word nobody here knows."""
    return CHANNELS.get(channel.lower(), OTHER_CHANNEL) if channel else 0


class Names(dict[str, tuple[str, int]]):
    """Incoming name → our field, and its rank when two columns give the same field."""


def names_of(mapping: Mapping[str, str] | None) -> Names:
    """What this mapping makes of names; made once where many records have the same."""
    return _names(tuple(mapping.items()) if mapping else ())


@lru_cache(maxsize=256)
def _names(mapping: tuple[tuple[str, str], ...]) -> Names:
    known = {alias: (field, 2) for alias, field in ALIASES.items()}
    known |= {field: (field, 1) for field in FIELDS | HINTS}
    return Names(known | {theirs: (ours, 0) for theirs, ours in mapping})


def our_name(theirs: str, mapping: Mapping[str, str] | None) -> str:
    """The field of ours that a name gives; empty for what nobody here knows."""
    known = names_of(mapping).get(theirs)
    return known[0] if known else ""


def by_our_names(
    record: Mapping[str, Any], mapping: Mapping[str, str] | Names | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was said in fields of ours, and all else. Silence is left out.

    Of two names for one field a mapping's wins, then our own, then the first of the others. What
    the lesser one says is kept under its own name, unless it says the same.
    """
    names = mapping if isinstance(mapping, Names) else names_of(mapping)
    given: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    extra: dict[str, Any] = {}
    for name, value in record.items():
        if value is None or value == "" or value != value:  # `fields.absent`, without the call
            continue
        known = names.get(name)
        if known is None:
            extra[name] = value
            continue
        field, rank = known
        if field not in given:
            given[field] = value
            ranks[field] = rank
            continue
        differs = not same(field, given[field], value)
        if rank < ranks[field]:
            if differs:
                lesser = _name_of((field, ranks[field]), given[field], record, names)
                extra[lesser] = given[field]
            given[field] = value
            ranks[field] = rank
        elif differs:
            extra[name] = value
    return given, extra


def same(field: str, one: Any, other: Any) -> bool:
    """Whether two values say the same of a field, as far as that is plain to see."""
    if one == other:
        return True
    try:
        texts = str(one).strip(), str(other).strip()
        if texts[0] == texts[1]:
            return True
        if field in TEXTS or max(map(len, texts)) > LONGEST_NUMBER:
            return False  # "007" is not the user "7"
        return Decimal(texts[0]) == Decimal(texts[1])
    except (ArithmeticError, ValueError):  # no numbers, or a thousand digits
        return False


def _name_of(known: tuple[str, int], value: Any, record: Mapping[str, Any], names: Names) -> str:
    return next(name for name in record if names.get(name) == known and record[name] == value)
