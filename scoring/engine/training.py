"""From vectors and what became known of them to a bundle: cold without labels, warm with enough."""

from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine import features, preparation, warm
from scoring.engine.bundle import FORMAT, PREPARED, Bundle
from scoring.engine.calibration import RiskMap, anomaly
from scoring.engine.detectors import isolation_forest, kind
from scoring.engine.ensemble import Ensemble, Member, combined
from scoring.engine.evaluation import metrics
from scoring.engine.plan import Plan

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]
LEAST_FRAUDS = 200  # below, a supervised model learns the few it has seen by heart
LEAST_ROWS = 100
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
    unlabelled = _anomaly_members(vectors, budget, preset, seed)
    reserve = unlabelled[0]
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
            reserve,
            budget=budget,
            seed=seed,
            least=LEAST_FRAUDS / 4,
            progress=progress,
        )
        note = found.note
        if found.ensemble is not None:
            progress(1.0, "done")
            return _bundle(found.ensemble, labels, times, budget, seed, preset, found.metrics, note)
    known = np.flatnonzero(~np.isnan(labels))
    margins = combined([(member, member.margins(vectors)) for member in unlabelled])
    cold = Ensemble(tuple(unlabelled), RiskMap.fitted(margins, budget), warm=False)
    measured = metrics(labels[known], margins[known]) if frauds else {}
    progress(1.0, "done")
    return _bundle(cold, labels, times, budget, seed, preset, measured, note)


def _anomaly_members(vectors: Floats, budget: float, preset: str, seed: int) -> list[Member]:
    """Those that need no label, each with its say in a cold score."""
    found = []
    for name, weight in COLD.items():
        settings = isolation_forest.PRESETS[preset] if name == "isolation_forest" else None
        detector = kind(name).train(
            vectors, **({"settings": settings} if settings else {}), seed=seed
        )
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
