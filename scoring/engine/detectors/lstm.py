"""LSTM: a network that reads the user's last ten payments in order, from packages of the extras.

It learns from labels what amounts and pauses come before a fraud (after Hochreiter and Schmidhuber,
Neural Computation 9, 1997). Learnt with JAX, Equinox and Optax; scored from plain arrays.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled
from scoring.engine.detectors import sampling
from scoring.engine.detectors.arrays import ANY, Arrays, Malformed, taken
from scoring.engine.detectors.base import Unlearnable
from scoring.engine.features import NAMES

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
STEPS = 10
# Oldest payment first; then what is read of the payment itself.
AMOUNTS = [f"amount_back_{back}" for back in range(STEPS, 0, -1)]
PAUSES = [f"minutes_back_{back}" for back in range(STEPS, 0, -1)]
ITSELF = ["amount", "hour_sin", "hour_cos"]
READ = [*AMOUNTS, *PAUSES, *ITSELF]
SEEN = 3  # inputs of a step
LIMIT = 8.0
MOST_WIDE = 512  # neurons


@dataclass(frozen=True)
class Settings:
    hidden: int = 16
    epochs: int = 12
    batch: int = 256
    rate: float = 5e-3
    share: sampling.Share = field(default_factory=lambda: sampling.Share(most=60_000))


@dataclass(frozen=True)
class Lstm:
    """A cell walked over the past, then one layer over its state and the payment itself.

    `gates` has four blocks of rows (in, forget, new, out) over inputs and state; its last column
    is the bias. `layer` has a row for each neuron, its bias last; so has `last`, a single row.
    """

    columns: Indices  # where each of READ stands in a vector
    usual: Floats  # their medians over the training rows: contributions start from these
    gates: Floats
    layer: Floats
    last: Floats

    def raw(self, vectors: Floats) -> Floats:
        return self._of(self._read(vectors))

    def _read(self, vectors: Floats) -> Floats:
        return np.ascontiguousarray(vectors[:, self.columns], np.float64)

    def _of(self, read: Floats) -> Floats:
        out = np.empty(len(read))
        _margins(read, self.gates, self.layer, self.last, out)
        return out

    def contributions(self, vectors: Floats) -> tuple[float, Floats]:
        """What each feature changes as it takes the place of its median, an approximation.

        The features come in one after another, once in order and once in reverse, and the mean of
        both is told: it adds up exactly, and is the Shapley value where features act by ones and
        twos (Mitchell et al., "Sampling permutations for Shapley value estimation", JMLR 2022).
        """
        read = self._read(vectors)
        parts = np.zeros(read.shape)
        _walked(read, self.usual, self.gates, self.layer, self.last, parts)
        out = np.zeros(vectors.shape)
        out[:, self.columns] = parts
        return float(self._of(self.usual[None])[0]), out

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return {name: getattr(self, name) for name in ("columns", "usual", *WEIGHTS)}


WEIGHTS = ("gates", "layer", "last")


def restore(arrays: Arrays, features: int) -> Lstm:
    """The network of the arrays it once gave; Malformed if they are not such."""
    columns = taken(arrays, "columns", np.int64, len(READ)).astype(np.int64)
    if columns.min() < 0 or columns.max() >= features or len(np.unique(columns)) < len(READ):
        raise Malformed("a column lies outside or comes twice")
    usual = taken(arrays, "usual", np.float64, len(READ)).astype(np.float64)
    gates, layer, last = (taken(arrays, name, np.float64, ANY, ANY) for name in WEIGHTS)
    hidden, neurons = gates.shape[0] // 4, layer.shape[0]
    right = gates.shape == (4 * hidden, SEEN + hidden + 1) and last.shape == (1, neurons + 1)
    if not right or layer.shape[1] != hidden + len(ITSELF) + 1:
        raise Malformed("the layers are not made for one another")
    if not 1 <= hidden <= MOST_WIDE or not 1 <= neurons <= MOST_WIDE:
        raise Malformed("a layer has no neuron or too many")
    return Lstm(columns, usual, *(one.astype(np.float64) for one in (gates, layer, last)))


def train(
    vectors: Floats, labels: Floats, *, settings: Settings | None = None, seed: int = 7
) -> Lstm:
    """A network whose raw score is the log-odds of fraud, from a sample of at most 60,000 genuine
    rows and all frauds; on one processor the same input gives the same weights.
    """
    settings = settings or Settings()
    rows, weights = sampling.sample(labels, settings.share, seed)
    sampling.check(labels[rows])
    columns = _columns()
    read = np.ascontiguousarray(vectors[np.ix_(rows, columns)], np.float64)
    if not np.isfinite(read[:, : 2 * STEPS]).any():
        raise Unlearnable("No payment has an earlier one of the same user: there is no sequence.")
    sequences, itself = np.empty((len(read), STEPS, SEEN)), np.empty((len(read), len(ITSELF)))
    _encoded(read, sequences, itself)
    learnt = _learnt(sequences, itself, labels[rows], weights, settings, seed)
    with np.errstate(invalid="ignore"):
        known = [values[np.isfinite(values)] for values in read.T]
    usual = np.array([np.median(values) if len(values) else 0.0 for values in known])
    return Lstm(columns, usual, *learnt)


def _columns() -> Indices:
    absent = [name for name in READ if name not in NAMES]
    if absent:
        raise Unlearnable(f"Vectors do not hold the last payments: {absent[0]} is not computed.")
    return np.array([NAMES.index(name) for name in READ], np.int64)


def _learnt(
    sequences: Floats, itself: Floats, labels: Floats, weights: Any, settings: Settings, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Gates, layer and last row after all epochs of Adam on the weighted log-loss."""
    import os

    # Sums in the order of threads would differ from run to run. Read when JAX is first imported.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    import equinox
    import jax
    import optax
    from jax import numpy as jnp

    cell_key, layer_key, last_key = jax.random.split(jax.random.key(seed), 3)
    hidden = settings.hidden
    model = (
        equinox.nn.LSTMCell(SEEN, hidden, key=cell_key),
        equinox.nn.Linear(hidden + len(ITSELF), hidden, key=layer_key),
        equinox.nn.Linear(hidden, 1, key=last_key),
    )
    optimiser = optax.adam(settings.rate)

    def margin(model: Any, sequence: Any, own: Any) -> Any:
        cell, layer, last = model

        def step(state: Any, seen: Any) -> Any:
            there = seen[2] > 0
            after = cell(seen, state)
            return tuple(jnp.where(there, new, old) for new, old in zip(after, state)), None  # noqa: B905

        start = (jnp.zeros(hidden), jnp.zeros(hidden))
        (state, _), _ = jax.lax.scan(step, start, sequence)
        return last(jnp.tanh(layer(jnp.concatenate([state, own]))))[0]

    def loss(model: Any, batch: Any) -> Any:
        sequence, own, label, weight = batch
        margins = jax.vmap(margin, (None, 0, 0))(model, sequence, own)
        return jnp.mean(weight * optax.sigmoid_binary_cross_entropy(margins, label))

    def update(state: Any, batch: Any) -> Any:
        model, moments = state
        moved, moments = optimiser.update(equinox.filter_grad(loss)(model, batch), moments)
        return (equinox.apply_updates(model, moved), moments), None

    size = min(settings.batch, len(labels))
    count = len(labels) // size
    given = (sequences, itself, labels, weights / np.mean(weights))
    data = tuple(jnp.asarray(one, jnp.float32) for one in given)

    def once(state: Any, order: Any) -> Any:
        batches = tuple(one[order].reshape(count, size, *one.shape[1:]) for one in data)
        return jax.lax.scan(update, state, batches)[0]

    epoch, random = jax.jit(once), np.random.default_rng(seed)
    state = (model, optimiser.init(equinox.filter(model, equinox.is_array)))
    for _ in range(settings.epochs):
        state = epoch(state, random.permutation(len(labels))[: count * size])
    cell, layer, last = state[0]
    return (
        _matrix(cell.weight_ih, cell.weight_hh, cell.bias),
        _matrix(layer.weight, layer.bias),
        _matrix(last.weight, last.bias),
    )


