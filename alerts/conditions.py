"""What a route may ask of a decision: a register of small conditions, all of which must hold."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts.candidates import Candidate
from alerts.models import Alert, Route
from alerts.typologies import SUSPICIONS, suspected
from anomalyshield.templatetags.words import figure, within
from scoring.engine.decision import Level


@dataclass(frozen=True)
class OneOf:
    """Holds when something of the decision is on the list."""

    name: str
    title: str
    found: Callable[[Candidate], Iterable[str]]
    choices: tuple[tuple[str, str], ...] = ()  # none: free words
    help: str = ""

    def holds(self, wanted: Any, candidate: Candidate) -> bool:
        listed = {str(value).casefold() for value in wanted}
        return any(value.casefold() in listed for value in self.found(candidate))

    def words(self, wanted: Any) -> str:
        names = dict(self.choices)
        listed = _(" or ").join(str(names.get(v, v)) for v in wanted)
        return f"{within(self.title)} {listed}"


@dataclass(frozen=True)
class AtLeast:
    """Holds from a number on."""

    name: str
    title: str
    found: Callable[[Candidate], float]

    def holds(self, wanted: Any, candidate: Candidate) -> bool:
        return self.found(candidate) >= wanted

    def words(self, wanted: Any) -> str:
        return _("{within} {wanted} or more").format(
            within=within(self.title), wanted=figure(f"{wanted:,g}")
        )


@dataclass(frozen=True)
class Below:
    """Holds under a number."""

    name: str
    title: str
    found: Callable[[Candidate], float]

    def holds(self, wanted: Any, candidate: Candidate) -> bool:
        return self.found(candidate) < wanted

    def words(self, wanted: Any) -> str:
        return f"{within(self.title)} {figure(f'{wanted:,g}')}"


CONDITIONS: list[OneOf | AtLeast | Below] = [
    OneOf(
        "levels",
        _lazy("Level"),
        lambda c: [c.decision.level],
        tuple((level, level.title()) for level in reversed(Level)),
    ),
    OneOf(
        "reasons",
        _lazy("Reason"),
        lambda c: c.decision.reason_codes,
        help=_lazy("Codes like HIGH_AMOUNT"),
    ),
    OneOf(
        "typologies",
        _lazy("Suspicion"),
        lambda c: [suspected(c).typology],
        tuple((one.typology, Alert.Typology(one.typology).label) for one in SUSPICIONS),
    ),
    OneOf("sources", _lazy("Source"), lambda c: [c.payment.source.name]),
    OneOf(
        "categories",
        _lazy("Merchant category"),
        lambda c: [c.payment.merchant_category, c.payment.mcc],
        help=_lazy("Words or category codes"),
    ),
    OneOf("countries", _lazy("Country"), lambda c: [c.payment.country], help=_lazy("Two letters")),
    OneOf("cities", _lazy("City"), lambda c: [c.payment.location]),
    AtLeast("amount_from", _lazy("Amount"), lambda c: c.amount),
    Below("amount_below", _lazy("Amount below"), lambda c: c.amount),
    AtLeast("score_from", _lazy("Score"), lambda c: c.decision.risk_score),
    Below("score_below", _lazy("Score below"), lambda c: c.decision.risk_score),
]
NAMED = {condition.name: condition for condition in CONDITIONS}


def matches(route: Route, candidate: Candidate) -> bool:
    """Whether every condition of the route holds. One nobody knows any more holds for nothing."""
    return all(
        name in NAMED and NAMED[name].holds(wanted, candidate)
        for name, wanted in route.conditions.items()
    )


def in_words(conditions: Mapping[str, Any]) -> str:
    """“level Critical and amount 1,000 or more”; empty conditions take everything."""
    said = [NAMED[name].words(wanted) for name, wanted in conditions.items() if name in NAMED]
    return " and ".join(said) or _("everything that is left")
