"""The model card: what a version is for, learnt from, good at and bad at, from its own record."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.templatetags.words import figure
from scoring import evaluated, importance, kept
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
    parts = [_("# Model card: {version}\n").format(version=version)]
    for section in card(version):
        parts += [f"## {section.title}\n", *(f"- {sentence}" for sentence in section.sentences), ""]
    if weekly := version.metrics.get("weekly"):
        parts += [_("## Week by week\n"), "```", *evaluated.lines(weekly), "```", ""]
    return "\n".join(parts)


Told = Iterator[str]


def _details(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    kind = _("learnt without labels") if version.kind == "cold" else _("learnt from labels")
    yield _("Version {number}, {kind}, trained on {trained_at:%Y-%m-%d %H:%M} UTC.").format(
        number=version.number, kind=kind, trained_at=version.trained_at
    )
    yield _("Trained by {person}; state: {state}.").format(
        person=version.trained_by or _("a command"), state=version.get_state_display()
    )
    for name in metrics.get("members", []):
        yield _(kind_of(name).help)
    if len(says := metrics.get("shares") or {}) > 1:
        parts = [f"{_(kind_of(name).title)} {100 * share:.0f} %" for name, share in says.items()]
        yield _("How much each says in the mean of log-odds: {parts}.").format(
            parts=", ".join(parts)
        )
    yield _("Manifest SHA-256 {sha256}; features in the order of specification {spec_id}.").format(
        sha256=version.sha256, spec_id=spec_id()
    )
    if note := metrics.get("note"):
        yield kept.told(str(note))


def _use(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    yield _(
        "Ranks card payments by how likely they are fraud, to choose what people look at first."
    )
    yield _("A score alone blocks nobody for good: what it holds back is decided by a person.")
    yield _("Not for judging customers: creditworthiness, prices and who may be a customer.")


def _training(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    yield (
        _(
            "{trained_rows} payments, {trained_frauds} of them labelled fraud, as known "
            "on {cutoff:%Y-%m-%d %H:%M} UTC."
        ).format(
            trained_rows=figure(f"{version.trained_rows:,}"),
            trained_frauds=figure(f"{version.trained_frauds:,}"),
            cutoff=version.cutoff,
        )
    )
    read = importance.shares(metrics) or {}
    number = len(read) or len(FEATURES)
    yield _(
        "{number} features moved its scores, each with a written meaning; no name of a person."
    ).format(number=number)
    if version.pipeline:
        yield _("Prepared by feature pipeline {pipeline}, SHA-256 {sha256}.").format(
            pipeline=version.pipeline, sha256=version.pipeline.sha256
        )
    heldout = metrics.get("heldout") or {}
    if days := heldout.get("maturity_days"):
        yield _("Payments nobody reported within {days} days count as genuine.").format(days=days)
    if waiting := heldout.get("waiting"):
        yield _(
            "{waiting} labels were too young to be learnt from without a bias, and waited."
        ).format(waiting=figure(f"{waiting:,}"))


def _evaluation(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    heldout = metrics.get("heldout") or {}
    if not heldout.get("rows"):
        yield _("None: when it was made nothing was labelled. Its figures are unknown, not good.")
        return
    yield (
        _(
            "The latest matured payments, {since} to {until}: {rows} rows, {frauds} "
            "frauds, none of which it has learnt from."
        ).format(
            since=heldout["from"],
            until=heldout["until"],
            rows=figure(f"{heldout['rows']:,}"),
            frauds=figure(f"{heldout['frauds']:,}"),
        )
    )


def _calibration(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    budget = 100 * metrics.get("budget", 0)
    yield _("The risk score is scaled so that {budget:g} % of payments lie above 0.7.").format(
        budget=budget
    )
    error = (metrics.get("measured") or {}).get("ece")
    if error is None:
        yield _("It gives no probability: too few labels to calibrate one.")
    else:
        yield _(
            "The probability misses what came by {error} on average (ECE, ten equal parts)."
        ).format(error=figure(f"{error:.3f}"))


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
        yield _("None were measured.")


def _limits(version: ModelVersion, metrics: dict[str, Any]) -> Told:
    yield _("Labels come mostly from payments that were alerts: what nobody looked at is not seen.")
    yield _(
        "New ways of fraud look like nothing it has learnt; rules and sampling are the net below."
    )
    yield _("A user, card or device without history gets unknown values, not average ones.")
    if version.trained_frauds and version.trained_frauds < 500:
        yield _(
            "{trained_frauds} frauds are few: small differences of figures mean nothing."
        ).format(trained_frauds=version.trained_frauds)


SECTIONS = [
    (_lazy("Model details"), _details),
    (_lazy("Intended use"), _use),
    (_lazy("Training data"), _training),
    (_lazy("Evaluation data"), _evaluation),
    (_lazy("Scores and probabilities"), _calibration),
    (_lazy("Figures"), _figures),
    (_lazy("Limits"), _limits),
]
