"""How sure the figures of a version are, and its weeks, as the page, card and command tell them."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.templatetags.words import figure
from scoring.doubts import compared
from scoring.engine.evaluation_intervals import MOST_LOSS

COLUMNS = {
    "auc": "ROC AUC",
    "recall_at_fpr_01": _lazy("Recall at 0.1 %"),
    "recall_at_fpr_1": _lazy("at 1 %"),
    "card_precision": _lazy("Cards right"),
    "value_by_team": _lazy("Value"),
    "episodes_by_team": _lazy("Episodes"),
    "ece": "ECE",
    "foretold": _lazy("p / base"),
}
SHARES = {"recall_at_fpr_01", "recall_at_fpr_1", "card_precision", "value_by_team"} | {
    "episodes_by_team"
}


def told(metrics: dict[str, Any]) -> dict[str, Any]:
    """What the templates show beyond the table of figures; empty where nothing was measured."""
    weekly = metrics.get("weekly") or {}
    paired = (metrics.get("champion") or {}).get("paired")
    return {
        "interval": _range(metrics),
        "compared": compared(metrics) if paired else "",
        "verdict": paired["verdict"] if paired else "",
        "most_loss": MOST_LOSS,
        "heads": list(COLUMNS.values()),
        "weeks": [_line(row) for row in weekly.get("weeks") or []],
        "mean": _line(weekly | {"measured": weekly["mean"]}) if weekly else None,
        "weekly": weekly,
        "typologies": (weekly or metrics).get("typologies") or metrics.get("typologies"),
        "segments": (weekly or metrics).get("segments") or metrics.get("segments"),
        "of_weeks": bool(weekly.get("segments")),
        "reliability": weekly.get("reliability"),
    }


def _line(row: dict[str, Any]) -> dict[str, Any]:
    measured = row["measured"]
    cells = [_said(name, measured.get(name)) for name in COLUMNS]
    return row | {"ap": f"{measured['ap']:.3f}", "range": _range(row), "cells": cells}


def _range(row: dict[str, Any], name: str = "ap") -> str:
    """`0.71–0.79`, or nothing."""
    found = (row.get("intervals") or {}).get(name)
    return f"{found[1]:.2f}–{found[2]:.2f}" if found else ""


def _said(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name in SHARES:
        return f"{100 * value:.1f} %"
    return f"{value:.4f}" if name == "ece" else f"{value:.3f}"


def lines(weekly: dict[str, Any]) -> list[str]:
    """The weeks as text for a terminal."""
    shown = told({"weekly": weekly})
    heads = [_("week of"), "rows", "frauds", "AP", "95 %", *COLUMNS]
    rows = [
        [row["from"], row["rows"], row["frauds"], row["ap"], row["range"], *row["cells"]]
        for row in shown["weeks"]
    ]
    mean = shown["mean"]
    rows.append(["mean", "", "", mean["ap"], mean["range"], *mean["cells"]])
    table = [heads, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in table) for at in range(len(heads))]
    found = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in table
    ]
    return found + [_("Check for a leak: {why}.").format(why=why) for why in weekly["suspicions"]]


def sentences(metrics: dict[str, Any]) -> list[str]:
    """The same for the model card."""
    shown, found = told(metrics), []
    if shown["interval"]:
        found.append(
            _("Average precision lies within {interval} (95 %, users redrawn).").format(
                interval=shown["interval"]
            )
        )
    if shown["compared"]:
        found.append(shown["compared"])
    weekly = shown["weekly"]
    if weekly:
        found.append(
            _(
                "{weeks} weeks, each met by a model of the days before: average precision "
                "{ap} ({range}), ROC AUC {auc}."
            ).format(
                weeks=len(shown["weeks"]),
                ap=shown["mean"]["ap"],
                range=shown["mean"]["range"],
                auc=figure(f"{weekly['mean']['auc']:.3f}"),
            )
        )
        if weekly.get("delays"):
            found.append(
                _(
                    "Half of the frauds were known within {median:g} days, nine tenths within "
                    "{most:g}."
                ).format(**weekly["delays"])
            )
    for part in [*(shown["typologies"] or []), *(shown["segments"] or [])]:
        if part["frauds"]:
            found.append(
                _("{name}: {found} of {frauds} frauds shown.").format(
                    name=part["name"], found=part["found"], frauds=part["frauds"]
                )
            )
    return found
