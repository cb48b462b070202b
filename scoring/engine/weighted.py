"""The weighted means of the source documents: a choice beside the default, with what it costs."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scoring.engine.calibration import Affine, RiskMap, anomaly, platt
from scoring.engine.detectors import kind
from scoring.engine.ensemble import Ensemble, Member, combined
from scoring.engine.presets import Part, Preset

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]


def learn(
    preset: Preset,
    vectors: Floats,
    labels: Floats,
    *,
    budget: float,
    seed: int,
    least: int,
    progress: Progress,
) -> tuple[Ensemble, Floats, str]:
    """The preset's ensemble, its log-odds of these rows, and a sentence on parts that are missing.

    A part that learns from labels takes part from `least` frauds on; without it, the others share
    its weight. No probability is claimed: nothing here is calibrated on rows it has not seen.
    """
    members, left = [], []
    for place, part in enumerate(preset.parts):
        learner = kind(part.detector)
        progress(0.1 + 0.8 * place / len(preset.parts), f"learning: {learner.title}")
        if learner.learns_from_labels and np.sum(labels == 1) < least:
            left.append(f"{learner.title} needs {least} known frauds and is left out")
        else:
            members.append(_member(part, vectors, labels, budget, seed))
    scored = [(member, member.margins(vectors)) for member in members]
    margins = combined(scored)
    ensemble = Ensemble(tuple(members), RiskMap.fitted(margins, budget), warm=False)
    return ensemble, margins, "; ".join(left)


def _member(part: Part, vectors: Floats, labels: Floats, budget: float, seed: int) -> Member:
    learner = kind(part.detector)
    if learner.learns_from_labels:
        known = np.flatnonzero(~np.isnan(labels))
        taught = vectors[known], labels[known]
        detector = learner.train(*taught, settings=part.settings, seed=seed)
        to_odds = platt(detector.raw(vectors[known]), labels[known])
    else:
        detector = learner.train(vectors, settings=part.settings, seed=seed)
        to_odds = _unlabelled(detector.raw(vectors), part)
    risk = RiskMap.fitted(to_odds(detector.raw(vectors)), budget)
    return Member(part.detector, detector, part.weight, to_odds, risk)


def _unlabelled(raw: Floats, part: Part) -> Affine:
    """Even odds at the share of payments the documents expect to be anomalous."""
    return anomaly(raw, float(part.settings.contamination))
