"""The measurements of a version as table rows and as charts with their table twins."""

from itertools import pairwise
from typing import Any

from scoring.comparison import MEASURES, Measure

NOISE = 0.005  # a smaller difference is neither better nor worse


def table(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per measure that was taken, beside the champion of that day."""
    own = metrics.get("measured") or {}
    rival = (metrics.get("champion") or {}).get("measured") or {}
    return [
        _row(measure, own[measure.key], rival.get(measure.key))
        for measure in MEASURES
        if measure.key in own
    ]


def _row(measure: Measure, own: float, rival: float | None) -> dict[str, Any]:
    gain = 0.0 if rival is None else (rival - own if measure.lower else own - rival)
    return {
        "title": measure.title,
        "hint": measure.hint,
        "tile": measure.tile,
        "own": _said(measure, own),
        "rival": "" if rival is None else _said(measure, rival),
        "difference": "" if rival is None else f"{own - rival:+.3f}",
        "better": gain > NOISE,
        "worse": gain < -NOISE,
    }


def _said(measure: Measure, value: float) -> str:
    return f"{100 * value:.1f} %" if measure.share else f"{value:.3f}"


def charts(metrics: dict[str, Any]) -> dict[str, Any] | None:
    """`data` for the script island and `tables` for those who read rather than look."""
    curves = metrics.get("curves") or {}
    made = [make(curves, metrics) for name, make in CHARTS if curves.get(name)]
    if not made:
        return None
    return {"data": {chart["name"]: chart.pop("drawn") for chart in made}, "tables": made}


def _precision_recall(curves: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    recall, precision = zip(*curves["pr"], strict=True)
    traces = [_line("This version", recall, precision, "accent")]
    rival = metrics.get("champion") or {}
    if rival.get("pr"):
        traces.append(_line(f"v{rival['number']}", *zip(*rival["pr"], strict=True), "muted"))
    return {
        "name": "pr",
        "title": "Precision and recall",
        "meaning": "How many alerts are frauds, for each share of the frauds one wants to find.",
        "heads": ["Recall", "Precision"],
        "lines": [(f"{x:.3f}", f"{y:.3f}") for x, y in curves["pr"]],
        "drawn": {
            "traces": traces,
            "x": {"title": {"text": "Recall"}, "range": [0, 1.02]},
            "y": {"title": {"text": "Precision"}, "range": [0, 1.02]},
        },
    }


def _histogram(curves: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    bars = curves["histogram"]
    edges = bars["edges"]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    steps = zip(pairwise(edges), bars["legitimate"], bars["fraud"], strict=True)
    return {
        "name": "histogram",
        "title": "Risk scores",
        "meaning": "Held-out rows by risk score; people see what lies above 0.7.",
        "heads": ["Risk score", "Legitimate", "Fraud"],
        "lines": [(f"{low:.2f} to {high:.2f}", good, bad) for (low, high), good, bad in steps],
        "drawn": {
            "traces": [
                _bars("Legitimate", middles, bars["legitimate"], "muted"),
                _bars("Fraud", middles, bars["fraud"], "bad"),
            ],
            "x": {"title": {"text": "Risk score"}, "range": [0, 1]},
            "y": {"title": {"text": "Transactions"}, "type": "log"},
        },
    }


def _calibration(curves: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    foretold, found, _ = zip(*curves["calibration"], strict=True)
    return {
        "name": "calibration",
        "title": "Calibration",
        "meaning": "Foretold probability and what came, by tenths of rows; on the line is right.",
        "heads": ["Foretold", "Found", "Rows"],
        "lines": [(f"{x:.3f}", f"{y:.3f}", rows) for x, y, rows in curves["calibration"]],
        "drawn": {
            "traces": [
                _line("Right", [0, 1], [0, 1], "line", mode="lines"),
                _line("This version", foretold, found, "accent", mode="lines+markers"),
            ],
            "x": {"title": {"text": "Foretold"}, "range": [0, 1.02]},
            "y": {"title": {"text": "Found"}, "range": [0, 1.02]},
        },
    }


CHARTS = [("pr", _precision_recall), ("histogram", _histogram), ("calibration", _calibration)]


def _line(name: str, x: Any, y: Any, ink: str, mode: str = "lines") -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": list(x),
        "y": list(y),
        "ink": ink,
    }


def _bars(name: str, x: Any, y: Any, ink: str) -> dict[str, Any]:
    return {"type": "bar", "name": name, "x": list(x), "y": list(y), "ink": ink, "opacity": 0.75}
