"""A sample nobody can steer and anybody can draw again: by a keyed hash of what is drawn.

Whether something is drawn follows from its name and a secret key alone. Whoever does not know the
key cannot foresee it, and drawing again comes to the same.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from math import inf, sqrt

from scoring.engine.intervals import weighted_count, wilson

LEAST = 2  # drawn of a stratum that has so many: of one alone nothing can be said


def share(key: bytes, name: str) -> float:
    """A number in [0, 1) for this name, as good as drawn."""
    return int.from_bytes(blake2b(name.encode(), key=key, digest_size=8).digest()) / 2**64


def lowest(key: bytes, names: Iterable[int], many: int) -> list[int]:
    """So many of them, each equally likely: those whose hash is lowest, in rising order of it.

    Hashes of different names are independent, so each set of this size is equally likely.
    """
    if many <= 0:
        return []
    return heapq.nsmallest(many, names, key=lambda name: (share(key, str(name)), name))


def stratum_of(score: float, edges: Sequence[float]) -> int:
    """Which band a score lies in: the first whose upper edge it is below, else the last."""
    return next((n for n, edge in enumerate(edges) if score < edge), len(edges))


def bands(edges: Sequence[float]) -> list[tuple[float, float]]:
    return list(pairwise([0.0, *edges, inf]))


def allocated(populations: Sequence[int], budget: int) -> list[int]:
    """How many of each stratum: in proportion to the root of its size (Bankier, “Power
    allocations”, The American Statistician 42, 1988), at least two where there are two.

    In proportion to size nearly all would be of low scores, where nothing is found; the same of
    each would give the few that are found among low scores weights in the thousands. Never more
    than the budget, unless it is below two for each stratum, nor more than there are.
    """
    given = [min(LEAST, size) for size in populations]
    roots = [sqrt(size) for size in populations]
    while (left := budget - sum(given)) > 0:
        free = [n for n, size in enumerate(populations) if given[n] < size]
        if not free:
            break
        # The stratum that is furthest behind its due; one at a time, budgets are small.
        behind = min(free, key=lambda n: ((given[n] + 1) / roots[n], n))
        given[behind] += min(1, left)
    return given


@dataclass(frozen=True)
class Drawn:
    """One band of a draw: how many there were, and which of them were drawn, lowest hash first."""

    population: int
    ids: list[int]

    @property
    def chance(self) -> float:
        """With which each of them was drawn."""
        return len(self.ids) / self.population if self.population else 0.0


def stratified(
    rows: Iterable[tuple[int, float]], edges: Sequence[float], budget: int, key: bytes
) -> list[Drawn]:
    """Of (id, score) pairs, read once, so many altogether: of each band those of lowest hash.

    Whatever order the rows come in, the same are drawn; memory is that of the budget.
    """
    populations = [0] * (len(edges) + 1)
    kept: list[list[tuple[float, int]]] = [[] for _ in populations]
    most_kept = max(budget, LEAST)
    for number, score in rows:
        band = stratum_of(score, edges)
        populations[band] += 1
        # A heap of the lowest hashes; its top is the highest of them, to be pushed out.
        one = (-share(key, str(number)), -number)
        if len(kept[band]) < most_kept:
            heapq.heappush(kept[band], one)
        elif one > kept[band][0]:
            heapq.heapreplace(kept[band], one)
    many = allocated(populations, budget)
    return [
        Drawn(size, [-number for _, number in sorted(heap, reverse=True)[:most]])
        for size, heap, most in zip(populations, kept, many, strict=True)
    ]


@dataclass(frozen=True)
class Stratum:
    """What is known of one band: how many there are, were looked at, and turned out to be frauds.

    `population` are the payments below the line, `answered` those of the sample with an answer.
    """

    population: float
    answered: int
    found: int

    @property
    def weight(self) -> float:
        """How many payments each answer stands for."""
        return self.population / self.answered


@dataclass(frozen=True)
class Estimate:
    """A total, with its 95 % interval, of the strata that have an answer."""

    total: float
    low: float
    high: float
    covered: float  # payments in strata with an answer
    left: float  # payments in strata without one: nothing is said about those


def horvitz_thompson(values: Sequence[float], chances: Sequence[float]) -> float:
    """The total of a population from a sample: each value stands for 1 / its chance to be drawn.

    Horvitz and Thompson, JASA 47, 1952. Unbiased when every drawn one is answered.
    """
    return sum(value / chance for value, chance in zip(values, chances, strict=True))


def hajek(values: Sequence[float], chances: Sequence[float]) -> float:
    """The mean of a population: the same, over the sum of the weights (Hájek, 1971).

    Answers that are missing at random cancel.
    """
    weights = sum(1 / chance for chance in chances)
    return horvitz_thompson(values, chances) / weights if weights else float("nan")


def strata_of(
    populations: Mapping[int, int], answers: Iterable[tuple[int, float, bool]]
) -> list[Stratum]:
    """Bands as draws of several days left them: (band, chance, fraud) of each answer.

    Days differ in their chances, so within a band each chance is a stratum of its own. Their
    weights are scaled so that together they stand for the whole band: Hájek's mean of it.
    """
    cells: dict[tuple[int, float], tuple[int, int]] = {}
    for band, chance, fraud in answers:
        many, frauds = cells.get((band, chance), (0, 0))
        cells[band, chance] = many + 1, frauds + fraud
    found = []
    for band, population in sorted(populations.items()):
        mine = [(one[1], *own) for one, own in sorted(cells.items()) if one[0] == band]
        stand_for = sum(many / chance for chance, many, _ in mine)
        if not mine:
            found.append(Stratum(population, 0, 0))
        for chance, many, frauds in mine:
            found.append(Stratum(population * (many / chance) / stand_for, many, frauds))
    return found


def estimated(strata: Iterable[Stratum]) -> Estimate | None:
    """The frauds below the line: in each band the mean of the answers times its size.

    That is Hájek's mean of each band, so answers still missing bias nothing as long as which of a
    band are missing is chance. None when nobody has answered anything.
    """
    known = [one for one in strata if one.population]
    seen = [one for one in known if one.answered]
    if not seen:
        return None
    found, weights = [one.found for one in seen], [one.weight for one in seen]
    low, high = weighted_count(found, weights)
    covered, least = sum(one.population for one in seen), sum(found)
    return Estimate(
        total=sum(f * w for f, w in zip(found, weights, strict=True)),
        low=min(max(low, least), covered),
        high=min(high, covered),
        covered=covered,
        left=sum(one.population for one in known) - covered,
    )


def recall(caught: int, missed: Estimate) -> tuple[float, float, float]:
    """The share of all frauds that was raised, and its interval; NaN where there are none."""
    ends = (missed.total, missed.high, missed.low)
    found = [caught / (caught + m) if caught + m else float("nan") for m in ends]
    return found[0], found[1], found[2]


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval (Wilson)."""

    found: int
    of: int

    @property
    def value(self) -> float | None:
        return self.found / self.of if self.of else None

    @property
    def low(self) -> float:
        return wilson(self.found, self.of)[0]

    @property
    def high(self) -> float:
        return wilson(self.found, self.of)[1]


def counted(rows: Iterable[tuple[str, bool, int]]) -> Mapping[str, Share]:
    """Of each name how many there are and how many of them are so; a row stands for so many."""
    counts: dict[str, list[int]] = {}
    for name, so, many in rows:
        own = counts.setdefault(name, [0, 0])
        own[0] += so * many
        own[1] += many
    return {name: Share(*own) for name, own in counts.items()}


def weighted_share(found: Sequence[bool], chances: Sequence[float]) -> tuple[float, float, float]:
    """Hájek's share of a population and its 95 % interval, from rows drawn with these chances.

    Wilson's interval of as many rows as these are worth: the square of the sum of the weights over
    the sum of their squares (Kish, Survey Sampling, 1965).
    """
    weights = [1 / chance for chance in chances]
    if not weights:
        return float("nan"), 0.0, 1.0
    value = hajek([float(one) for one in found], chances)
    worth = sum(weights) ** 2 / sum(weight * weight for weight in weights)
    return (value, *wilson(value * worth, worth))
