"""What every detector promises, however it works inside."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scoring.engine.detectors.arrays import Arrays
from scoring.engine.detectors.shapley import shares
from scoring.engine.detectors.trees import Trees

Floats = NDArray[np.float64]


class Unlearnable(ValueError):
    """This cannot be learnt here; its text is a sentence for the model owner."""


class Detector(Protocol):
    """Something that was trained and now looks at vectors. Higher raw scores are riskier.

    A NaN in a vector is an unknown value, and every detector scores it. `contributions` splits
    each raw score: the base plus the row's sum is the raw score within 1e-6. `arrays` is all there
    is to keep; the `restore` of the detector's module makes it again from them. A row alone gives
    the bits it gives in a batch.
    """

    def raw(self, vectors: Floats) -> Floats: ...

    def contributions(self, vectors: Floats) -> tuple[float, Floats]: ...

    def arrays(self) -> dict[str, NDArray[np.generic]]: ...


@dataclass(frozen=True)
class TreeDetector:
    """A detector that is a forest of flattened trees."""

    trees: Trees

    def raw(self, vectors: Floats) -> Floats:
        return self.trees.raw(vectors)

    def contributions(self, vectors: Floats) -> tuple[float, Floats]:
        return shares(self.trees, vectors)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return self.trees.arrays()

    @classmethod
    def of(cls, arrays: Arrays, features: int) -> "TreeDetector":
        """The detector of the arrays it once gave; Malformed if they are not such."""
        return cls(Trees.of(arrays, features))
