"""A small fully connected network as plain arrays, walked row by row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled
from scoring.engine.detectors.arrays import ANY, Arrays, Malformed, taken

Floats = NDArray[np.float64]
MOST_WIDE = 4096  # neurons in a layer


@dataclass(frozen=True)
class Network:
    """Layers of `sizes[n]` neurons; tanh between them, and the last one as it is.

    `weights` holds layer after layer: for each neuron its weights, then its bias.
    """

    sizes: NDArray[np.int64]
    weights: Floats

    def __call__(self, values: Floats) -> Floats:
        """The last layer's values for each row, the same bits alone and in a batch."""
        out = np.empty((len(values), int(self.sizes[-1])))
        _forward(np.ascontiguousarray(values), self.sizes, self.weights, out)
        return out

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return {"sizes": self.sizes, "weights": self.weights}

    @classmethod
    def restore(cls, arrays: Arrays) -> "Network":
        """The network of these arrays, or Malformed."""
        sizes = taken(arrays, "sizes", np.int64, ANY).astype(np.int64)
        if len(sizes) < 2 or sizes.min() < 1 or sizes.max() > MOST_WIDE:
            raise Malformed("sizes are not those of layers")
        count = int(np.sum((sizes[:-1] + 1) * sizes[1:]))
        return cls(sizes, taken(arrays, "weights", np.float64, count).astype(np.float64))

    @classmethod
    def of(cls, weights: list[Floats], biases: list[Floats]) -> "Network":
        """From one matrix (inputs × neurons) and one row of biases for each layer."""
        sizes = [len(weights[0]), *(len(bias) for bias in biases)]
        layers = [
            np.column_stack([weight.T, bias]).ravel()
            for weight, bias in zip(weights, biases, strict=True)
        ]
        return cls(np.array(sizes, np.int64), np.concatenate(layers).astype(np.float64))


@compiled
def _forward(values: Floats, sizes: NDArray[np.int64], weights: Floats, out: Floats) -> None:
    widest = sizes.max()
    before, after = np.empty(widest), np.empty(widest)
    for at in range(values.shape[0]):
        before[: sizes[0]] = values[at]
        place = 0
        for layer in range(1, sizes.shape[0]):
            for neuron in range(sizes[layer]):
                total = 0.0
                for number in range(sizes[layer - 1]):
                    total += weights[place] * before[number]
                    place += 1
                total += weights[place]
                place += 1
                after[neuron] = total if layer == sizes.shape[0] - 1 else np.tanh(total)
            before, after = after, before
        out[at] = before[: sizes[-1]]
