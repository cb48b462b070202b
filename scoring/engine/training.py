"""From vectors and what became known of them to a bundle: cold without labels, warm with enough."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine import features, preparation
from scoring.engine.bundle import FORMAT, PREPARED, Bundle
from scoring.engine.calibration import RiskMap, anomaly, platt, probability
from scoring.engine.detectors import isolation_forest, kind
from scoring.engine.ensemble import Ensemble, Member
from scoring.engine.evaluation import average_precision, metrics
from scoring.engine.plan import Plan

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]
LEAST_FRAUDS = 200  # below, a supervised model learns the few it has seen by heart
LEAST_ROWS = 100
LEARNT_SHARE = 0.75  # of the frauds lie before the slice on which a model is judged
LIBRARIES = ("numpy", "scikit-learn", "xgboost-cpu", "xgboost", "numba")


class Untrainable(ValueError):
    """There is too little to learn from; its text is a sentence for the model owner."""


@dataclass(frozen=True)
class Held:
    """Which labelled rows were learnt from first, and which later ones judged the result."""

    learnt: NDArray[np.int64]
    judged: NDArray[np.int64]


def fit(
    vectors: Floats,
    labels: Floats | None,
    times: NDArray[np.int64],
    *,
    budget: float,
    seed: int = 7,
    preset: str = "default",
    plan: Plan | None = None,
    progress: Progress = lambda share, message: None,
) -> Bundle:
    """A bundle for these rows; the same input gives the same bundle, byte for byte.

    `labels` are 1 fraud, 0 genuine, NaN not known (yet): unknown rows teach the anomaly member
    only, so a caller that takes silence for genuine says so with 0. `times` are event times. With
    at least 200 frauds the boosted member is learnt, judged on the latest quarter of the frauds it
    has not seen, calibrated there, and then learnt again from everything. A `plan` says which
    features are learnt from and how they are prepared; without one all are, as they are.
    """
    plan = plan or Plan()
    prepared, seen = preparation.fit(plan, vectors)
    bundle = _fit(seen, labels, times, budget, seed, preset, progress)
    if plan.whole:
        return bundle
    told = {"pipeline": plan.as_dict(), "format": PREPARED if prepared else FORMAT}
    return Bundle(bundle.manifest | told, replace(bundle.ensemble, preparation=prepared))


def _fit(
    vectors: Floats,
    labels: Floats | None,
    times: NDArray[np.int64],
    budget: float,
    seed: int,
    preset: str,
    progress: Progress,
) -> Bundle:
    if len(vectors) < LEAST_ROWS:
        raise Untrainable(
            f"There are {len(vectors)} transactions; at least {LEAST_ROWS} are needed."
        )
    labels = np.full(len(vectors), np.nan) if labels is None else labels.astype(np.float64)
    progress(0.05, "learning what is usual")
    forest = _anomaly_member(vectors, budget, preset, seed)
    frauds = int(np.sum(labels == 1))
    genuine = int(np.sum(labels == 0))
    note = f"{frauds} frauds are known; {LEAST_FRAUDS} are needed before a model learns from them"
    if frauds >= LEAST_FRAUDS and genuine < frauds:
        note = f"only {genuine} genuine transactions are known beside {frauds} frauds"
    elif frauds >= LEAST_FRAUDS:
        warm = _warm(vectors, labels, times, forest, budget, seed, progress)
        if warm.ensemble is not None:
            progress(1.0, "done")
            return _bundle(warm.ensemble, labels, times, budget, seed, preset, warm.metrics, "")
        note = warm.note
    known = np.flatnonzero(~np.isnan(labels))
    margins = forest.margins(vectors)
    cold = Ensemble((forest,), RiskMap.fitted(margins, budget), warm=False)
    measured = metrics(labels[known], margins[known]) if frauds else {}
    progress(1.0, "done")
    return _bundle(cold, labels, times, budget, seed, preset, measured, note)


@dataclass(frozen=True)
class _Warm:
    ensemble: Ensemble | None
    metrics: dict[str, float]
    note: str = ""


def _anomaly_member(vectors: Floats, budget: float, preset: str, seed: int) -> Member:
    settings = isolation_forest.PRESETS[preset]
    detector = isolation_forest.train(vectors, settings=settings, seed=seed)
    to_odds = anomaly(detector.raw(vectors), budget)
    risk = RiskMap.fitted(to_odds(detector.raw(vectors)), budget)
    return Member("isolation_forest", detector, 1.0, to_odds, risk)


def held_out(labels: Floats, times: NDArray[np.int64]) -> Held:
    """Labelled rows before and from the time by which three quarters of the frauds had happened."""
    known = np.flatnonzero(~np.isnan(labels))
    fraud_times = np.sort(times[labels == 1])
    cut = fraud_times[int(len(fraud_times) * LEARNT_SHARE)]
    return Held(known[times[known] < cut], known[times[known] >= cut])


def _warm(
    vectors: Floats,
    labels: Floats,
    times: NDArray[np.int64],
    forest: Member,
    budget: float,
    seed: int,
    progress: Progress,
) -> _Warm:
    held = held_out(labels, times)
    judged = labels[held.judged]
    if judged.sum() == len(judged) or labels[held.learnt].sum() < LEAST_FRAUDS / 4:
        return _Warm(None, {}, "the known frauds and genuine transactions do not overlap in time")
    progress(0.2, "learning from the earlier labels")
    earlier = kind("boosting").train(vectors[held.learnt], labels[held.learnt], seed=seed)
    raw = earlier.raw(vectors[held.judged])
    unlearnt = forest.margins(vectors[held.judged])
    reached, without = average_precision(judged, raw), average_precision(judged, unlearnt)
    if not reached >= without:
        note = f"the boosted trees found less (AP {reached:.3f}) than anomaly did ({without:.3f})"
        return _Warm(None, {}, note)
    progress(0.5, "calibrating on the later labels")
    to_odds = platt(raw, judged)
    margins = to_odds(raw)
    measured = metrics(judged, margins, probability(margins))
    measured["anomaly_average_precision"] = without
    progress(0.6, "learning from all labels")
    known = np.flatnonzero(~np.isnan(labels))
    detector = kind("boosting").train(vectors[known], labels[known], seed=seed)
    risk = RiskMap.fitted(
        _reference(vectors, labels, times, to_odds(earlier.raw(vectors)), held), budget
    )
    reserve = Member(forest.name, forest.detector, 0.0, forest.to_odds, forest.risk)
    members = (Member("boosting", detector, 1.0, to_odds, risk), reserve)
    return _Warm(Ensemble(members, risk, warm=True), measured)


def _reference(
    vectors: Floats, labels: Floats, times: NDArray[np.int64], margins: Floats, held: Held
) -> Floats:
    """Log-odds of rows as they will come: all not learnt from, labelled or not."""
    fresh = np.ones(len(vectors), bool)
    fresh[held.learnt] = False
    start = times[held.judged].min()
    later = fresh & (times >= start)
    return np.asarray(margins[later])


def _bundle(
    ensemble: Ensemble,
    labels: Floats,
    times: NDArray[np.int64],
    budget: float,
    seed: int,
    preset: str,
    measured: dict[str, float],
    note: str,
) -> Bundle:
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "kind": "warm" if ensemble.warm else "cold",
        "spec": features.spec_id(),
        "features": list(features.NAMES),
        "metrics": measured,
        "note": note,
        "budget": budget,
        "seed": seed,
        "preset": {"name": preset, **asdict(isolation_forest.PRESETS[preset])},
        "rows": len(labels),
        "frauds": int(np.sum(labels == 1)),
        "genuine": int(np.sum(labels == 0)),
        "last_event": int(times.max()),  # microseconds since 2000-01-01: the data's cut-off
        "libraries": _versions(),
    }
    return Bundle(manifest, ensemble)


def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
