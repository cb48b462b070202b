"""The demo's merchants and customers with their habits, as columns."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from scoring.demo.places import (
    ABROAD,
    FIRST_WORDS,
    HOMES,
    LAST_WORDS,
    ONLINE,
    PLACES,
    SHOPS,
    TRADES,
    Trade,
)

PAYMENTS_A_DAY = 0.45  # of one customer: how many customers so many payments need
ONLINE_EACH = 3  # merchants of each online trade in a small world
# Weight of each local hour for most people, for those who work at night, for early risers.
DAY = [4, 2, 1, 0.5, 0.5, 1, 5, 15, 30, 35, 40, 48, 60, 55, 45, 42, 48, 60, 68, 60, 45, 30, 18, 9]
NIGHT = [40, 38, 30, 22, 12, 5, 3, 3, 5, 8, 10, 14, 20, 22, 25, 28, 30, 34, 38, 42, 45, 48, 48, 44]
EARLY = [0.5, 0.3, 0.3, 1, 8, 25, 45, 50, 48, 40, 35, 38]
EARLY += [50, 40, 30, 30, 40, 45, 30, 15, 8, 4, 2, 1]
HOURS = np.array([DAY, NIGHT, EARLY], float)
RHYTHMS = (0.79, 0.06, 0.15)
TRIPS = 0.22  # share of customers who travel once in sixty days
NEW_PHONES = 0.15
FAMILY_CARDS = 0.12
SHOPKEEPERS = 0.06  # they deposit their takings
RISKY_HOBBIES = 0.05  # share with one of the trades that rules frown upon
PHONES = 4  # device numbers of each customer: the phone, the next one, the family's
USUAL_ONLINE = 6  # merchants on the web that each customer keeps going to
CASH = next(number for number, trade in enumerate(SHOPS) if trade.name == "cash deposit")


@dataclass(frozen=True)
class World:
    """Everybody in the story: one place in each array per customer, one per merchant."""

    days: float
    copies: int  # shops of each trade in each place
    online_copies: int
    home: NDArray[np.int64]
    wealth: NDArray[np.float64]  # factor on what a trade usually costs
    rhythm: NDArray[np.int64]  # row of HOURS
    activity: NDArray[np.float64]
    payday: NDArray[np.float64]  # first day of the story with money on the account
    new_phone_day: NDArray[np.float64]
    trip_from: NDArray[np.float64]
    trip_to: NDArray[np.float64]
    trip_place: NDArray[np.int64]
    family: NDArray[np.bool_]
    regulars: NDArray[np.int64]  # customer × merchant they keep going to …
    cumulated: NDArray[np.float64]  # … and the running sum of how often

    @property
    def customers(self) -> int:
        return len(self.home)

    @property
    def merchants(self) -> int:
        return self.first_online + len(ONLINE) * self.online_copies

    @property
    def first_online(self) -> int:
        """Shops come first, by place, trade and copy; then the web by trade and copy."""
        return len(PLACES) * len(SHOPS) * self.copies

    def shop(self, place: NDArray, trade: NDArray, copy: NDArray) -> NDArray[np.int64]:
        return (place * len(SHOPS) + trade) * self.copies + copy

    def online(self, trade: NDArray, copy: NDArray) -> NDArray[np.int64]:
        return self.first_online + trade * self.online_copies + copy

    @cached_property
    def trade_of(self) -> NDArray[np.int64]:
        """Of each merchant, its number in TRADES."""
        shops = np.tile(np.repeat(np.arange(len(SHOPS)), self.copies), len(PLACES))
        online = np.repeat(len(SHOPS) + np.arange(len(ONLINE)), self.online_copies)
        return np.concatenate([shops, online])

    @cached_property
    def names(self) -> list[str]:
        """Of the merchants."""
        shops = [
            _name(number + 5 * row, trade, copy, "")
            for row in range(len(PLACES))
            for number, trade in enumerate(SHOPS)
            for copy in range(self.copies)
        ]
        return shops + [
            _name(number + 4 * copy, trade, copy // len(FIRST_WORDS), ".example")
            for number, trade in enumerate(ONLINE)
            for copy in range(self.online_copies)
        ]

    def place_on(self, customer: NDArray, day: NDArray) -> NDArray[np.int64]:
        away = (self.trip_from[customer] <= day) & (day < self.trip_to[customer])
        return np.where(away, self.trip_place[customer], self.home[customer])

    def phone_on(self, customer: NDArray, day: NDArray) -> NDArray[np.int64]:
        return customer * PHONES + (day >= self.new_phone_day[customer])

    @cached_property
    def living_in(self) -> list[NDArray[np.int64]]:
        """The customers at home in each place."""
        return [np.flatnonzero(self.home == place) for place in range(len(PLACES))]


def _name(number: int, trade: Trade, copy: int, ending: str) -> str:
    which = f" {copy + 1}" if copy else ""
    return f"{FIRST_WORDS[number % len(FIRST_WORDS)]} {LAST_WORDS[trade.name]}{which}{ending}"


def build(rng: Generator, days: float, payments: int) -> World:
    """As many customers as so many payments need; the same generator state gives the same world."""
    count = max(40, round(payments / (PAYMENTS_A_DAY * days)))
    copies = min(max(1, count // 300), 60)
    online_copies = min(max(ONLINE_EACH, count // 200), 60)
    home = rng.integers(len(HOMES), size=count)
    leaves = rng.uniform(2, max(days - 8, 3), count)
    travels = rng.random(count) < min(TRIPS * max(days, 7) / 60, 0.9)
    phone_day = np.where(rng.random(count) < NEW_PHONES, rng.uniform(0, days, count), days + 1)
    keeps_a_shop = rng.random(count) < SHOPKEEPERS
    regulars, weights = _settled(rng, home, keeps_a_shop, copies, online_copies)
    cumulated = np.cumsum(weights, axis=1)
    return World(
        days=days,
        copies=copies,
        online_copies=online_copies,
        home=home,
        wealth=np.exp(rng.normal(0, 0.45, count)),
        rhythm=rng.choice(len(HOURS), size=count, p=RHYTHMS),
        activity=rng.gamma(2.5, size=count),
        payday=rng.uniform(0, 30, count),
        new_phone_day=phone_day,
        trip_from=np.where(travels, leaves, np.inf),
        trip_to=np.where(travels, leaves + rng.uniform(3, 8, count), np.inf),
        trip_place=_elsewhere(rng, home),
        family=rng.random(count) < FAMILY_CARDS,
        regulars=regulars,
        cumulated=cumulated / cumulated[:, -1:],
    )


def _elsewhere(rng: Generator, home: NDArray) -> NDArray[np.int64]:
    return (home + 1 + rng.integers(len(PLACES) - 1, size=len(home))) % len(PLACES)


def _settled(
    rng: Generator, home: NDArray, keeps_a_shop: NDArray, copies: int, online_copies: int
) -> tuple[NDArray, NDArray]:
    """The merchants each customer keeps going to, and how often: at home, on the web, the vice."""
    count = len(home)
    trades = np.arange(len(SHOPS))
    shops = (home[:, None] * len(SHOPS) + trades) * copies
    shops = shops + rng.integers(copies, size=shops.shape)
    first = len(PLACES) * len(SHOPS) * copies
    usual = np.array([n for n, trade in enumerate(ONLINE) if trade.often])
    risky = np.array([n for n, trade in enumerate(ONLINE) if not trade.often])
    picked = usual[rng.random((count, len(usual))).argsort(axis=1)[:, :USUAL_ONLINE]]
    vice = risky[rng.integers(len(risky), size=(count, 1))]
    online = np.concatenate([picked, vice], axis=1)
    merchants = first + online * online_copies + rng.integers(online_copies, size=online.shape)
    often = np.array([trade.often for trade in TRADES])
    weights = np.concatenate([np.tile(often[trades], (count, 1)), often[len(SHOPS) + online]], 1)
    weights *= rng.gamma(1.5, size=weights.shape)
    weights[:, CASH] = np.where(keeps_a_shop, rng.uniform(10, 25, count), 0)
    has_a_vice = rng.random(count) < RISKY_HOBBIES
    weights[:, -1] = np.where(has_a_vice, rng.uniform(6, 18, count), 0)
    return np.concatenate([shops, merchants], axis=1), weights


def abroad(rng: Generator, but: int) -> int:
    """A far city that is not that one."""
    far = [number for number in range(len(HOMES), len(HOMES) + len(ABROAD)) if number != but]
    return far[rng.integers(len(far))]
