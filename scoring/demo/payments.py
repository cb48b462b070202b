"""Payments as columns: a million of them are made in seconds, and sorted and cut without a loop."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

NO_DEVICE = -1  # the card itself was there
ORIGINS = ("", "chargeback", "customer", "analyst")  # who said that it was fraud


class Payment(NamedTuple):
    """One fraudulent payment as it is told; numbers point into the columns of the world."""

    day: float
    customer: int
    merchant: int
    place: int
    amount: float
    device: int


class Payments(NamedTuple):
    """One place in each array per payment. `day` counts from the story's start, in UTC.

    `typology` is the number in the register plus one, 0 for honest; `reported` the day on which
    the bank learns of the fraud, NaN for never; `origin` says from whom.
    """

    day: NDArray[np.float64]
    customer: NDArray[np.int64]
    merchant: NDArray[np.int64]
    place: NDArray[np.int64]
    amount: NDArray[np.float64]
    device: NDArray[np.int64]
    family: NDArray[np.bool_]  # made with the second card of the family
    typology: NDArray[np.int64]
    episode: NDArray[np.int64]
    careful: NDArray[np.bool_]  # the thief imitates the victim
    reported: NDArray[np.float64]
    origin: NDArray[np.int64]

    @property
    def count(self) -> int:
        return len(self.day)

    @property
    def fraud(self) -> NDArray[np.bool_]:
        return self.typology > 0

    def where(self, wanted: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        return type(self)(*(column[wanted] for column in self))

    def in_order(self) -> Self:
        """By time, then customer; those still equal stay as they were told."""
        return self.where(np.lexsort((self.customer, self.day)))


def honest(**columns: NDArray) -> Payments:
    """These columns, and of nobody's doing."""
    count = len(columns["day"])
    return Payments(
        **columns,
        typology=np.zeros(count, np.int64),
        episode=np.zeros(count, np.int64),
        careful=np.zeros(count, bool),
        reported=np.full(count, np.nan),
        origin=np.zeros(count, np.int64),
    )


def told(payments: Sequence[Payment], facts: Sequence[tuple]) -> Payments:
    """Fraudulent ones; `facts` are (typology, episode, careful, reported, origin) of each."""
    kinds = (np.float64, np.int64, np.int64, np.int64, np.float64, np.int64)
    said = (np.int64, np.int64, bool, np.float64, np.int64)
    first = _columns(payments, kinds)
    return Payments(*first, np.zeros(len(payments), bool), *_columns(facts, said))


def _columns(rows: Sequence[tuple], kinds: Iterable[type]) -> list[NDArray]:
    columns = zip(*rows, strict=True) if rows else [()] * 6
    return [np.array(column, kind) for column, kind in zip(columns, kinds, strict=False)]


def joined(*parts: Payments) -> Payments:
    return Payments(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
