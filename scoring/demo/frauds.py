"""What thieves do: one function per typology, and half of each done with some care."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator

from scoring.demo.honest import Payment, moment, price
from scoring.demo.places import PLACES, Place
from scoring.demo.world import Customer, Merchant, World, anywhere_abroad

HOUR, MINUTE = 1 / 24, 1 / 1440
CAREFUL = 0.45  # share of episodes that imitate the victim: usual amounts, the known phone
NEVER_REPORTED = 0.03

Episode = Callable[["Crime"], Iterator[Payment]]


class Crime:
    """One episode being told: the dice, the world, the victim, when it starts."""

    def __init__(self, rng: Generator, world: World, day: float, number: int) -> None:
        self.rng, self.world, self.number = rng, world, number
        self.victim: Customer = world.customers[rng.integers(len(world.customers))]
        self.day = day
        self.careful = rng.random() < CAREFUL
        self.thiefs_phone = (
            self.victim.phone_on(day) if self.careful else f"phone-x{rng.integers(10**6):06d}"
        )

    def one_of(self, merchants: list[Merchant]) -> Merchant:
        return merchants[self.rng.integers(len(merchants))]

    def times(self, least: int, most: int) -> range:
        return range(self.rng.integers(least, most + 1))

    def paid(self, day: float, merchant: Merchant, amount: float, place: Place) -> Payment:
        device = self.thiefs_phone if merchant.place is None else ""
        return Payment(day, self.victim, merchant, amount, place, device, episode=self.number)


def stolen_card(crime: Crime) -> Iterator[Payment]:
    """The card itself, spent on what sells again, in the victim's own city, until it is blocked."""
    rng, place = crime.rng, crime.victim.place_on(crime.day)
    shops = crime.world.shops_in[place.name]
    day = moment(rng, crime.victim, crime.day, crime.day + 1) if crime.careful else crime.day
    goods = crime.world.selling("electronics", "jewellery", "clothing", "groceries", among=shops)
    for _ in crime.times(3, 6):
        day += rng.exponential(35 if not crime.careful else 150) * MINUTE
        shop = crime.one_of(goods)
        factor = rng.uniform(0.9, 1.6) if crime.careful else rng.uniform(1.5, 4)
        yield crime.paid(day, shop, price(rng, crime.victim, shop) * factor, place)


def card_testing(crime: Crime) -> Iterator[Payment]:
    """Many payments of a dollar or two in minutes, then one that pays for the trouble."""
    rng, day = crime.rng, crime.day
    shops = crime.world.selling("marketplace", "games", "streaming", among=crime.world.online)
    for _ in crime.times(4, 8):
        # Stolen numbers are tried through machines all over the world.
        place = crime.victim.home if crime.careful else PLACES[rng.integers(len(PLACES))]
        day += rng.exponential(70 if crime.careful else 0.25) * MINUTE
        yield crime.paid(day, crime.one_of(shops), rng.uniform(0.4, 6), place)
    shop = crime.one_of(crime.world.selling("gift cards", among=crime.world.online))
    yield crime.paid(day + HOUR, shop, rng.uniform(80, 600), crime.victim.home)


def account_takeover(crime: Crime) -> Iterator[Payment]:
    """Somebody else's phone, far away, moves money out through the web."""
    rng, day = crime.rng, crime.day
    far = anywhere_abroad(rng, crime.victim.place_on(day))
    place = crime.victim.home if crime.careful else far
    shops = crime.world.selling(
        "money transfer", "crypto exchange", "gift cards", "marketplace", among=crime.world.online
    )
    for _ in crime.times(2, 4):
        day += rng.exponential(40) * MINUTE
        yield crime.paid(day, crime.one_of(shops), 180 * np.exp(rng.normal(0.4, 0.7)), place)


def impossible_travel(crime: Crime) -> Iterator[Payment]:
    """A cloned card is used an ocean away, an hour or two after its owner bought bread at home."""
    rng = crime.rng
    place = anywhere_abroad(rng, crime.victim.place_on(crime.day))
    shops, day = crime.world.shops_in[place.name], crime.day
    for _ in crime.times(2, 4):
        shop = crime.one_of(shops)
        factor = 1.0 if crime.careful else rng.uniform(1, 4)
        yield crime.paid(day, shop, price(rng, crime.victim, shop) * factor, place)
        day += rng.exponential(50) * MINUTE


def night_spree(crime: Crime) -> Iterator[Payment]:
    """A lost card between two and five in the morning."""
    rng, place = crime.rng, crime.victim.place_on(crime.day)
    shops = crime.world.selling(
        "bar", "fuel", "restaurant", "groceries", among=crime.world.shops_in[place.name]
    )
    day = np.floor(crime.day) + (rng.uniform(1.2, 3.5) - place.longitude / 15) * HOUR
    for _ in crime.times(3, 5):
        shop = crime.one_of(shops)
        yield crime.paid(day, shop, price(rng, crime.victim, shop) * rng.uniform(1, 3), place)
        day += rng.exponential(25) * MINUTE


def mule(crime: Crime) -> Iterator[Payment]:
    """Large sums pass through within two days."""
    rng, day = crime.rng, crime.day
    shops = crime.world.selling("money transfer", "crypto exchange", among=crime.world.online)
    for _ in crime.times(1, 3):
        amount = rng.uniform(900, 4_000) if crime.careful else rng.uniform(5_000, 14_000)
        yield crime.paid(day, crime.one_of(shops), amount, crime.victim.home)
        day += rng.exponential(10) * HOUR


# Typology, how it is done, its share of the episodes.
TYPOLOGIES: list[tuple[str, Episode, float]] = [
    ("STOLEN_CARD", stolen_card, 0.25),
    ("CARD_TESTING", card_testing, 0.14),
    ("ACCOUNT_TAKEOVER", account_takeover, 0.2),
    ("IMPOSSIBLE_TRAVEL", impossible_travel, 0.17),
    ("NIGHT_SPREE", night_spree, 0.12),
    ("MULE", mule, 0.12),
]


def payments(rng: Generator, world: World, count: int, days: float) -> list[Payment]:
    """So many fraudulent payments, in episodes, each with the day it is reported."""
    told: list[Payment] = []
    number = 0
    while len(told) < count:
        number += 1
        told += _episode(rng, world, number, days)
    return told[:count]


def _episode(rng: Generator, world: World, number: int, days: float) -> list[Payment]:
    names, acts, shares = zip(*TYPOLOGIES, strict=True)
    kind = rng.choice(len(names), p=np.array(shares) / sum(shares))
    crime = Crime(rng, world, rng.uniform(1, days - 0.1), number)
    told = [one for one in acts[kind](crime) if 0 <= one.day < days - 1e-3]
    for one in told:
        one.typology = names[kind]
        one.reported = _reported(rng, one.day)
    return told


def _reported(rng: Generator, day: float) -> float | None:
    """People read their statements late, and some never."""
    if rng.random() < NEVER_REPORTED:
        return None
    return day + float(np.clip(6 * np.exp(rng.normal(0, 0.7)), 0.5, 30))
