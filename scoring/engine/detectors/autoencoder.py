"""Autoencoder: a network that copies usual payments through a narrow waist and fails on others.

The raw score is log(1 + squared error), each input's error in units of its training error.
Contributions are exact: each input's share of the squared error, times the raw score.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled
from scoring.engine.detectors.arrays import Arrays, Malformed, taken
from scoring.engine.detectors.inputs import Inputs, sparse
from scoring.engine.detectors.network import Network

Floats = NDArray[np.float64]
LEAST_SPREAD = 1e-4  # an input copied better than this is not held to it


@dataclass(frozen=True)
class Settings:
    """`hidden` is the way to the waist; the way back mirrors it."""

    hidden: tuple[int, ...] = (32, 16, 8)
    epochs: int = 50
    batch: int = 256
    rate: float = 1e-3
    most_rows: int = 50_000  # evenly spread over all
    contamination: float = 0.01


@dataclass(frozen=True)
class Autoencoder:
    inputs: Inputs
    network: Network
    spread: Floats  # the mean squared error of each input on the training rows

    def raw(self, vectors: Floats) -> Floats:
        out = np.empty(len(vectors))
        values = self.inputs(vectors)
        _errors(values, self.network(values), self.spread, np.empty(values.shape), out)
        return out

    def contributions(self, vectors: Floats) -> tuple[float, Floats]:
        """Shares of the error; the base is 0, the score of a row that is copied perfectly."""
        values, out = self.inputs(vectors), np.empty(len(vectors))
        errors = np.empty(values.shape)
        _errors(values, self.network(values), self.spread, errors, out)
        total = np.maximum(errors.sum(axis=1), 1e-300)
        return 0.0, self.inputs.spread_out(errors * (out / total)[:, None], vectors.shape[1])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return {**self.inputs.arrays(), **self.network.arrays(), "spread": self.spread}


def restore(arrays: Arrays, features: int) -> Autoencoder:
    """The autoencoder of the arrays it once gave; Malformed if they are not such."""
    inputs, network = Inputs.restore(arrays, features), Network.restore(arrays)
    count = len(inputs.columns)
    spread = taken(arrays, "spread", np.float64, count).astype(np.float64)
    if network.sizes[0] != count or network.sizes[-1] != count or not np.all(spread > 0):
        raise Malformed("the network is not made for its inputs")
    return Autoencoder(inputs, network, spread)


def train(vectors: Floats, *, settings: Settings | None = None, seed: int = 7) -> Autoencoder:
    """Learnt from at most `most_rows` rows, whatever their labels: 50,000 take some seconds."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor  # training only
    from threadpoolctl import threadpool_limits

    settings = settings or Settings()
    inputs = Inputs.fitted(vectors, rare_only=True)
    values = inputs(sparse(vectors, settings.most_rows))
    learner = MLPRegressor(
        hidden_layer_sizes=(*settings.hidden, *settings.hidden[-2::-1]),
        activation="tanh",
        learning_rate_init=settings.rate,
        batch_size=min(settings.batch, len(values)),
        max_iter=settings.epochs,
        n_iter_no_change=settings.epochs,
        tol=0.0,
        random_state=seed,
    )
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are a choice
        learner.fit(values, values if values.shape[1] > 1 else values[:, 0])
    network = Network.of(learner.coefs_, learner.intercepts_)
    errors = np.mean((values - network(values)) ** 2, axis=0)
    return Autoencoder(inputs, network, np.maximum(errors, LEAST_SPREAD))


@compiled
def _errors(values: Floats, copies: Floats, spread: Floats, errors: Floats, out: Floats) -> None:
    for at in range(values.shape[0]):
        total = 0.0
        for number in range(values.shape[1]):
            missed = values[at, number] - copies[at, number]
            errors[at, number] = missed * missed / spread[number]
            total += errors[at, number]
        out[at] = np.log1p(total / values.shape[1])
