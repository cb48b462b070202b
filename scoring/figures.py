"""The measurements of a version as table rows and as charts with their table twins."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from anomalyshield.templatetags.words import figure, percent, score, upto
from scoring import importance, operating
from scoring.charts import share_bar
from scoring.comparison import MEASURES, Measure
from scoring.engine.costs import Bill
from scoring.engine.features import FEATURES
from scoring.operating import Point

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
    gain = 0.0 if rival is None else _gain(measure, own, rival)
    return {
        "title": measure.title,
        "hint": measure.hint,
        "tile": measure.tile,
        "own": _said(measure, own),
        "rival": "" if rival is None else _said(measure, rival),
        "difference": "" if rival is None else figure(f"{own - rival:+.3f}"),
        "better": gain > NOISE,
        "worse": gain < -NOISE,
    }


def _gain(measure: Measure, own: float, rival: float) -> float:
    if measure.target is not None:
        return abs(rival - measure.target) - abs(own - measure.target)
    return rival - own if measure.lower else own - rival


def _said(measure: Measure, value: float) -> str:
    return percent(value) if measure.share else figure(f"{value:.3f}")


def important(metrics: dict[str, Any]) -> list[tuple[str, importance.Moves, Any]]:
    """What moves scores, the strongest first: the feature's meaning, by how much, and a bar."""
    found = importance.of_features(metrics)
    meanings = {feature.name: _(feature.meaning) for feature in FEATURES}
    return _with_bars([(meanings.get(one.name, one.name), one) for one in found])


def important_families(metrics: dict[str, Any]) -> list[tuple[str, importance.Moves, Any]]:
    """The same of families."""
    return _with_bars([(_(family.title), one) for family, one in importance.of_families(metrics)])


def _with_bars(
    found: list[tuple[str, importance.Moves]],
) -> list[tuple[str, importance.Moves, Any]]:
    largest = found[0][1].share if found else 0.0
    return [(words, one, share_bar(one.share, largest)) for words, one in found]


Bills = Sequence[tuple[Point, Bill]]


def charts(
    metrics: dict[str, Any], at: Point | None = None, bills: Bills = ()
) -> dict[str, Any] | None:
    """`data` for the script island and `tables` for those who read rather than look.

    `at` is marked on the curves it lies on; `bills` are what each threshold costs.
    """
    curves = metrics.get("curves") or {}
    made = [make(curves, metrics) for name, make in CHARTS if curves.get(name)]
    if bills:
        made.append(_costs(bills))
    if not made:
        return None
    data = {chart["name"]: chart.pop("drawn") for chart in made}
    for name, place in (places(at, dict(bills).get(at)) if at else {}).items():
        if name in data:
            data[name]["traces"].append(_mark(*place))
    return {"data": data, "tables": made}


def places(at: Point, bill: Bill | None = None) -> dict[str, tuple[float | None, float | None]]:
    """Where a threshold lies on each curve."""
    found = {"pr": (at.recall, at.precision), "roc": (at.false_alarms, at.recall)}
    return found | ({"costs": (at.cut, round(bill.total, 2))} if bill else {})


def said(at: Point, bill: Bill | None = None) -> dict[str, str]:
    """A threshold in words, for the page and for the script that exchanges them."""
    shares = {
        name: percent(getattr(at, name))
        for name in ("precision", "recall", "false_alarms", "share", "money", "f1")
    }
    counts = {name: upto(getattr(at, name)) for name in ("true", "false", "missed", "quiet")}
    day = "–" if at.per_day is None else figure(f"{at.per_day:,.1f}")
    words = {"cut": score(at.cut), "alerts": upto(at.alerts), "day": day, **shares, **counts}
    if bill is None:
        return words
    sums = {"cost": bill.total, "missed_cost": bill.missed, "work_cost": bill.review}
    sums |= {"friction_cost": bill.friction, "saved": bill.saved}
    return words | {name: figure(f"{value:,.0f}").replace("-", "−") for name, value in sums.items()}


