"""From vectors and what became known of them to a bundle: cold without labels, warm with enough."""

from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine import features, lane, presets, warm, weighted
from scoring.engine import preparation as preparing
from scoring.engine.bundle import Bundle, format_of
from scoring.engine.calibration import RiskMap, anomaly
from scoring.engine.detectors import kind
from scoring.engine.detectors.base import Unlearnable
from scoring.engine.ensemble import Ensemble, Member, combined
from scoring.engine.evaluation import metrics
from scoring.engine.plan import Plan
from scoring.engine.preparation import Preparation
from scoring.engine.reading import Reading, untaught

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]
LEAST_FRAUDS = 200  # below, a supervised model learns the few it has seen by heart
LEAST_ROWS = 100
DEFAULT = "default"
COLD = {"isolation_forest": 0.5, "one_sided": 0.5}  # without labels, and what each says
LIBRARIES = ("numpy", "scikit-learn", "xgboost-cpu", "xgboost", "numba")


class Untrainable(ValueError):
    """There is too little to learn from; its text is a sentence for the model owner."""


def fit(
    vectors: Floats,
    labels: Floats | None,
    times: NDArray[np.int64],
    *,
    budget: float,
    seed: int = 7,
    novelty: float = lane.SHARE,
    preset: str = DEFAULT,
    plan: Plan | None = None,
    known: NDArray[np.int64] | None = None,
    progress: Progress = lambda share, message: None,
) -> Bundle:
    """A bundle for these rows; the same input gives the same bundle, byte for byte.

    `labels` are 1 fraud, 0 genuine, NaN not known (yet): unknown rows teach the anomaly member
    only, so a caller that takes silence for genuine says so with 0. `times` are event times. With
    at least 200 frauds the boosted member is learnt, judged on the latest quarter of the frauds it
    has not seen, calibrated there, and then learnt again from everything; the share `novelty` of
    the budget is left to the novelty lane. A `plan` says which features are learnt from and how
    they are prepared; without one all are, as they are.
    `known` is when each label was given (FOREVER: silence), by which frauds not yet reported are
    reckoned with.
    """
    if len(vectors) < LEAST_ROWS:
        raise Untrainable(
            f"There are {len(vectors)} transactions; at least {LEAST_ROWS} are needed."
        )
    plan = plan or Plan()
    labels = np.full(len(vectors), np.nan) if labels is None else labels.astype(np.float64)
    prepared, seen = preparing.fit(plan, vectors)
    try:
        bundle, names = _fit(seen, labels, times, budget, novelty, seed, preset, known, progress)
    except Unlearnable as reason:
        raise Untrainable(str(reason)) from reason
    told: dict[str, Any] = {} if plan.whole else {"pipeline": plan.as_dict()}
    if names is not None:  # else no member has seen a name, and none asks for one
        prepared = Preparation(prepared.steps if prepared else (), names)
    ensemble = replace(bundle.ensemble, preparation=prepared)
    return Bundle(bundle.manifest | told | {"format": format_of(ensemble)}, ensemble)


def _fit(
    vectors: Floats,
    labels: Floats,
    times: NDArray[np.int64],
    budget: float,
    novelty: float,
    seed: int,
    preset: str,
    known: NDArray[np.int64] | None,
    progress: Progress,
) -> tuple[Bundle, Reading | None]:
    """The bundle, and how its members read names, if they do."""
    progress(0.05, "learning what is usual")
    if preset != DEFAULT:
        nameless = untaught(vectors)(vectors)
        return _of_preset(nameless, labels, times, budget, seed, preset, progress), None
    unlabelled = _anomaly_members(vectors, budget, seed)
    frauds = int(np.sum(labels == 1))
    genuine = int(np.sum(labels == 0))
    note = f"{frauds} frauds are known; {LEAST_FRAUDS} are needed before a model learns from them"
    if frauds >= LEAST_FRAUDS and genuine < frauds:
        note = f"only {genuine} genuine transactions are known beside {frauds} frauds"
    elif frauds >= LEAST_FRAUDS:
        found = warm.learn(
            vectors,
            labels,
            times,
            unlabelled,
            known=known,
            budget=budget,
            novelty=novelty,
            seed=seed,
            least=LEAST_FRAUDS / 4,
            progress=progress,
        )
        note = found.note
        if found.ensemble is not None:
            progress(1.0, "done")
            made = _bundle(found.ensemble, labels, times, budget, seed, preset, found.metrics, note)
            return made, found.reading
    said = np.flatnonzero(~np.isnan(labels))
    margins = combined([(member, member.margins(vectors)) for member in unlabelled])
    cold = Ensemble(tuple(unlabelled), RiskMap.fitted(margins, budget), warm=False)
    measured = metrics(labels[said], margins[said]) if frauds else {}
    progress(1.0, "done")
    return _bundle(cold, labels, times, budget, seed, preset, measured, note), None


def _of_preset(
    vectors: Floats,
    labels: Floats,
    times: NDArray[np.int64],
    budget: float,
    seed: int,
    name: str,
    progress: Progress,
) -> Bundle:
    try:
        asked = presets.preset(name)
        ensemble, margins, note = weighted.learn(
            asked, vectors, labels, budget=budget, seed=seed, least=LEAST_FRAUDS, progress=progress
        )
    except KeyError:
        raise Untrainable(f"There is no preset {name}.") from None
    known = np.flatnonzero(~np.isnan(labels))
    measured = metrics(labels[known], margins[known]) if np.any(labels == 1) else {}
    progress(1.0, "done")
    return _bundle(ensemble, labels, times, budget, seed, name, measured, note)


def _anomaly_members(vectors: Floats, budget: float, seed: int) -> list[Member]:
    """Those that need no label, each with its say in a cold score."""
    found = []
    for name, weight in COLD.items():
        detector = kind(name).train(vectors, seed=seed)
        to_odds = anomaly(detector.raw(vectors), budget)
        risk = RiskMap.fitted(to_odds(detector.raw(vectors)), budget)
        found.append(Member(name, detector, weight, to_odds, risk))
    return found


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
        "format": format_of(ensemble),
        "kind": "warm" if ensemble.warm else "cold",
        "spec": features.spec_id(),
        "features": list(features.NAMES),
        "metrics": measured,
        "note": note,
        "budget": budget,
        "novelty": ensemble.lane.share if ensemble.lane else 0.0,  # of the budget
        "seed": seed,
        "preset": {"name": preset, "members": _settings(preset)},
        "rows": len(labels),
        "frauds": int(np.sum(labels == 1)),
        "genuine": int(np.sum(labels == 0)),
        "last_event": int(times.max()),  # microseconds since 2000-01-01: the data's cut-off
        "libraries": _versions(),
    }
    return Bundle(manifest, ensemble)


def _settings(preset: str) -> dict[str, Any]:
    """What each detector of a preset was told; the default's are those of their modules."""
    if preset == DEFAULT:
        return {}
    return {part.detector: asdict(part.settings) for part in presets.preset(preset).parts}


def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
