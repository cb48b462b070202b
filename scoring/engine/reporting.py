"""How long frauds take to be reported, from those that were: what is seen of those of a given age.

Delays are only known of frauds already reported, so long ones are missing among young frauds. The
product-limit estimate in reversed time is right all the same (Lagakos, Barraj and De Gruttola,
"Nonparametric analysis of truncated survival data", Biometrika 75, 1988): among the frauds old
enough for a delay of d to have been seen, and reported within d, the share that took exactly d.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.history import FOREVER

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
LEAST = 30  # frauds that could have shown a delay; longer ones are not told apart
FLOOR = 0.25  # of what is seen: no fraud stands for more than four


@dataclass(frozen=True)
class Reporting:
    """The delays seen, rising, and the share of frauds reported within each of them.

    The share is of those that are ever reported within the longest delay that could be seen.
    """

    delays: Integers  # microseconds
    shares: Floats

    def seen(self, ages: Integers) -> Floats:
        """The share reported of the frauds of these ages; 1 where nothing is known of delays."""
        if not len(self.delays):
            return np.ones(len(ages))
        place = np.searchsorted(self.delays, ages, side="right") - 1
        found = np.where(place < 0, 0.0, self.shares[np.maximum(place, 0)])
        return np.asarray(np.maximum(found, FLOOR))


def observed(times: Integers, labels: Floats, known: Integers) -> tuple[Reporting, int]:
    """The delays of these rows' frauds, and the moment up to which reports are among them.

    `known` is when each label was given; of silence it is FOREVER. That moment is the latest of
    them: nothing was heard after it.
    """
    said = (known < FOREVER) & ~np.isnan(labels)
    until = int(known[said].max()) if said.any() else FOREVER
    frauds = said & (labels == 1)
    delays = np.maximum(known[frauds] - times[frauds], 0)
    return _estimated(np.sort(delays), np.sort(until - times[frauds])), until


def _estimated(delays: Integers, ages: Integers) -> Reporting:
    """From the delays and the ages of the same frauds, each sorted."""
    values, counts = np.unique(delays, return_counts=True)
    within = np.searchsorted(delays, values, side="right")
    # A fraud younger than d was reported within less than d, or it would not be here.
    at_risk = within - np.searchsorted(ages, values, side="left")
    kept = at_risk >= LEAST
    if not kept.any():
        return Reporting(np.empty(0, np.int64), np.empty(0))
    values, counts, at_risk = values[kept], counts[kept], at_risk[kept]
    # What was reported within d, of what was reported within the next longer delay.
    stays = 1 - counts / at_risk
    shares = np.append(np.cumprod(stays[:0:-1])[::-1], 1.0)
    return Reporting(values, shares)
