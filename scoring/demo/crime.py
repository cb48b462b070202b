"""What an episode of fraud is told with: the dice, the world, a victim, a moment, a thief."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from scoring.demo.honest import LONGITUDES, MEDIAN, SPREAD
from scoring.demo.payments import NO_DEVICE, Payment, Payments
from scoring.demo.places import HOMES, ONLINE, SHOPS
from scoring.demo.world import PHONES, World, abroad

HOUR, MINUTE = 1 / 24, 1 / 1440
THIEVES = 1 << 40  # device numbers from here on are theirs
GANG = 0.35  # of the strange phones belong to a gang that robs several people
SHOP_NUMBER = {trade.name: number for number, trade in enumerate(SHOPS)}
ONLINE_NUMBER = {trade.name: number for number, trade in enumerate(ONLINE)}


class Crime:
    """One episode being told. It begins where an honest payment was, so that active cards and
    busy hours are robbed more often; `careful` thieves imitate the victim."""

    def __init__(self, rng: Generator, world: World, honest: Payments, careful: float) -> None:
        self.rng, self.world = rng, world
        row = int(rng.integers(honest.count))
        self.victim = int(honest.customer[row])
        self.day = float(honest.day[row])
        self.place = int(honest.place[row])  # where the victim was just then
        # Thieves learn: towards the end of the story more of them take care.
        self.careful = bool(rng.random() < careful * (0.6 + 0.8 * self.day / world.days))
        self.strange_phone = self._strange_phone()

    def _strange_phone(self) -> int:
        gangs = 4 + self.world.customers // 100
        if self.rng.random() < GANG:
            return THIEVES + int(self.rng.integers(gangs))
        return THIEVES + 1_000_000 + int(self.rng.integers(1 << 38))

    @property
    def home(self) -> int:
        return int(self.world.home[self.victim])

    @property
    def own_phone(self) -> int:
        return self.victim * PHONES + int(self.day >= self.world.new_phone_day[self.victim])

    @property
    def phone(self) -> int:
        """A careful thief has taken over the victim's."""
        return self.own_phone if self.careful else self.strange_phone

    # --- dice ---
    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * float(self.rng.random())

    def about(self, middle: float, spread: float) -> float:
        """Log-normal around `middle`."""
        return middle * float(np.exp(spread * self.rng.standard_normal()))

    def waits(self, length: float) -> float:
        """Exponential; of the unit that `length` has."""
        return length * float(self.rng.standard_exponential())

    def times(self, least: int, most: int) -> range:
        return range(int(self.rng.integers(least, most + 1)))

    # --- the world ---
    def abroad(self) -> int:
        return abroad(self.rng, self.place)

    def anywhere(self) -> int:
        return int(self.rng.integers(len(LONGITUDES)))

    def shop(self, place: int, *trades: str) -> int:
        trade = SHOP_NUMBER[trades[int(self.rng.integers(len(trades)))]]
        copy = int(self.rng.integers(self.world.copies))
        return (place * len(SHOPS) + trade) * self.world.copies + copy

    def site(self, *trades: str) -> int:
        """A merchant on the web."""
        trade = ONLINE_NUMBER[trades[int(self.rng.integers(len(trades)))]]
        copy = int(self.rng.integers(self.world.online_copies))
        return self.world.first_online + trade * self.world.online_copies + copy

    def price(self, merchant: int, customer: int | None = None) -> float:
        """What the victim would pay there."""
        trade = int(self.world.trade_of[merchant])
        who = self.victim if customer is None else customer
        return self.about(float(MEDIAN[trade] * self.world.wealth[who]), float(SPREAD[trade]))

    def at_hour(self, day: float, hour: float, place: int) -> float:
        """That day at an hour of the clocks there."""
        return float(np.floor(day)) + (hour - float(LONGITUDES[place]) / 15) * HOUR

    def neighbours(self, place: int, count: int) -> Iterator[int]:
        """Different customers who live in a place and are there on the day."""
        living = self.world.living_in[place]
        for customer in self.rng.permutation(living)[: 3 * count].tolist():
            away = self.world.trip_from[customer] <= self.day < self.world.trip_to[customer]
            if not away:
                yield customer

    def a_home(self) -> int:
        return int(self.rng.integers(len(HOMES)))

    def paid(self, day: float, merchant: int, amount: float, place: int, **other: int) -> Payment:
        """`other`: the customer or device when it is not the victim's or the thief's."""
        on_the_web = merchant >= self.world.first_online
        device = other.get("device", self.phone) if on_the_web else NO_DEVICE
        return Payment(day, other.get("customer", self.victim), merchant, place, amount, device)
