"""What is learnt from labels: which learners earn a place, how much they say, what they missed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from scoring.engine import lane
from scoring.engine.calibration import Affine, RiskMap, platt, probability
from scoring.engine.detectors import kind
from scoring.engine.detectors.base import Detector
from scoring.engine.ensemble import Ensemble, Member
from scoring.engine.evaluation import average_precision, metrics
from scoring.engine.history import FOREVER
from scoring.engine.reading import Reading, untaught
from scoring.engine.reading import learnt as reading_of
from scoring.engine.reporting import observed
from scoring.engine.shares import shares

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Progress = Callable[[float, str], None]
LEARNERS = ("boosting", "extra_trees")
# A booster may collapse where frauds are very rare, and then it finds next to nothing of what a
# plain regression finds. Only that is caught here, because one slice of time cannot say more: in a
# wave of a new kind of fraud, whatever learnt least loses least, and is the worse choice after it.
BASELINE = "logistic"
COLLAPSED = 0.5  # of the average precision of the baseline, or of the score without labels
LEARNT_SHARE = 0.75  # of the frauds lie before the slice on which a model is judged
# One slice holds too few frauds to settle the level. The quarter before it is met, too, by learners
# who know the first half; whoever takes part is calibrated on both.
EARLIER_SHARE = 0.5


@dataclass(frozen=True)
class Held:
    """Which labelled rows were learnt from first, and which later ones judged the result.

    `met` are all rows of the judged time, labelled or not: as they will come.
    """

    learnt: Integers
    judged: Integers
    met: Integers


@dataclass(frozen=True)
class Warm:
    """An ensemble, or the reason in words why there is none; and what was measured."""

    ensemble: Ensemble | None
    metrics: dict[str, float] = field(default_factory=dict)
    note: str = ""
    reading: Reading | None = None  # by which its members read names; None: they do not


@dataclass(frozen=True)
class Judged:
    """A learner that knows the earlier labels only, and how it did on the later ones."""

    name: str
    raw: Floats  # of the rows met
    reached: float


@dataclass(frozen=True)
class Task:
    """What there is to learn from: vectors with names as names, labels, and how much is known.

    `seen` is the share of frauds as old as each row that were reported by now.
    """

    vectors: Floats
    labels: Floats
    times: Integers
    seen: Floats
    seed: int
    named: bool = True  # names are read

    def reading(self, rows: Integers) -> Reading:
        """How names, and amounts beside them, are read by whoever knows these rows."""
        vectors = self.vectors[rows]
        return reading_of(vectors, self.labels[rows]) if self.named else untaught(vectors)

    def learn(self, name: str, rows: Integers, reading: Reading) -> Detector:
        """That learner, taught by these rows."""
        return kind(name).train(reading(self.vectors[rows]), self.labels[rows], seed=self.seed)


def held_out(
    labels: Floats, times: Integers, share: float = LEARNT_SHARE, until: float = 1.0
) -> Held:
    """Labelled rows before and from the time by which that share of the frauds had happened."""
    known = ~np.isnan(labels)
    fraud_times = np.sort(times[labels == 1])
    cut = fraud_times[int(len(fraud_times) * share)]
    end = fraud_times[int(len(fraud_times) * until)] if until < 1 else FOREVER
    met = (times >= cut) & (times < end)
    return Held(
        np.flatnonzero(known & (times < cut)), np.flatnonzero(known & met), np.flatnonzero(met)
    )


def learn(
    vectors: Floats,
    labels: Floats,
    times: Integers,
    reserves: Sequence[Member],
    *,
    known: Integers | None = None,
    budget: float,
    novelty: float,
    seed: int,
    least: float,
    progress: Progress,
) -> Warm:
    """The mean of calibrated log-odds of the learners that earn it, learnt again from everything.

    They say alike, unless the later labels speak for another mix (`shares`). Judged on the latest
    quarter of the frauds: whoever finds less than half there of what the logistic baseline or the
    score without labels finds has collapsed and is left out. `least` frauds must lie in the rest.
    The first of `reserves` judges what anomaly alone finds, the last looks after the lane, which
    gets the share `novelty` of the budget.
    Names, and amounts beside them, are read only if boosted trees that read them find no less on
    the later labels than without. `known` is when each label was given: frauds of late are not all
    reported yet, and the known ones stand for the others.
    """
    held = held_out(labels, times)
    judged = labels[held.judged]
    if judged.sum() == len(judged) or labels[held.learnt].sum() < least:
        return Warm(None, note="the known frauds and genuine transactions do not overlap in time")
    task = Task(vectors, labels, times, reported(times, labels, known), seed)
    unlearnt = average_precision(judged, reserves[0].margins(vectors[held.judged]))
    task, tried = _tried(task, held, progress)
    note, kept = chosen(tried, unlearnt)
    if not kept:
        return Warm(None, note=note)
    progress(0.55, "calibrating on the later labels")
    mix = _calibrated(task, kept, held)
    margins = mix.margins
    latest = margins[len(margins) - len(held.met) :]
    said = latest[~np.isnan(labels[held.met])]
    measured = metrics(judged, said, probability(said))
    measured |= {"anomaly_average_precision": unlearnt}
    measured |= {f"{one.name}_average_precision": one.reached for one in tried}
    says = dict(zip((one.name for one in kept), mix.weights.tolist(), strict=True))
    measured |= {f"{name}_share": round(share, 4) for name, share in says.items()}
    waiting = [replace(one, weight=0.0) for one in reserves]
    fresh = np.concatenate([_earlier(task).met, held.met])
    split, aside = lane.parted(waiting[-1], vectors[fresh], margins, budget=budget, share=novelty)
    everything = np.flatnonzero(~np.isnan(labels))
    reading = task.reading(everything)
    members = []
    for place, (one, whole) in enumerate(zip(kept, mix.maps, strict=True)):
        progress(0.7 + 0.15 * place, f"learning from all labels: {kind(one.name).title}")
        detector = task.learn(one.name, everything, reading)
        risk = RiskMap.fitted(whole(mix.met[one.name]), budget)
        members.append(Member(one.name, detector, says[one.name], whole, risk))
    ensemble = Ensemble((*members, *waiting), split, warm=True, lane=aside)
    return Warm(ensemble, measured, note, reading if reading.taught else None)


def reported(times: Integers, labels: Floats, known: Integers | None) -> Floats:
    """The share of the frauds as old as each row that were reported by now; 1 without `known`."""
    if known is None:
        return np.ones(len(times))
    reporting, until = observed(times, labels, known)
    return reporting.seen(np.maximum(until - times, 0))


def _tried(task: Task, held: Held, progress: Progress) -> tuple[Task, list[Judged]]:
    """Every learner on the later labels; and the task without names, where these mislead.

    What was common in a category need not stay so: in a time of change a rate of before is worse
    than none.
    """
    progress(0.1, f"learning from the earlier labels: {kind(LEARNERS[0]).title}")
    first = _judged(task, held, LEARNERS[0])
    if task.reading(held.learnt).taught:
        without = replace(task, named=False)
        nameless = _judged(without, held, LEARNERS[0])
        if nameless.reached > first.reached:
            task, first = without, nameless
    else:
        task = replace(task, named=False)
    found = [first]
    for place, name in enumerate((*LEARNERS[1:], BASELINE), start=1):
        progress(0.1 + 0.15 * place, f"learning from the earlier labels: {kind(name).title}")
        found.append(_judged(task, held, name))
    return task, found


def _judged(task: Task, held: Held, name: str) -> Judged:
    early = task.reading(held.learnt)
    raw = task.learn(name, held.learnt, early).raw(early(task.vectors[held.met]))
    said = task.labels[held.met]
    known = ~np.isnan(said)
    return Judged(name, raw, average_precision(said[known], raw[known]))


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


def _earlier(task: Task) -> Held:
    return held_out(task.labels, task.times, EARLIER_SHARE, LEARNT_SHARE)


@dataclass(frozen=True)
class Mix:
    """How much each says, its map to the joint log-odds, those of all rows met, and what each said.

    Both slices count, the earlier one first.
    """

    weights: Floats
    maps: list[Affine]
    margins: Floats
    met: dict[str, Floats]


def _calibrated(task: Task, kept: list[Judged], held: Held) -> Mix:
    earlier = _earlier(task)
    both = np.concatenate([earlier.met, held.met])
    raw = _met(task, kept, earlier)
    known = ~np.isnan(task.labels[both])
    said, seen = task.labels[both][known], task.seen[both][known]
    own = [platt(raw[one.name][known], said, seen) for one in kept]
    pairs = zip(kept, own, strict=True)
    odds = np.array([to_odds(raw[one.name]) for one, to_odds in pairs])
    weights = shares(odds[:, known], said, seen, task.times[both][known])
    mean = weights @ odds
    # A mean is too timid by itself.
    joint = platt(mean[known], said, seen) if len(kept) > 1 else Affine(1.0, 0.0)
    maps = [
        Affine(joint.slope * one.slope, joint.slope * one.intercept + joint.intercept)
        for one in own
    ]
    return Mix(weights, maps, joint(mean), raw)


def _met(task: Task, kept: list[Judged], earlier: Held) -> dict[str, Floats]:
    """What each says of both slices, having learnt from what lay before each."""
    reading = task.reading(earlier.learnt)
    asked = reading(task.vectors[earlier.met])
    return {
        one.name: np.concatenate(
            [task.learn(one.name, earlier.learnt, reading).raw(asked), one.raw]
        )
        for one in kept
    }
