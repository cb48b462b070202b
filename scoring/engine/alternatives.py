"""What a customer could have done differently in one payment, from what they usually do.

A change sets fields of the event, never of a vector: an amount moves its logarithm, every ratio and
every deviation with it, because all of them are computed again. What a customer cannot change in
this payment, their own past and what is known of frauds, is the past and stays as it is.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scoring.engine.decision import Policy
from scoring.engine.feature import Feature
from scoring.engine.history import EVENT, HOUR, Rows
from scoring.engine.names import CHANNELS
from scoring.engine.transaction import UNITS

Fields = Mapping[str, int | float]
LATEST = 100  # payments that say what is usual, as for the median of the register
LEAST = 5  # payments before an hour of the day is called usual
ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)  # amounts people would name, of each power of ten
MOST_AMOUNTS = 12
MONTH = 30 * 24 * HOUR


@dataclass(frozen=True)
class Try:
    """One change of one event: what is set, and the words for it."""

    change: str
    fields: Fields
    words: str


@dataclass(frozen=True)
class Change:
    """A kind of change, the features it is meant to move, and what it would try."""

    name: str
    moves: Callable[[Feature], bool]
    tries: Callable[[np.void, Rows, Policy, str], Iterable[Try]]


def own_past(event: np.void, by_user: Rows) -> Rows:
    """The latest payments of the event's user within the 30 days strictly before it."""
    users = by_user["user"]  # in order
    first, end = (np.searchsorted(users, event["user"], side) for side in ("left", "right"))
    rows = by_user[first:end]
    earlier = (rows["time"] < event["time"]) | (
        (rows["time"] == event["time"]) & (rows["id"] < event["id"])
    )
    known: Rows = rows[earlier & (rows["time"] > event["time"] - MONTH)][-LATEST:]
    return known


def alternatives(event: np.void, past: Rows, policy: Policy, currency: str) -> list[Try]:
    """Everything worth trying for this event, in the order of the register."""
    return [found for change in CHANGES for found in change.tries(event, past, policy, currency)]


def applied(events: Rows, changes: Sequence[Iterable[Fields]]) -> Rows:
    """These events, each with the fields of its changes."""
    rows = events.copy()
    columns = {name: rows[name] for name in EVENT.names or ()}
    for place, some in enumerate(changes):
        for fields in some:
            for name, value in fields.items():
                columns[name][place] = value
    return rows


def actionable(feature: Feature) -> tuple[str, ...]:
    """The changes that are meant to move it; none for the past and for known frauds of a user."""
    return tuple(change.name for change in CHANGES if change.moves(feature))


