"""A champion that goes on learning: a few boosted rounds more, from where its own log-odds stand.

The trees it has stay as they are, so what they know is not forgotten; new ones learn what is left
over in the labels of the latest weeks (gradient boosting continued from a margin: Friedman, Annals
of Statistics 2001). They become part of its boosted trees, so an updated bundle is scored, kept
and explained like any other. Level, slope, risk map and lane are fitted anew on the latest frauds,
which the rounds that are judged there had not seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine import lane
from scoring.engine.bundle import Bundle, format_of
from scoring.engine.calibration import Affine, RiskMap, platt, probability
from scoring.engine.detectors import boosting
from scoring.engine.detectors.base import TreeDetector
from scoring.engine.detectors.boosting import Settings
from scoring.engine.detectors.trees import extended
from scoring.engine.ensemble import Ensemble, Member
from scoring.engine.evaluation import average_precision, metrics
from scoring.engine.reading import untaught
from scoring.engine.warm import Held, held_out, reported

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]
GROWN = "boosting"  # the member that takes the new trees
LEAST_FRAUDS = 40  # in the latest weeks; fewer say nothing that lasts
ROUNDS = Settings(rounds=40, depth=4, rate=0.06)


class Unchanged(ValueError):
    """There is nothing to learn, or nothing was learnt; its text is for the model owner."""


@dataclass(frozen=True)
class Judged:
    """What the new rounds add on the latest frauds, and the map that calibrates them."""

    before: float  # average precision
    after: float
    margins: Floats  # calibrated, of the rows from the first judged one on
    fresh: NDArray[np.bool_]  # those rows
    straight: Affine  # the map that calibrates them


def update(
    bundle: Bundle,
    vectors: Floats,
    labels: Floats,
    times: NDArray[np.int64],
    *,
    known: NDArray[np.int64] | None = None,
    seed: int = 7,
    progress: Progress = lambda share, message: None,
) -> Bundle:
    """The bundle with new rounds learnt from these rows, or Unchanged with the reason.

    Arguments as those of `training.fit`; budget and the lane's share stay the bundle's. The same
    input gives the same bundle, byte for byte. Names are read as the bundle reads them, or not.
    """
    grown = _growing(bundle.ensemble)
    frauds = int(np.sum(labels == 1))
    if frauds < LEAST_FRAUDS:
        raise Unchanged(f"{frauds} frauds are known in these weeks; {LEAST_FRAUDS} are needed.")
    prepared = bundle.ensemble.preparation
    seen = vectors if prepared is None else prepared(vectors)
    if prepared is None or prepared.reading is None:
        seen = untaught(seen)(seen)  # the number of a name is neither more nor less than another's
    bare = replace(bundle.ensemble, preparation=None)
    progress(0.1, "scoring the latest weeks as it does now")
    margins = bare.score(seen).margin
    held = held_out(labels, times)
    progress(0.3, "new rounds on the earlier labels")
    judged = _judged(seen, labels, margins, held, reported(times, labels, known), seed)
    if judged.after <= judged.before:
        raise Unchanged(
            f"New rounds would find no more on the latest frauds: average precision "
            f"{judged.after:.3f} after {judged.before:.3f}."
        )
    progress(0.7, "new rounds on all labels")
    added = _rounds(seen, labels, margins, seed)
    ensemble = _joined(bare, grown, added, judged.straight)
    ensemble = _bounded(ensemble, bundle, seen[judged.fresh], judged.margins)
    progress(1.0, "done")
    told = _told(bundle, labels, times, judged, held)
    return Bundle(told, replace(ensemble, preparation=prepared))


def _growing(ensemble: Ensemble) -> Member:
    for member in ensemble.members:
        if member.name == GROWN and member.weight > 0 and ensemble.warm:
            return member
    raise Unchanged("It has no boosted trees learnt from labels that could grow: train anew.")


def _rounds(vectors: Floats, labels: Floats, margins: Floats, seed: int) -> TreeDetector:
    known = np.flatnonzero(~np.isnan(labels))
    return boosting.train(
        vectors[known], labels[known], settings=ROUNDS, seed=seed, start=margins[known]
    )


def _judged(
    vectors: Floats,
    labels: Floats,
    margins: Floats,
    held: Held,
    reported: Floats,
    seed: int,
) -> Judged:
    early = _rounds(vectors[held.learnt], labels[held.learnt], margins[held.learnt], seed)
    fresh = np.zeros(len(labels), bool)
    fresh[held.met] = True
    after = margins[fresh] + early.raw(vectors[fresh])
    said = ~np.isnan(labels[fresh])
    known = labels[fresh][said]
    calibrated = platt(after[said], known, reported[fresh][said])
    return Judged(
        average_precision(known, margins[fresh][said]),
        average_precision(known, after[said]),
        calibrated(after),
        fresh,
        calibrated,
    )


def _joined(ensemble: Ensemble, grown: Member, added: TreeDetector, straight: Affine) -> Ensemble:
    """The new trees behind those of the member, scaled so that the whole gains what they say."""
    total = sum(member.weight for member in ensemble.members)
    share = grown.weight / total * grown.to_odds.slope
    old: Any = grown.detector
    detector = TreeDetector(extended(old.trees, added.trees, 1 / share))
    members = [replace(one, detector=detector) if one is grown else one for one in ensemble.members]
    return replace(ensemble, members=tuple(_mapped(one, straight) for one in members))


def _mapped(member: Member, straight: Affine) -> Member:
    """Under the new level and slope; a member in reserve speaks for itself and stays."""
    if not member.weight:
        return member
    own = member.to_odds
    odds = Affine(straight.slope * own.slope, straight.slope * own.intercept + straight.intercept)
    low, cut, high = (straight.slope * knot + straight.intercept for knot in member.risk.knots)
    return replace(member, to_odds=odds, risk=replace(member.risk, knots=(low, cut, high)))


def _bounded(ensemble: Ensemble, bundle: Bundle, vectors: Floats, margins: Floats) -> Ensemble:
    """Risk map and lane for the same budget, on rows the judged rounds had not seen."""
    budget, before = float(bundle.manifest["budget"]), bundle.ensemble.lane
    if before is None:
        return replace(ensemble, risk=RiskMap.fitted(margins, budget))
    risk, aside = lane.parted(before.member, vectors, margins, budget=budget, share=before.share)
    return replace(ensemble, risk=risk, lane=aside)


def _told(
    bundle: Bundle, labels: Floats, times: NDArray[np.int64], judged: Judged, held: Held
) -> dict[str, Any]:
    known = labels[judged.fresh]
    said = ~np.isnan(known)
    chance = probability(judged.margins[said])
    earlier = (bundle.manifest.get("update") or {}).get("number", 0)
    return {
        **bundle.manifest,
        "format": format_of(bundle.ensemble),
        "metrics": metrics(known[said], judged.margins[said], chance)
        | {"before_average_precision": judged.before},
        "update": {
            "number": earlier + 1,
            "rounds": ROUNDS.rounds,
            "rows": len(labels),
            "frauds": int(np.sum(labels == 1)),
        },
        "last_event": int(times.max()),
    }
