"""The register of features: what each is called, means and says, whatever computes it.

New features stand at the end: older models and vectors hold the first ones.
"""

from scoring.engine.feature import Feature
from scoring.engine.register_first import FIRST
from scoring.engine.register_later import LATER
from scoring.engine.register_more import MORE

__all__ = ["FEATURES", "NAMES", "Feature", "column"]

FEATURES: list[Feature] = [*FIRST, *MORE, *LATER]
NAMES = tuple(feature.name for feature in FEATURES)
_COLUMNS = {name: number for number, name in enumerate(NAMES)}


def column(name: str) -> int:
    """Where that feature stands in a vector."""
    return _COLUMNS[name]