def _amounts(event: np.void, past: Rows, policy: Policy, currency: str) -> Iterable[Try]:
    """Round amounts from the user's median up to this one, the smallest first."""
    own = int(event["units"])
    usual = sorted(past["units"].tolist())[len(past) // 2] if len(past) else own // 100
    floor = max(usual // 100 * 100, 1)
    tens = [10.0**power for power in range(-1, len(str(own)) - 3)]
    steps = {round(ten * number * UNITS) for ten in tens for number in ROUND}
    between = sorted(step for step in steps | {int(policy.high_amount * UNITS)} if step > floor)
    rungs = [floor, *(step for step in between if step < own)] if floor < own else []
    if len(rungs) > MOST_AMOUNTS:
        last, most = len(rungs) - 1, MOST_AMOUNTS - 1
        rungs = [rungs[round(last * place / most)] for place in range(MOST_AMOUNTS)]
    for units in rungs:
        told = f"with an amount of {units / UNITS:,.2f} {currency}".strip()
        below = ", this customer's median" if len(past) else ""
        yield Try("amount", {"units": units}, told + (below if units == floor else " or less"))


def _usual(entity: str, words: str) -> Callable[[np.void, Rows, Policy, str], Iterable[Try]]:
    """What of this kind the user pays with or at most, if this payment names another."""

    def tries(event: np.void, past: Rows, policy: Policy, currency: str) -> Iterable[Try]:
        latest = _latest_of_most(past, entity)
        if latest is not None and event[entity] and latest[entity] != event[entity]:
            yield Try(entity, {name: latest[name].item() for name in WITH[entity]}, words)

    return tries


# What goes with an entity: a merchant has its category, a place lies somewhere.
WITH = {
    "device": ("device",),
    "card": ("card",),
    "merchant": ("merchant", "category"),
    "place": ("place", "lat", "lon", "country"),
}


def _latest_of_most(past: Rows, entity: str) -> np.void | None:
    keys = past[entity].tolist()
    count = Counter(key for key in keys if key)
    if not count:
        return None
    most = max(count.values())
    wanted = {key for key, times in count.items() if times == most}
    return past[max(place for place, key in enumerate(keys) if key in wanted)]  # type: ignore[no-any-return]


def _merchants(event: np.void, past: Rows, policy: Policy, currency: str) -> Iterable[Try]:
    """The usual merchant; its code is not kept with the past, and is no longer this one's."""
    usual = _usual("merchant", "at the merchant this customer pays most often")
    for found in usual(event, past, policy, currency):
        yield Try("merchant", {**found.fields, "mcc": 0}, found.words)


def _hours(event: np.void, past: Rows, policy: Policy, currency: str) -> Iterable[Try]:
    """The last time it was the usual hour of the user: earlier, so that nothing is foreseen."""
    if len(past) < LEAST:
        return
    clock = int(event["offset"]) * 1_000_000
    count = np.bincount((past["time"] + clock) // HOUR % 24, minlength=24)
    usual = int(np.argmax(2 * count + np.roll(count, 1) + np.roll(count, -1)))
    earlier = (int((event["time"] + clock) // HOUR % 24) - usual) % 24
    if 3 < earlier < 21:
        words = f"around {usual:02d}:00, when this customer usually pays ({earlier} hours earlier)"
        yield Try("hour", {"time": int(event["time"]) - earlier * HOUR}, words)


def _channels(event: np.void, past: Rows, policy: Policy, currency: str) -> Iterable[Try]:
    if event["online"] == 1:
        channel = CHANNELS["pos"] if event["channel"] else 0
        yield Try("channel", {"online": 0.0, "channel": channel}, "in person instead of online")


AMOUNT = (
    "amount",
    "amount_log",
    "amount_in_category",
    "amount_zscore_30d",
    "amount_deviation",
    "same_amount_count_24h",
)
CATEGORIES = ("new_category", "category", "amount_in_category", "distinct_categories_")
PLACES = ("new_place", "distinct_places_", "location_distance_km", "implied_speed_kmh",
          "new_country", "country_changed", "distinct_countries_")  # fmt: skip
CLOCK = ("hour", "hour_sin", "hour_cos", "day_of_week", "is_weekend", "hour_share_30d")
MERCHANTS = ("new_merchant", "distinct_merchants_", "merchant_share_", "amount_over_merchant_")
CHANGES = [
    Change("amount", lambda f: f.name in AMOUNT or "amount_over_" in f.name, _amounts),
    Change(
        "device",
        lambda f: f.entity == "device" or f.name in ("new_device", "distinct_devices_30d"),
        _usual("device", "from the device this customer uses most"),
    ),
    Change(
        "card",
        lambda f: f.entity == "card" or "distinct_cards_" in f.name,
        _usual("card", "with the card this customer uses most"),
    ),
    Change(
        "merchant",
        lambda f: f.entity in ("merchant", "category") or f.name.startswith(MERCHANTS + CATEGORIES),
        _merchants,
    ),
    Change(
        "place",
        lambda f: f.name.startswith(PLACES),
        _usual("place", "in the place where this customer pays most"),
    ),
    Change("hour", lambda f: f.name in CLOCK, _hours),
    Change("channel", lambda f: f.name == "is_online" or f.name.startswith("channel_"), _channels),
]
