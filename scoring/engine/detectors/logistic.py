"""Logistic regression: a weighted sum of scaled features, the baseline others must beat."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled
from scoring.engine.detectors import sampling
from scoring.engine.detectors.arrays import Arrays, taken
from scoring.engine.detectors.inputs import Inputs

Floats = NDArray[np.float64]
RARE = 0.001  # unknown, or known, less often than this says nothing of its own


@dataclass(frozen=True)
class Settings:
    l2: float = 1.0
    steps: int = 300
    share: sampling.Share = field(default_factory=lambda: sampling.Share(most=100_000))


@dataclass(frozen=True)
class Logistic:
    """Log-odds: the intercept, a weight for each value, and one for its being unknown."""

    inputs: Inputs
    weight: Floats
    unknown_weight: Floats
    usual: Floats  # the mean value of each input over the training rows …
    usual_unknown: Floats  # … and how often it was unknown: contributions start from these
    intercept: Floats  # of length 1

    def raw(self, vectors: Floats) -> Floats:
        out = np.empty(len(vectors))
        values, unknown = self.inputs(vectors), self.inputs.unknown(vectors)
        _summed(values, unknown, self.weight, self.unknown_weight, float(self.intercept[0]), out)
        return out

    def contributions(self, vectors: Floats) -> tuple[float, Floats]:
        """Weight × distance from the mean; the base is the score of the mean transaction."""
        parts = self.weight * (self.inputs(vectors) - self.usual)
        parts += self.unknown_weight * (self.inputs.unknown(vectors) - self.usual_unknown)
        base = self.weight @ self.usual + self.unknown_weight @ self.usual_unknown
        return float(self.intercept[0] + base), self.inputs.spread_out(parts, vectors.shape[1])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        own = {name: getattr(self, name) for name in (*OWN, "intercept")}
        return {**self.inputs.arrays(), **own}


OWN = ("weight", "unknown_weight", "usual", "usual_unknown")


def restore(arrays: Arrays, features: int) -> Logistic:
    """The regression of the arrays it once gave; Malformed if they are not such."""
    inputs = Inputs.restore(arrays, features)
    count = len(inputs.columns)
    lengths = {**dict.fromkeys(OWN, count), "intercept": 1}
    own = {
        name: taken(arrays, name, np.float64, length).astype(np.float64)
        for name, length in lengths.items()
    }
    return Logistic(inputs, **own)


def train(
    vectors: Floats, labels: Floats, *, settings: Settings | None = None, seed: int = 7
) -> Logistic:
    """Weights of least regularised log-loss over all frauds and a sample of the genuine rows."""
    from sklearn.linear_model import LogisticRegression  # training only
    from threadpoolctl import threadpool_limits

    settings = settings or Settings()
    rows, weights = sampling.sample(labels, settings.share, seed)
    seen, known = vectors[rows], labels[rows]
    sampling.check(known)
    inputs = Inputs.fitted(seen, rare_only=False)
    values, unknown = inputs(seen), inputs.unknown(seen)
    telling = np.abs(unknown.mean(axis=0) - 0.5) < 0.5 - RARE
    learner = LogisticRegression(C=1 / settings.l2, max_iter=settings.steps)
    with threadpool_limits(1):  # sums in the order of threads would differ from run to run
        learner.fit(np.hstack([values, unknown[:, telling]]), known, weights)
    found, count = learner.coef_[0], values.shape[1]
    unknown_weight = np.zeros(count)
    unknown_weight[telling] = found[count:]
    return Logistic(
        inputs=inputs,
        weight=found[:count].astype(np.float64),
        unknown_weight=unknown_weight,
        usual=np.average(values, axis=0, weights=weights),
        usual_unknown=np.average(unknown, axis=0, weights=weights),
        intercept=np.asarray(learner.intercept_, np.float64),
    )


@compiled
def _summed(
    values: Floats,
    unknown: Floats,
    weight: Floats,
    unknown_weight: Floats,
    intercept: float,
    out: Floats,
) -> None:
    """One row after another: a matrix product adds in an order that depends on the batch."""
    for at in range(values.shape[0]):
        total = intercept
        for number in range(values.shape[1]):
            total += weight[number] * values[at, number]
            total += unknown_weight[number] * unknown[at, number]
        out[at] = total
