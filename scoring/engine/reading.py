"""How a model reads what means nothing by itself: names, and amounts against their category.

Both are learnt from the rows a model learns from and kept in its bundle. They are read last of all,
after every step of a pipeline, and one row is read to the same bits alone and in a batch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine import rates, spreads
from scoring.engine.rates import NOMINAL, Rates
from scoring.engine.spreads import Spreads

Floats = NDArray[np.float64]
Arrays = Mapping[str, NDArray[np.generic]]
PREFIXES = RATES, SPREADS = "rates_", "spreads_"  # before the names of their arrays
READ = [*NOMINAL, spreads.AMOUNT]  # columns that no step of a pipeline may change


@dataclass(frozen=True)
class Reading:
    """How common frauds were under each name, and what is usually paid there."""

    rates: Rates
    spreads: Spreads

    @property
    def taught(self) -> bool:
        """Some name is read as something."""
        return self.rates.taught

    def apply(self, vectors: Floats) -> None:
        """Write what is read in the place of what stands there; amounts first, by their names."""
        self.spreads.apply(vectors)
        self.rates.apply(vectors)

    def __call__(self, vectors: Floats) -> Floats:
        """A copy that is read."""
        out = np.array(vectors, np.float64)
        self.apply(out)
        return out

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What is kept in a bundle."""
        parts = {RATES: self.rates.arrays(), SPREADS: self.spreads.arrays()}
        return {f"{of}{name}": kept for of, own in parts.items() for name, kept in own.items()}


def learnt(vectors: Floats, labels: Floats | None) -> Reading:
    """What rows whose label is 1 or 0 teach."""
    return Reading(rates.learnt(vectors, labels), spreads.learnt(vectors))


def untaught(vectors: Floats) -> Reading:
    """Names nobody reads, and amounts nobody compares."""
    return Reading(rates.untaught(vectors), spreads.unmeasured())


def restore(arrays: Arrays, width: int) -> Reading | None:
    """The reading among these arrays, None if there is none; ValueError if it is not one.

    Bundles of earlier releases hold rates alone: to their members no amount is compared.
    """
    of_rates, of_spreads = _behind(RATES, arrays), _behind(SPREADS, arrays)
    if not of_rates and not of_spreads:
        return None
    if set(of_rates) != {"columns", "lengths", "names", "values", "taught"}:
        raise ValueError("its rates of names are not whole")
    measured = spreads.restore(of_spreads) if of_spreads else spreads.unmeasured()
    return Reading(rates.restore(of_rates, width), measured)


def _behind(prefix: str, arrays: Arrays) -> dict[str, Floats]:
    return {
        name.removeprefix(prefix): np.asarray(values, np.float64)
        for name, values in arrays.items()
        if name.startswith(prefix)
    }
