"""A pipeline proposed from the latest decisions: a document, and a reason for each of its steps.

Nothing is kept: a person reads it, changes it, tries it and saves it, or does not.
"""

import textwrap
from dataclasses import dataclass

from django.utils.translation import gettext as _

from anomalyshield.templatetags.words import upto
from scoring.engine.plan import Imputation, Step
from scoring.engine.profile import Advice, advised, profiles
from scoring.engine.register import NAMES
from scoring.plan_preview import latest_vectors

ROWS = 2_000  # decisions looked at
ENOUGH = 200
HEAD = """\
# Proposed from the latest {rows:,} decisions: the customary advice for columns like these.
# Trees need neither filled nor scaled columns, and learn from what is unknown. So train a
# candidate with it, and keep it only where that finds more on the held-out payments.
name: proposed
"""


class TooFew(Exception):
    """There is too little to look at; the text says so for the person who asked."""


@dataclass(frozen=True)
class Proposal:
    """A document, and what speaks for each of its steps."""

    text: str
    rows: int
    advice: list[Advice]


def propose() -> Proposal:
    """A document for the vectors of the latest decisions, or TooFew."""
    vectors = latest_vectors(ROWS)
    if len(vectors) < ENOUGH:
        raise TooFew(
            _("{rows} decisions are too few to propose from; {enough} are enough.").format(
                rows=upto(len(vectors)), enough=ENOUGH
            )
        )
    advice = advised(profiles(vectors, NAMES))
    return Proposal(document(advice, len(vectors)), len(vectors), advice)


def document(advice: list[Advice], rows: int) -> str:
    """The YAML that says so, each step below its reason."""
    parts = [HEAD.format(rows=rows), "transformations:\n" if advice else "transformations: []\n"]
    for one in advice:
        why = f"{len(one.columns)} feature{'s' if len(one.columns) > 1 else ''}: {one.why}"
        inner = " " * 6
        names = textwrap.fill(
            ", ".join(one.columns), 96, initial_indent=inner, subsequent_indent=inner
        )
        parts.append(textwrap.fill(why, 96, initial_indent="  # ", subsequent_indent="  # "))
        parts.append(f"\n  - type: {_said(one.step)}\n    features: [\n{names}]\n")
    return "".join(parts)


def _said(step: Step | None) -> str:
    if step is None:
        return "drop"
    if isinstance(step, Imputation):
        keep = "\n    indicator: true" if step.indicator else ""
        return f"imputation\n    strategy: {step.strategy}{keep}"
    return f"scaling\n    method: {step.method}"


def step_in_words(step: Step | None) -> str:
    """Three words for a table: “impute median, keep that it was unknown”."""
    if step is None:
        return _("leave out")
    if isinstance(step, Imputation):
        keep = _(", keep that it was unknown") if step.indicator else ""
        strategy = step.strategy.replace("_", " ")
        return _("fill with {strategy}").format(strategy=strategy) + keep
    return _("scale: {method}").format(method=step.method)
