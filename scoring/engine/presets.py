"""Models by name: which detectors take part, with what say and settings. Data only.

s0, s1 and s2 are the models of the source documents, as they describe them; the product's own
default is made in `training`.
"""

from dataclasses import dataclass
from typing import Any

from scoring.engine.detectors import autoencoder, isolation_forest, kind, lstm


@dataclass(frozen=True)
class Part:
    """A detector's name, its say in the weighted mean, and the settings it is trained with."""

    detector: str
    weight: float
    settings: Any


@dataclass(frozen=True)
class Preset:
    """A model to train: its parts, and the share of payments it takes for anomalous."""

    name: str
    title: str
    contamination: float
    parts: tuple[Part, ...]

    @property
    def learns_from_labels(self) -> bool:
        """Whether any part does."""
        return any(kind(part.detector).learns_from_labels for part in self.parts)

    def missing(self) -> str:
        """Sentences naming what has to be installed before it can be trained; "" if nothing."""
        told = [kind(part.detector).missing() for part in self.parts]
        return " ".join(sentence for sentence in told if sentence)


PRESETS = [
    Preset(
        "s0",
        "Isolation forest of 150 trees, 1 % anomalous",
        0.01,
        (Part("isolation_forest", 1.0, isolation_forest.PRESETS["s0"]),),
    ),
    Preset(
        "s1",
        "Isolation forest 0.4, autoencoder 0.4, LSTM 0.2; 10 % anomalous",
        0.10,
        (
            Part("isolation_forest", 0.4, isolation_forest.PRESETS["s1"]),
            Part("autoencoder", 0.4, autoencoder.Settings(contamination=0.10)),
            Part("lstm", 0.2, lstm.Settings()),
        ),
    ),
    Preset(
        "s2",
        "Isolation forest of 100 trees 0.5, autoencoder 0.5; 5 % anomalous",
        0.05,
        (
            Part("isolation_forest", 0.5, isolation_forest.PRESETS["s2"]),
            Part("autoencoder", 0.5, autoencoder.Settings(contamination=0.05)),
        ),
    ),
]


def preset(name: str) -> Preset:
    """The preset of that name; KeyError for one this release does not know."""
    return {known.name: known for known in PRESETS}[name]
