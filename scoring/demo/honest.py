"""What honest people do, including what looks like fraud and is not."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from scoring.demo.places import Place
from scoring.demo.world import Customer, Merchant, World

BIG_PURCHASES = 0.012  # a sofa, a ring, a holiday
USED_CARS = 0.0008


@dataclass(slots=True)
class Payment:
    """One payment. `day` counts from the story's start, in UTC; no typology means honest."""

    day: float
    customer: Customer
    merchant: Merchant
    amount: float
    place: Place
    device: str
    typology: str = ""
    episode: int = 0
    reported: float | None = None  # the day on which the bank learns of the fraud


def payments(rng: Generator, world: World, count: int, days: float) -> list[Payment]:
    """So many honest payments, spread over the customers by how active they are."""
    activity = np.array([customer.activity for customer in world.customers])
    shares = rng.multinomial(count, activity / activity.sum())
    return [
        _payment(rng, world, customer, days)
        for customer, share in zip(world.customers, shares, strict=True)
        for _ in range(share)
    ]


def _payment(rng: Generator, world: World, customer: Customer, days: float) -> Payment:
    day = moment(rng, customer, rng.uniform(0, days), days)
    place = customer.place_on(day)
    merchant = customer.regulars[rng.choice(len(customer.weights), p=customer.weights)]
    if merchant.place is not None and place is not customer.home:
        among = world.shops_in[place.name]
        merchant = among[rng.integers(len(among))]
    amount = price(rng, customer, merchant)
    if rng.random() < BIG_PURCHASES:
        amount = min(amount * rng.uniform(6, 40), rng.uniform(5_000, 9_900))
    if rng.random() < USED_CARS:
        amount = rng.uniform(7_000, 16_000)
    device = customer.phone_on(day) if merchant.place is None else ""
    return Payment(day, customer, merchant, amount, place, device)


def price(rng: Generator, customer: Customer, merchant: Merchant) -> float:
    trade = merchant.trade
    return float(trade.median * customer.wealth * np.exp(rng.normal(0, trade.spread)))


def moment(rng: Generator, customer: Customer, day: float, days: float) -> float:
    """That day, moved to an hour at which this customer is about; longitude serves as the clock."""
    place = customer.place_on(day)
    hour = rng.choice(24, p=customer.hours / customer.hours.sum()) + rng.random()
    moved = np.floor(day) + (hour - place.longitude / 15) / 24
    late = max(0.0, np.floor(moved - days) + 1)
    return float(moved + (moved < 0) - late)  # the same hour of a day of the story
