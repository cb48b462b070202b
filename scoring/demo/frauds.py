"""Episodes of fraud until there are enough, each noticed by somebody, late, or by nobody."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from scoring.demo.crime import Crime
from scoring.demo.payments import ORIGINS, Payment, Payments, told
from scoring.demo.typologies import REGISTER, Typology
from scoring.demo.world import World

NEVER_REPORTED = 0.03
FRESH = 2
TOMORROW = 0.5  # days after the story's end
# Median of days, spread of the logarithm, least and most: weeks, days, hours.
DELAYS = {
    "chargeback": (16.0, 0.4, 5.0, 60.0),
    "customer": (2.5, 0.8, 0.1, 20.0),
    "analyst": (0.25, 0.7, 0.02, 1.5),
}


def payments(
    rng: Generator,
    world: World,
    honest: Payments,
    count: int,
    kinds: Sequence[Typology] = REGISTER,
    fresh_days: float = 0.0,
) -> Payments:
    """So many fraudulent payments, in episodes; the last one is cut short to the number.

    With `fresh_days` each kind has two episodes without care in those last days that nobody has
    reported yet: what a fraud desk finds on its table in the morning.
    """
    book = _Book(rng, world)
    if fresh_days:
        ago = world.days - honest.day  # soon enough for an episode of two days to be told
        lately = honest.where((ago < fresh_days) & (ago > 0.2 * fresh_days))
        for typology in FRESH * tuple(kinds):
            while not book.tell(typology, Crime(rng, world, lately, 0.0), fresh=True):
                pass
    misses = 0
    while len(book.rows) < count:
        typology = _drawn(rng, kinds)
        crime = Crime(rng, world, honest, typology.careful)
        if crime.day < typology.since * world.days and len(kinds) > 1:
            continue  # it does not exist yet
        misses += not book.tell(typology, crime)
        if misses > 1_000 + count:
            raise ValueError(f"{world.days:.1f} days are too short for {typology.name}")
    return told(book.rows[:count], book.facts[:count])


class _Book:
    """The episodes told so far, payment by payment."""

    def __init__(self, rng: Generator, world: World) -> None:
        self.rng, self.world = rng, world
        self.rows: list[Payment] = []
        self.facts: list[tuple] = []
        self.episodes = 0

    def tell(self, typology: Typology, crime: Crime, *, fresh: bool = False) -> bool:
        """Write down one more; False when nothing of it falls into the story."""
        days = self.world.days
        found = [one for one in typology.tell(crime) if 0 <= one.day < days]
        if not found:
            return False
        self.episodes += 1
        reported, origin = _noticed(self.rng, typology, max(one.day for one in found))
        if fresh:
            reported = max(reported, days + TOMORROW)
        number = REGISTER.index(typology) + 1
        self.rows += found
        self.facts += [(number, self.episodes, crime.careful, reported, origin)] * len(found)
        return True


def _drawn(rng: Generator, kinds: Sequence[Typology]) -> Typology:
    dice = rng.random() * sum(one.share for one in kinds)
    for one in kinds:
        dice -= one.share
        if dice < 0:
            return one
    return kinds[-1]


def _noticed(rng: Generator, typology: Typology, end: float) -> tuple[float, int]:
    """The day on which it is reported, and by whom; (NaN, 0) for never."""
    if rng.random() < NEVER_REPORTED:
        return float("nan"), 0
    steps = np.cumsum(typology.noticed)
    origin = 1 + int(np.searchsorted(steps, rng.random() * steps[-1], side="right"))
    middle, spread, least, most = DELAYS[ORIGINS[origin]]
    delay = middle * float(np.exp(spread * rng.standard_normal()))
    return end + min(max(delay, least), most), origin
