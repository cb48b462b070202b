"""Why there is an alert, in the words of its rules and of its model's contributions."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from scoring.models import Decision, Explanation

TOP = 5  # contributions drawn one by one; the others are drawn as their sum


@dataclass(frozen=True)
class Contribution:
    """What one feature added to the score, in log-odds; positive is towards fraud."""

    name: str
    meaning: str
    value: float


@dataclass(frozen=True)
class Why:
    """The reasons an alert page shows. `state` says how far the explanation has got."""

    state: str  # "done", "computing", "failed" or "none"
    error: str = ""
    sentences: list[dict[str, Any]] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)  # the largest first
    base: float = 0.0
    margin: float = 0.0
    otherwise: dict[str, Any] | None = None  # what would have changed it, scoring.counterfactuals

    @property
    def drawn(self) -> list[Contribution]:
        """The largest, and the sum of the others, so that what is drawn adds up too."""
        others = self.contributions[TOP:]
        if not others:
            return self.contributions
        rest = Contribution(
            "",
            _("{others} others together").format(others=len(others)),
            sum(c.value for c in others),
        )
        return [*self.contributions[:TOP], rest]

    @property
    def largest(self) -> float:
        return max((abs(c.value) for c in self.drawn), default=1.0) or 1.0


def why(decision: Decision) -> Why:
    """Read what the explanation worker left; a missing or failed one is said, never hidden."""
    explanation = getattr(decision, "explanation", None)
    if explanation is None:
        return Why("none", decision.degraded)
    if explanation.state == Explanation.State.QUARANTINED:
        lines = explanation.error.strip().splitlines()
        return Why("failed", lines[-1] if lines else _("no reason was left"))
    if explanation.state != Explanation.State.DONE or explanation.contributions is None:
        return Why("computing")
    return Why(
        "done",
        sentences=explanation.sentences,
        contributions=_largest_first(explanation.contributions),
        base=explanation.base or 0.0,
        margin=explanation.margin or 0.0,
        otherwise=explanation.counterfactual,
    )


def _largest_first(values: dict[str, float]) -> list[Contribution]:
    meanings = _meanings()
    found = [Contribution(name, meanings.get(name, name), value) for name, value in values.items()]
    return sorted(found, key=lambda c: (-abs(c.value), c.name))


def _meanings() -> dict[str, str]:
    from scoring.engine.features import FEATURES  # compiles its kernel on import: only when needed

    return {feature.name: feature.meaning for feature in FEATURES}
