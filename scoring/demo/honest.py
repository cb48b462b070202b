"""What honest people do, including what looks like fraud and is not."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from scoring.demo.payments import NO_DEVICE, Payments
from scoring.demo.payments import honest as payments_of
from scoring.demo.places import PLACES, SHOPS, TRADES
from scoring.demo.world import HOURS, PHONES, World

BIG_PURCHASES = 0.012  # a sofa, a ring, a holiday
USED_CARS = 0.0008
SPREES = 0.05  # of payments follow another one within minutes: a mall, an app store
AFTER_PAYDAY = 0.25
BY_THE_FAMILY = 0.4  # of the payments of a customer who gave somebody a second card
WEEK = np.array([0.9, 0.9, 0.95, 1.0, 1.2, 1.25, 0.9])  # Monday first
FESTIVE_AT, FESTIVE_DAYS = 0.62, 6.0  # of the story; more is bought, dearer, as presents
PRESENTS = ("electronics", "jewellery", "clothing")
DEARER = 0.04  # over the whole story
LONGITUDES = np.array([place.longitude for place in PLACES])
MEDIAN = np.array([trade.median for trade in TRADES])
SPREAD = np.array([trade.spread for trade in TRADES])
GIFTS = np.array([n for n, trade in enumerate(SHOPS) if trade.name in PRESENTS])
SMALL = np.array([n for n, trade in enumerate(TRADES) if trade.name in ("games", "streaming")])


def payments(rng: Generator, world: World, count: int, weekday: int) -> Payments:
    """So many honest payments; the story starts on that day of the week, Monday is 0."""
    shares = rng.multinomial(count, world.activity / world.activity.sum())
    customer = np.repeat(np.arange(world.customers), shares)
    family = world.family[customer] & (rng.random(count) < BY_THE_FAMILY)
    day = _days(rng, world, customer, weekday)
    day = moments(rng, world, customer, day)
    merchant = _regular(rng, world, customer)
    customer, family, day, merchant = _sprees(rng, world, customer, family, day, merchant)
    place = np.where(family, world.home[customer], world.place_on(customer, day))
    merchant = _presents(rng, world, day, place, merchant)
    merchant = _where_they_are(rng, world, place, merchant)
    amount = prices(rng, world, customer, merchant) * _season(world, day)
    amount = _large_ones(rng, amount)
    phone = np.where(family, customer * PHONES + 2, world.phone_on(customer, day))
    return payments_of(
        day=day,
        customer=customer,
        merchant=merchant,
        place=place,
        amount=amount,
        device=np.where(merchant < world.first_online, NO_DEVICE, phone),
        family=family,
    )


def prices(rng: Generator, world: World, customer: NDArray, merchant: NDArray) -> NDArray:
    trade = world.trade_of[merchant]
    noise = np.exp(rng.normal(0, 1, len(trade)) * SPREAD[trade])
    return MEDIAN[trade] * world.wealth[customer] * noise


def festive(world: World, day: NDArray) -> NDArray[np.bool_]:
    start = FESTIVE_AT * world.days
    return (day >= start) & (day < start + FESTIVE_DAYS)


def moments(rng: Generator, world: World, customer: NDArray, day: NDArray) -> NDArray:
    """Those days, moved to an hour at which each is about; longitude serves as the clock."""
    cumulated = np.cumsum(HOURS, axis=1) / HOURS.sum(axis=1, keepdims=True)
    dice, hour = rng.random(len(day)), np.zeros(len(day))
    for rhythm, steps in enumerate(cumulated):
        own = world.rhythm[customer] == rhythm
        hour[own] = np.searchsorted(steps, dice[own])
    hour += rng.random(len(day))
    place = world.place_on(customer, day)
    moved = np.floor(day) + (hour - LONGITUDES[place] / 15) / 24
    late = np.maximum(0.0, np.floor(moved - world.days) + 1)
    # The same hour of a day of the story; one of a few hours has not every hour in it.
    moved = moved + (moved < 0) - late
    return np.where((moved < 0) | (moved >= world.days), dice * world.days, moved)


def _days(rng: Generator, world: World, customer: NDArray, weekday: int) -> NDArray:
    """More at weekends, before the feast, and when the wages have come."""
    whole = np.arange(int(np.ceil(world.days)))
    weights = WEEK[(whole + weekday) % 7] * np.where(festive(world, whole), 1.5, 1.0)
    weights *= np.clip(world.days - whole, 0, 1)  # the last day is not over
    steps = np.cumsum(weights) / weights.sum()
    day = np.searchsorted(steps, rng.random(len(customer))) + rng.random(len(customer))
    day = np.minimum(day, world.days * (1 - 1e-9))
    paid = day - (day - world.payday[customer]) % 30
    soon = np.minimum(paid + rng.exponential(1.2, len(day)), day)
    return np.where((rng.random(len(day)) < AFTER_PAYDAY) & (soon >= 0), soon, day)


def _regular(rng: Generator, world: World, customer: NDArray) -> NDArray[np.int64]:
    dice = rng.random(len(customer))
    chosen = np.zeros(len(customer), np.int64)
    for step in range(world.cumulated.shape[1] - 1):
        chosen += dice > world.cumulated[customer, step]
    return world.regulars[customer, chosen]


def _sprees(rng: Generator, world: World, *columns: NDArray) -> tuple[NDArray, ...]:
    """Some payments follow another of the same person within minutes, a third of them in a game."""
    customer, family, day, merchant = columns
    count = len(day)
    after = rng.choice(count, size=int(SPREES * count), replace=False)
    follows = rng.integers(count, size=len(after))
    minutes = rng.exponential(7, len(after)) + 0.2
    customer[after], family[after] = customer[follows], family[follows]
    day[after] = np.minimum(day[follows] + minutes / 1440, world.days * (1 - 1e-9))
    merchant[after] = _regular(rng, world, customer[after])
    game = after[rng.random(len(after)) < 0.33]
    trade = SMALL[rng.integers(len(SMALL), size=len(game))] - len(SHOPS)
    merchant[game] = world.online(trade, rng.integers(world.online_copies, size=len(game)))
    return customer, family, day, merchant


def _presents(
    rng: Generator, world: World, day: NDArray, place: NDArray, merchant: NDArray
) -> NDArray[np.int64]:
    given = festive(world, day) & (rng.random(len(day)) < 0.15)
    trade = GIFTS[rng.integers(len(GIFTS), size=len(day))]
    return np.where(
        given, world.shop(place, trade, rng.integers(world.copies, size=len(day))), merchant
    )


def _where_they_are(
    rng: Generator, world: World, place: NDArray, merchant: NDArray
) -> NDArray[np.int64]:
    """Who is away goes to a shop of the same trade there."""
    there = world.shop(place, world.trade_of[merchant], rng.integers(world.copies, size=len(place)))
    at_home = merchant // (len(SHOPS) * world.copies) == place
    return np.where((merchant >= world.first_online) | at_home, merchant, there)


def _season(world: World, day: NDArray) -> NDArray:
    return (1 + DEARER * day / world.days) * np.where(festive(world, day), 1.2, 1.0)


def _large_ones(rng: Generator, amount: NDArray) -> NDArray:
    count = len(amount)
    large = np.minimum(amount * rng.uniform(6, 40, count), rng.uniform(5_000, 9_900, count))
    amount = np.where(rng.random(count) < BIG_PURCHASES, large, amount)
    return np.where(rng.random(count) < USED_CARS, rng.uniform(7_000, 16_000, count), amount)
