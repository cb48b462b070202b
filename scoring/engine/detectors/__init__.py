"""The detectors: small peers with one register; a new one is tested the day it is listed."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine.detectors.base import Detector, TreeDetector


@dataclass(frozen=True)
class Kind:
    """A way to find fraud: its name, what people call it, whether it learns from labels."""

    name: str
    title: str
    learns_from_labels: bool
    module: str

    def train(self, *args: Any, **options: Any) -> Detector:
        detector: Detector = import_module(self.module).train(*args, **options)
        return detector

    def restore(self, arrays: dict[str, NDArray[np.generic]], features: int) -> Detector:
        """The detector of the arrays it once gave; `trees.Malformed` if they are not such."""
        return TreeDetector.of(arrays, features)


DETECTORS = [
    Kind(
        "isolation_forest", "Isolation forest", False, "scoring.engine.detectors.isolation_forest"
    ),
    Kind("boosting", "Boosted trees", True, "scoring.engine.detectors.boosting"),
]


def kind(name: str) -> Kind:
    """The kind of that name; KeyError for one this release does not know."""
    return {known.name: known for known in DETECTORS}[name]
