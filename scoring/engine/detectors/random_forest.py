"""Random forest: many trees, each grown on its own draw of payments, vote on what is a fraud.

After Breiman, "Random forests" (Machine Learning 45, 2001).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scoring.engine.detectors import forest, sampling

Floats = NDArray[np.float64]
restore = forest.restore


@dataclass(frozen=True)
class Settings:
    """Bounded trees: a row and its explanation cost leaves, and small leaves learn by heart."""

    trees: int = 100
    leaves: int = 64
    depth: int = 12
    least_rows: int = 5  # of a leaf
    feature_share: float = 0.1
    row_share: float = 0.5  # of the sample, drawn for each tree
    smoothing: float = 1.0
    share: sampling.Share = field(default_factory=lambda: sampling.Share(most=30_000))


def train(
    vectors: Floats, labels: Floats, *, settings: Settings | None = None, seed: int = 7
) -> forest.VotingForest:
    """A forest whose raw score is the log-odds of fraud. The same input gives the same trees."""
    from sklearn.ensemble import RandomForestClassifier  # training only

    settings = settings or Settings()
    drawn = sampling.draw(vectors, labels, settings.share, seed)
    fitted = RandomForestClassifier(
        n_estimators=settings.trees,
        max_leaf_nodes=settings.leaves,
        max_depth=settings.depth,
        max_samples=settings.row_share,
        min_samples_leaf=settings.least_rows,
        max_features=settings.feature_share,
        random_state=seed,
        n_jobs=1,
    ).fit(drawn.rows, drawn.labels, drawn.weights)
    return forest.flattened(fitted.estimators_, drawn, settings.smoothing)
