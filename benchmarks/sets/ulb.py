"""European cards of 2013, 40 % of them, amounts and columns cut to whole numbers.

No person, no merchant, no time and 28 columns without a meaning: nothing a feature of ours could be
made of. What is measured here is the detector of tails alone, on the distance of each column from
its median in quartile distances.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scoring.engine.detectors import one_sided
from scoring.engine.features import FEATURES

Floats = NDArray[np.float64]


def load(folder: Path) -> tuple[Floats, Floats]:
    """The columns and the labels."""
    frame = pd.read_parquet(folder / "ulb40.parquet")
    names = [name for name in frame if name.startswith("V")] + ["Amount"]
    return frame[names].to_numpy(float), frame["label"].to_numpy(float)


def tails(columns: Floats) -> Floats:
    """How far all columns lie in their tails, by the product's one-sided detector.

    It is a sum over columns, and only so many at once find a feature to stand in for them.
    """
    places = [at for at, feature in enumerate(FEATURES) if feature.rarity > 0]
    low, middle, high = np.quantile(columns, (0.25, 0.5, 0.75), axis=0)
    distance = np.abs(columns - middle) / np.maximum(high - low, 1.0)
    total = np.zeros(len(columns))
    for first in range(0, columns.shape[1], len(places)):
        some = distance[:, first : first + len(places)]
        vectors = np.full((len(columns), len(FEATURES)), np.nan)
        vectors[:, places[: some.shape[1]]] = some
        total += some.shape[1] * one_sided.train(vectors).raw(vectors)
    return total
