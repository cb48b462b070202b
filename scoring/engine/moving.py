"""How far a feature's values have moved: both times counted over the same bars."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.evaluation import population_stability

Floats = NDArray[np.float64]
SHARES = np.linspace(0.1, 0.9, 9)  # the inner edges of ten bars of equally many training rows
ROWS = 20_000  # rows a reference is made of: a bar is known to a third of a per cent
LITTLE, MUCH = 0.1, 0.25  # of the population stability index: the customary two bounds


def bars(values: Floats) -> list[float]:
    """Upper edges that part these values into about ten bars, rising; none where none is known.

    A value that fills more than a bar by itself gets one of its own, so that a column of 0 and 1 is
    parted between them.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return []
    cuts = np.quantile(known, SHARES, method="inverted_cdf")
    own = np.nextafter(cuts[1:][np.diff(cuts) == 0], -np.inf)
    return [float(edge) for edge in np.unique(np.concatenate([cuts, own]))]


def counted(values: Floats, edges: list[float]) -> list[int]:
    """Rows in each bar, a value on an edge in the lower one; in the last place those unknown."""
    known = values[np.isfinite(values)]
    found = np.bincount(np.searchsorted(edges, known), minlength=len(edges) + 1)
    return [*found.tolist(), len(values) - len(known)]


def reference(vectors: Floats, names: tuple[str, ...]) -> dict[str, Any]:
    """For each feature its bars and how many of these rows lie in each; at most ROWS rows count."""
    places = np.linspace(0, len(vectors) - 1, min(ROWS, len(vectors))).astype(np.int64)
    rows = vectors[places]
    made = {}
    for number, name in enumerate(names):
        edges = bars(rows[:, number])
        made[name] = {"edges": edges, "rows": counted(rows[:, number], edges)}
    return made


def moved(kept: dict[str, Any], vectors: Floats, names: tuple[str, ...]) -> dict[str, float]:
    """The population stability index of each feature the reference knows; unknown is a bar too."""
    return {
        name: population_stability(
            kept[name]["rows"], counted(vectors[:, number], kept[name]["edges"])
        )
        for number, name in enumerate(names)
        if name in kept
    }


def in_words(index: float) -> str:
    """What people say of a stability index: stable, moved, moved much."""
    return "moved much" if index > MUCH else "moved" if index > LITTLE else "stable"
