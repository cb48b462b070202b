"""The model card: what a version is for, learnt from, good at and bad at, from its own record."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scoring import evaluated, importance
from scoring.cost_effect import bills_of
from scoring.doubts import doubts
from scoring.engine.detectors import kind as kind_of
from scoring.engine.features import FEATURES, spec_id
from scoring.figures import Bills, costs_in_words, table
from scoring.models import ModelVersion

# After Mitchell et al., "Model Cards for Model Reporting" (FAT* 2019): the same headings, filled
# from what is stored with the version, so that a card never says what the model is not.


@dataclass(frozen=True)
class Section:
    """A heading and its sentences."""

    title: str
    sentences: list[str]


def card(version: ModelVersion, bills: Bills | None = None) -> list[Section]:
    """The sections in the order of the paper. `bills`: what its thresholds cost, if that is known.

    All but those is of the version's own record; they are by the cost model in force.
    """
    known = bills_of(version.metrics) if bills is None else bills
    metrics = {**version.metrics, "bills": known}
    return [Section(title, list(make(version, metrics))) for title, make in SECTIONS]


def markdown(version: ModelVersion) -> str:
    """The card as a file to keep with an approval."""
    parts = [f"# Model card: {version}\n"]
    for section in card(version):
        parts += [f"## {section.title}\n", *(f"- {sentence}" for sentence in section.sentences), ""]
    if weekly := version.metrics.get("weekly"):
        parts += ["## Week by week\n", "```", *evaluated.lines(weekly), "```", ""]
    return "\n".join(parts)


Told = Iterator[str]


def _details(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    kind = "learnt without labels" if version.kind == "cold" else "learnt from labels"
    yield f"Version {version.number}, {kind}, trained on {version.trained_at:%Y-%m-%d %H:%M} UTC."
    yield f"Trained by {version.trained_by or 'a command'}; state: {version.get_state_display()}."
    for name in metrics.get("members", []):
        yield kind_of(name).help
    if len(says := metrics.get("shares") or {}) > 1:
        parts = [f"{kind_of(name).title} {100 * share:.0f} %" for name, share in says.items()]
        yield f"How much each says in the mean of log-odds: {', '.join(parts)}."
    yield f"Manifest SHA-256 {version.sha256}; features in the order of specification {spec_id()}."
    if note := metrics.get("note"):
        yield str(note)


def _use(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    yield "Ranks card payments by how likely they are fraud, to choose what people look at first."
    yield "A score alone blocks nobody for good: what it holds back is decided by a person."
    yield "Not for judging customers: creditworthiness, prices and who may be a customer."


def _training(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    yield (
        f"{version.trained_rows:,} payments, {version.trained_frauds:,} of them labelled fraud, "
        f"as known on {version.cutoff:%Y-%m-%d %H:%M} UTC."
    )
    read = importance.shares(metrics) or {}
    number = len(read) or len(FEATURES)
    yield f"{number} features moved its scores, each with a written meaning; no name of a person."
    if version.pipeline:
        yield f"Prepared by feature pipeline {version.pipeline}, SHA-256 {version.pipeline.sha256}."
    heldout = metrics.get("heldout") or {}
    if days := heldout.get("maturity_days"):
        yield f"Payments nobody reported within {days} days count as genuine."
    if waiting := heldout.get("waiting"):
        yield f"{waiting:,} labels were too young to be learnt from without a bias, and waited."


def _evaluation(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    heldout = metrics.get("heldout") or {}
    if not heldout.get("rows"):
        yield "None: when it was made nothing was labelled. Its figures are unknown, not good."
        return
    yield (
        f"The latest matured payments, {heldout['from']} to {heldout['until']}: "
        f"{heldout['rows']:,} rows, {heldout['frauds']:,} frauds, none of which it has learnt from."
    )


def _calibration(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    budget = 100 * metrics.get("budget", 0)
    yield f"The risk score is scaled so that {budget:g} % of payments lie above 0.7."
    error = (metrics.get("measured") or {}).get("ece")
    if error is None:
        yield "It gives no probability: too few labels to calibrate one."
    else:
        yield f"The probability misses what came by {error:.3f} on average (ECE, ten equal parts)."


def _figures(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    rows = table(metrics)
    rival = metrics.get("champion") or {}
    for row in rows:
        beside = f" (v{rival['number']}: {row['rival']})" if row["rival"] else ""
        yield f"{row['title']}: {row['own']}{beside}. {row['hint']}."
    if metrics["bills"]:
        yield costs_in_words(metrics["bills"])
    yield from evaluated.sentences(metrics)
    yield from doubts(metrics)
    if not rows:
        yield "None were measured."


def _limits(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    yield "Labels come mostly from payments that were alerts: what nobody looked at is not seen."
    yield "New ways of fraud look like nothing it has learnt; rules and sampling are the net below."
    yield "A user, card or device without history gets unknown values, not average ones."
    if version.trained_frauds and version.trained_frauds < 500:
        yield f"{version.trained_frauds} frauds are few: small differences of figures mean nothing."


SECTIONS = [
    ("Model details", _details),
    ("Intended use", _use),
    ("Training data", _training),
    ("Evaluation data", _evaluation),
    ("Scores and probabilities", _calibration),
    ("Figures", _figures),
    ("Limits", _limits),
]