def _matrix(*parts: Any) -> Floats:
    """Weights side by side, the bias in the last column."""
    made = [np.asarray(part, np.float64) for part in parts]
    return np.column_stack(made)


@compiled
def _encode(read: Floats, sequence: Floats, itself: Floats) -> None:
    """Per step: log of the amount over the payment's own, log of the pause after it, 1 if known."""
    amount = read[2 * STEPS]
    own = np.log1p(min(max(amount, 0.0), 1e300)) if amount == amount else 0.0
    for step in range(STEPS):
        before, ago = read[step], read[STEPS + step]
        later = read[STEPS + step + 1] if step < STEPS - 1 else 0.0
        sequence[step] = 0.0
        if before == before and abs(ago) < np.inf:
            ratio = np.log1p(min(max(before, 0.0), 1e300)) - own
            pause = ago - later if abs(later) < np.inf else ago
            sequence[step, 0] = min(max(ratio, -LIMIT), LIMIT)
            sequence[step, 1] = min(np.log1p(min(max(pause, 0.0), 1e300)), 2 * LIMIT) / 4.0
            sequence[step, 2] = 1.0
    itself[0] = min(own, 2 * LIMIT) / 4.0
    for number in range(1, itself.shape[0]):
        value = read[2 * STEPS + number]
        itself[number] = min(max(value, -LIMIT), LIMIT) if value == value else 0.0


