"""The demo's merchants and customers, with their habits."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.random import Generator

from scoring.demo.places import (
    ABROAD,
    FIRST_WORDS,
    HOMES,
    LAST_WORDS,
    ONLINE,
    PLACES,
    SHOPS,
    Place,
    Trade,
)

CUSTOMERS = 300
ONLINE_EACH = 3  # merchants of each online trade
# Weight of each local hour for most people, and for those who live at night.
DAY = np.array(
    [4, 2, 1, 0.5, 0.5, 1, 5, 15, 30, 35, 40, 48, 60, 55, 45, 42, 48, 60, 68, 60, 45, 30, 18, 9]
)
NIGHT = np.array(
    [40, 38, 30, 22, 12, 5, 3, 3, 5, 8, 10, 14, 20, 22, 25, 28, 30, 34, 38, 42, 45, 48, 48, 44]
)
TRIPS = 0.22  # share of customers who travel once in the sixty days
NEW_PHONES = 0.15
NIGHT_OWLS = 0.06
RISKY_HOBBIES = 0.05  # share with one of the trades that rules frown upon


@dataclass(frozen=True, slots=True)
class Merchant:
    """A shop in one city, or one on the web, which stands wherever its customer sits."""

    name: str
    trade: Trade
    place: Place | None


@dataclass(slots=True)
class Customer:
    """A card holder: where at home, what they use, how much and when they spend."""

    number: int
    home: Place
    wealth: float  # factor on what a trade usually costs
    hours: np.ndarray
    activity: float
    phone: str
    new_phone: str
    new_phone_day: float  # day of the story from which the new phone is used
    trip: tuple[float, float, Place] | None  # from day, to day, where
    regulars: list[Merchant] = field(default_factory=list)
    weights: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def user_id(self) -> str:
        return f"customer-{self.number:04d}"

    @property
    def card_id(self) -> str:
        return f"card-{self.number:04d}"

    def phone_on(self, day: float) -> str:
        return self.new_phone if day >= self.new_phone_day else self.phone

    def place_on(self, day: float) -> Place:
        if self.trip and self.trip[0] <= day < self.trip[1]:
            return self.trip[2]
        return self.home


@dataclass(frozen=True)
class World:
    """Everybody in the story."""

    customers: list[Customer]
    merchants: list[Merchant]

    @cached_property
    def shops_in(self) -> dict[str, list[Merchant]]:
        return {
            place.name: [one for one in self.merchants if one.place is place] for place in PLACES
        }

    @cached_property
    def online(self) -> list[Merchant]:
        return [one for one in self.merchants if one.place is None]

    def selling(self, *trades: str, among: list[Merchant]) -> list[Merchant]:
        return [one for one in among if one.trade.name in trades]


def build(rng: Generator, days: float) -> World:
    """The same generator state gives the same world."""
    merchants = _merchants()
    world = World([_customer(rng, number, days) for number in range(1, CUSTOMERS + 1)], merchants)
    for customer in world.customers:
        _settle(rng, customer, world)
    return world


def _merchants() -> list[Merchant]:
    shops = [
        Merchant(_name(number + 5 * row, trade), trade, place)
        for row, place in enumerate(PLACES)
        for number, trade in enumerate(SHOPS)
    ]
    online = [
        Merchant(f"{_name(number + 4 * row, trade)}.example", trade, None)
        for row in range(ONLINE_EACH)
        for number, trade in enumerate(ONLINE)
    ]
    return shops + online


def _name(number: int, trade: Trade) -> str:
    return f"{FIRST_WORDS[number % len(FIRST_WORDS)]} {LAST_WORDS[trade.name]}"


def _customer(rng: Generator, number: int, days: float) -> Customer:
    home = HOMES[rng.integers(len(HOMES))]
    leaves = rng.uniform(2, days - 8)
    trip = (leaves, leaves + rng.uniform(3, 8), _elsewhere(rng, home))
    return Customer(
        number=number,
        home=home,
        wealth=float(np.exp(rng.normal(0, 0.45))),
        hours=NIGHT if rng.random() < NIGHT_OWLS else DAY,
        activity=rng.gamma(2.5),
        phone=f"phone-{number:04d}",
        new_phone=f"phone-{number:04d}b",
        new_phone_day=rng.uniform(0, days) if rng.random() < NEW_PHONES else days + 1,
        trip=trip if rng.random() < TRIPS else None,
    )


def _elsewhere(rng: Generator, home: Place) -> Place:
    return [place for place in PLACES if place is not home][rng.integers(len(PLACES) - 1)]


def _settle(rng: Generator, customer: Customer, world: World) -> None:
    """The merchants a customer keeps going to, at home and on the web."""
    usual = [one for one in world.online if one.trade.often]
    picked = rng.choice(len(usual), size=6, replace=False)
    customer.regulars = [*world.shops_in[customer.home.name], *(usual[pick] for pick in picked)]
    weights = [one.trade.often * rng.gamma(1.5) for one in customer.regulars]
    if rng.random() < RISKY_HOBBIES:
        risky = [one for one in world.online if not one.trade.often]
        customer.regulars.append(risky[rng.integers(len(risky))])
        weights.append(rng.uniform(3, 9))
    customer.weights = np.array(weights) / sum(weights)


def anywhere_abroad(rng: Generator, but: Place) -> Place:
    """A far city that is not that one."""
    far = [place for place in ABROAD if place is not but]
    return far[rng.integers(len(far))]