def _precision_recall(curves: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    recall, precision = zip(*curves["pr"], strict=True)
    traces = [_line(_("This version"), recall, precision, "accent")]
    rival = metrics.get("champion") or {}
    if rival.get("pr"):
        traces.append(_line(f"v{rival['number']}", *zip(*rival["pr"], strict=True), "muted"))
    return {
        "name": "pr",
        "title": _("Precision and recall"),
        "meaning": _("How many alerts are frauds, for each share of the frauds one wants to find."),
        "heads": [_("Recall"), _("Precision")],
        "lines": [(score(x, 3), score(y, 3)) for x, y in curves["pr"]],
        "drawn": {
            "traces": traces,
            "x": {"title": {"text": _("Recall")}, "range": [0, 1.02]},
            "y": {"title": {"text": _("Precision")}, "range": [0, 1.02]},
        },
    }


def _roc(curves: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    false, true = zip(*curves["roc"], strict=True)
    traces = [
        _line(_("Chance"), [0, 1], [0, 1], "line"),
        _line(_("This version"), false, true, "accent"),
    ]
    rival = metrics.get("champion") or {}
    if rival.get("roc"):
        traces.append(_line(f"v{rival['number']}", *zip(*rival["roc"], strict=True), "muted"))
    return {
        "name": "roc",
        "title": _("Frauds found and false alarms"),
        "meaning": _("ROC: the share of frauds above a threshold, for each share of genuine ones."),
        "heads": [_("False alarms"), _("Frauds found")],
        "lines": [(score(x, 4), score(y, 3)) for x, y in curves["roc"]],
        "drawn": {
            "traces": traces,
            "x": {"title": {"text": _("Share of genuine payments")}, "range": [-0.01, 1.02]},
            "y": {"title": {"text": _("Share of frauds")}, "range": [0, 1.02]},
        },
    }


def _histogram(curves: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    bars = curves["histogram"]
    edges = bars["edges"]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    steps = zip(pairwise(edges), bars["legitimate"], bars["fraud"], strict=True)
    return {
        "name": "histogram",
        "title": _("Risk scores"),
        "meaning": _("Held-out rows by risk score; people see what lies above 0.7."),
        "heads": [_("Risk score"), _("Legitimate"), _("Fraud")],
        "lines": [
            (
                _("{low} to {high}").format(low=figure(f"{low:.2f}"), high=figure(f"{high:.2f}")),
                upto(good),
                upto(bad),
            )
            for (low, high), good, bad in steps
        ],
        "drawn": {
            "traces": [
                _bars(_("Legitimate"), middles, bars["legitimate"], "muted"),
                _bars(_("Fraud"), middles, bars["fraud"], "bad"),
            ],
            "x": {"title": {"text": _("Risk score")}, "range": [0, 1]},
            "y": {"title": {"text": _("Transactions")}, "type": "log"},
        },
    }


def _calibration(curves: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    foretold, found, _unused = zip(*curves["calibration"], strict=True)
    return {
        "name": "calibration",
        "title": _("Calibration"),
        "meaning": _(
            "Foretold probability and what came, by tenths of rows; on the line is right."
        ),
        "heads": [_("Foretold"), _("Found"), _("Rows")],
        "lines": [(score(x, 3), score(y, 3), upto(rows)) for x, y, rows in curves["calibration"]],
        "drawn": {
            "traces": [
                _line(_("Right"), [0, 1], [0, 1], "line", mode="lines"),
                _line(_("This version"), foretold, found, "accent", mode="lines+markers"),
            ],
            "x": {"title": {"text": _("Foretold")}, "range": [0, 1.02]},
            "y": {"title": {"text": _("Found")}, "range": [0, 1.02]},
        },
    }


def _costs(bills: Bills) -> dict[str, Any]:
    cuts = [at.cut for at, _unused in bills]
    lines = [
        (score(at.cut), *(figure(f"{x:,.0f}") for x in (b.missed, b.review, b.friction, b.total)))
        for at, b in bills
    ]
    return {
        "name": "costs",
        "title": _("What it costs"),
        "meaning": costs_in_words(bills),
        "heads": [_("Threshold"), _("Missed frauds"), _("Reviews"), _("Friction"), _("Together")],
        "lines": lines,
        "drawn": {
            "traces": [
                _line(
                    _("Missed frauds"), cuts, [round(b.missed, 2) for _unused, b in bills], "bad"
                ),
                _line(
                    _("Reviews and friction"),
                    cuts,
                    [round(b.review + b.friction, 2) for _unused, b in bills],
                    "muted",
                ),
                _line(_("Together"), cuts, [round(b.total, 2) for _unused, b in bills], "accent"),
            ],
            "x": {"title": {"text": _("Threshold")}, "range": [0, 1.02]},
            "y": {"title": {"text": _("Cost")}, "type": "log"},
        },
    }


def costs_in_words(bills: Bills) -> str:
    """What the costs of all thresholds come to: the cheapest, and no alert at all."""
    best, none = operating.cheapest(list(bills)), max(bills, key=lambda one: one[0].cut)
    assert best is not None
    return _(
        "Missed frauds, reviews and friction over the held-out rows, by the cost "
        "model in force: {total} at the cheapest threshold, {cut}; {total_2} without "
        "any alert."
    ).format(
        total=figure(f"{best[1].total:,.0f}"),
        cut=figure(f"{best[0].cut:.2f}"),
        total_2=figure(f"{none[1].total:,.0f}"),
    )


CHARTS = [
    ("pr", _precision_recall),
    ("roc", _roc),
    ("histogram", _histogram),
    ("calibration", _calibration),
]


def _mark(x: float | None, y: float | None) -> dict[str, Any]:
    """The chosen threshold, which the slider moves."""
    drawn = _line(_("Threshold"), [x], [y], "bad", mode="markers")
    return drawn | {"meta": "threshold", "marker": {"size": 11}}


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
