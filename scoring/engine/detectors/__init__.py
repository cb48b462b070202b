"""The detectors: small peers with one register; a new one is tested the day it is listed."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from scoring.engine.detectors.arrays import Arrays
from scoring.engine.detectors.base import Detector, Unlearnable

EXTRAS = "python tools/bootstrap.py --extras"


@dataclass(frozen=True)
class Kind:
    """A way to find fraud: its name, what people call it, whether it learns from labels.

    `needs` are packages of the extras that training imports; scoring never does.
    """

    name: str
    title: str
    learns_from_labels: bool
    module: str
    needs: tuple[str, ...] = ()

    @property
    def help(self) -> str:
        """What it does, in the first sentence of its module."""
        return (
            (import_module(self.module).__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        )

    def missing(self) -> str:
        """A sentence naming what has to be installed before it can be trained; "" if nothing."""
        absent = [package for package in self.needs if find_spec(package) is None]
        if not absent:
            return ""
        return f"{self.title} needs {' and '.join(absent)}; install the extras: {EXTRAS}."

    def train(self, *args: Any, **options: Any) -> Detector:
        """`train` of its module; Unlearnable, with a sentence for people, if it cannot."""
        if absent := self.missing():
            raise Unlearnable(absent)
        detector: Detector = import_module(self.module).train(*args, **options)
        return detector

    def restore(self, arrays: Arrays, features: int) -> Detector:
        """The detector of the arrays it once gave; `Malformed` if they are not such."""
        detector: Detector = import_module(self.module).restore(arrays, features)
        return detector


def _kind(name: str, title: str, learns: bool, *needs: str) -> Kind:
    return Kind(name, title, learns, f"{__name__}.{name}", needs)


DETECTORS = [
    _kind("isolation_forest", "Isolation forest", False),
    _kind("one_sided", "One-sided tails", False),
    _kind("one_class_svm", "One-class SVM", False),
    _kind("autoencoder", "Autoencoder", False),
    _kind("boosting", "Boosted trees", True),
    _kind("hist_gradient_boosting", "Histogram gradient boosting", True),
    _kind("lightgbm", "LightGBM", True, "lightgbm"),
    _kind("extra_trees", "Extra trees", True),
    _kind("random_forest", "Random forest", True),
    _kind("lstm", "LSTM", True, "jax", "equinox", "optax"),
    _kind("logistic", "Logistic regression", True),
]


def kind(name: str) -> Kind:
    """The kind of that name; KeyError for one this release does not know."""
    return {known.name: known for known in DETECTORS}[name]
