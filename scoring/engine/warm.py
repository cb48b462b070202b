"""What is learnt from labels: which learners earn a place, how much they say, what they missed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from scoring.engine import lane
from scoring.engine.calibration import Affine, RiskMap, platt, probability
from scoring.engine.detectors import kind
from scoring.engine.ensemble import Ensemble, Member
from scoring.engine.evaluation import average_precision, metrics

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]
LEARNERS = ("boosting", "extra_trees")
# A booster may collapse where frauds are very rare, and then it finds next to nothing of what a
# plain regression finds. Only that is caught here, because one slice of time cannot say more: in a
# wave of a new kind of fraud, whatever learnt least loses least, and is the worse choice after it.
BASELINE = "logistic"
COLLAPSED = 0.5  # of the average precision of the baseline, or of the score without labels
LEARNT_SHARE = 0.75  # of the frauds lie before the slice on which a model is judged


@dataclass(frozen=True)
class Held:
    """Which labelled rows were learnt from first, and which later ones judged the result."""

    learnt: NDArray[np.int64]
    judged: NDArray[np.int64]


@dataclass(frozen=True)
class Warm:
    """An ensemble, or the reason in words why there is none; and what was measured."""

    ensemble: Ensemble | None
    metrics: dict[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Judged:
    """A learner that knows the earlier labels only, and how it did on the later ones."""

    name: str
    raw: Floats  # of every row
    to_odds: Affine
    reached: float

    @property
    def margins(self) -> Floats:
        return self.to_odds(self.raw)


def held_out(labels: Floats, times: NDArray[np.int64]) -> Held:
    """Labelled rows before and from the time by which three quarters of the frauds had happened."""
    known = np.flatnonzero(~np.isnan(labels))
    fraud_times = np.sort(times[labels == 1])
    cut = fraud_times[int(len(fraud_times) * LEARNT_SHARE)]
    return Held(known[times[known] < cut], known[times[known] >= cut])


def learn(
    vectors: Floats,
    labels: Floats,
    times: NDArray[np.int64],
    reserves: Sequence[Member],
    *,
    budget: float,
    novelty: float,
    seed: int,
    least: float,
    progress: Progress,
) -> Warm:
    """The mean of calibrated log-odds of the learners that earn it, learnt again from everything.

    Judged on the latest quarter of the frauds: whoever finds less than half there of what the
    logistic baseline or the score without labels finds has collapsed and is left out. `least`
    frauds must lie in the rest. The first of `reserves` judges what anomaly alone finds, the last
    looks after the lane, which gets the share `novelty` of the budget.
    """
    held = held_out(labels, times)
    judged = labels[held.judged]
    if judged.sum() == len(judged) or labels[held.learnt].sum() < least:
        return Warm(None, note="the known frauds and genuine transactions do not overlap in time")
    unlearnt = average_precision(judged, reserves[0].margins(vectors[held.judged]))
    tried = _tried(vectors, labels, held, seed, progress)
    note, kept = chosen(tried, unlearnt)
    if not kept:
        return Warm(None, note=note)
    progress(0.6, "calibrating on the later labels")
    margins, joint = _joint(kept, held, judged)
    measured = metrics(judged, margins[held.judged], probability(margins[held.judged]))
    measured |= {"anomaly_average_precision": unlearnt}
    measured |= {f"{one.name}_average_precision": one.reached for one in tried}
    fresh = _reference(times, margins, held)
    waiting = [replace(one, weight=0.0) for one in reserves]
    risk, aside = lane.parted(
        waiting[-1], vectors[fresh], margins[fresh], budget=budget, share=novelty
    )
    members = [
        _again(one, joint, vectors, labels, fresh, budget, seed, 1 / len(kept), progress)
        for one in kept
    ]
    return Warm(Ensemble((*members, *waiting), risk, warm=True, lane=aside), measured, note)


def _tried(
    vectors: Floats, labels: Floats, held: Held, seed: int, progress: Progress
) -> list[Judged]:
    found = []
    for place, name in enumerate((*LEARNERS, BASELINE)):
        learner = kind(name)
        progress(0.15 + 0.15 * place, f"learning from the earlier labels: {learner.title}")
        early = learner.train(vectors[held.learnt], labels[held.learnt], seed=seed)
        raw, judged = early.raw(vectors), labels[held.judged]
        reached = average_precision(judged, raw[held.judged])
        found.append(Judged(name, raw, platt(raw[held.judged], judged), reached))
    return found


def chosen(tried: list[Judged], unlearnt: float) -> tuple[str, list[Judged]]:
    """Who takes part, and a sentence about who does not and why."""
    *learners, baseline = tried
    bar = COLLAPSED * max(baseline.reached, unlearnt)
    kept = [one for one in learners if one.reached >= bar]
    if not kept and baseline.reached >= bar:
        kept = [baseline]
    if not kept:
        found = ", ".join(f"{kind(one.name).title} {one.reached:.3f}" for one in tried)
        return f"labels taught less (AP: {found}) than anomaly did ({unlearnt:.3f})", []
    left = [one for one in learners if one not in kept]
    told = ", ".join(f"{kind(one.name).title} (AP {one.reached:.3f})" for one in left)
    return (f"left out, because they found less than {bar:.3f}: {told}" if left else ""), kept


def _joint(kept: list[Judged], held: Held, judged: Floats) -> tuple[Floats, Affine]:
    """The mean of their log-odds, and the map that calibrates it: a mean is too timid by itself."""
    mean = np.mean([one.margins for one in kept], axis=0)
    joint = platt(mean[held.judged], judged) if len(kept) > 1 else Affine(1.0, 0.0)
    return joint(mean), joint


def _again(
    one: Judged,
    joint: Affine,
    vectors: Floats,
    labels: Floats,
    fresh: NDArray[np.bool_],
    budget: float,
    seed: int,
    weight: float,
    progress: Progress,
) -> Member:
    """The same learner with all labels; the maps stay those of rows it had not seen."""
    learner = kind(one.name)
    progress(0.7, f"learning from all labels: {learner.title}")
    known = np.flatnonzero(~np.isnan(labels))
    detector = learner.train(vectors[known], labels[known], seed=seed)
    own = one.to_odds
    whole = Affine(joint.slope * own.slope, joint.slope * own.intercept + joint.intercept)
    risk = RiskMap.fitted(whole(one.raw[fresh]), budget)
    return Member(one.name, detector, weight, whole, risk)


def _reference(times: NDArray[np.int64], margins: Floats, held: Held) -> NDArray[np.bool_]:
    """Rows as they will come: all later ones not learnt from, labelled or not."""
    fresh = np.ones(len(margins), bool)
    fresh[held.learnt] = False
    later: NDArray[np.bool_] = fresh & (times >= times[held.judged].min())
    return later