@compiled
def _encoded(read: Floats, sequences: Floats, itself: Floats) -> None:
    for at in range(read.shape[0]):
        _encode(read[at], sequences[at], itself[at])


@compiled
def _margin(
    read: Floats,
    gates: Floats,
    layer: Floats,
    last: Floats,
    sequence: Floats,
    itself: Floats,
    work: Floats,
) -> float:
    """The log-odds of one row. `work` has a row for the state, the cell, and four for the gates."""
    _encode(read, sequence, itself)
    hidden = gates.shape[0] // 4
    work[:] = 0.0
    for step in range(STEPS):
        if sequence[step, 2] == 0.0:
            continue
        for gate in range(4):
            for neuron in range(hidden):
                row = gates[gate * hidden + neuron]
                total = row[SEEN + hidden]
                for number in range(SEEN):
                    total += row[number] * sequence[step, number]
                for number in range(hidden):
                    total += row[SEEN + number] * work[0, number]
                work[2 + gate, neuron] = np.tanh(total) if gate == 2 else 1 / (1 + np.exp(-total))
        for neuron in range(hidden):
            kept = work[3, neuron] * work[1, neuron]
            work[1, neuron] = kept + work[2, neuron] * work[4, neuron]
            work[0, neuron] = work[5, neuron] * np.tanh(work[1, neuron])
    margin = last[0, layer.shape[0]]
    for neuron in range(layer.shape[0]):
        total = layer[neuron, layer.shape[1] - 1]
        for number in range(hidden):
            total += layer[neuron, number] * work[0, number]
        for number in range(itself.shape[0]):
            total += layer[neuron, hidden + number] * itself[number]
        margin += last[0, neuron] * np.tanh(total)
    return float(margin)


@compiled
def _margins(read: Floats, gates: Floats, layer: Floats, last: Floats, out: Floats) -> None:
    sequence, itself = np.empty((STEPS, SEEN)), np.empty(read.shape[1] - 2 * STEPS)
    work = np.empty((6, gates.shape[0] // 4))
    for at in range(read.shape[0]):
        out[at] = _margin(read[at], gates, layer, last, sequence, itself, work)


@compiled
def _walked(
    read: Floats, usual: Floats, gates: Floats, layer: Floats, last: Floats, parts: Floats
) -> None:
    sequence, itself = np.empty((STEPS, SEEN)), np.empty(read.shape[1] - 2 * STEPS)
    work = np.empty((6, gates.shape[0] // 4))
    count = read.shape[1]
    mixed = np.empty(count)
    for at in range(read.shape[0]):
        for way in range(2):
            mixed[:] = usual
            before = _margin(mixed, gates, layer, last, sequence, itself, work)
            for place in range(count):
                number = place if way == 0 else count - 1 - place
                mixed[number] = read[at, number]
                after = _margin(mixed, gates, layer, last, sequence, itself, work)
                parts[at, number] += (after - before) / 2
                before = after
