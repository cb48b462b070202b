"""Another cost model: asked by one person, put into force by a second."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from anomalyshield.asking import Refused
from scoring import changes as versions
from scoring import costs
from scoring.engine.costs import Costs, wrong
from scoring.models import CostModel, CostRequest


def ask(*, by: Any, wanted: Costs, reason: str) -> CostRequest:
    """Ask that these figures be put into force. One change at a time: the next builds on it."""
    if bad := wrong(wanted):
        raise Refused(fields=bad)
    return versions.ask(COSTS, by=by, values=wanted.as_dict(), reason=reason)


def approve(*, by: Any, request: CostRequest, answer: str = "") -> CostModel:
    """Put into force what was asked for, as a second person. Open alerts follow by work rows.

    An attempt that is refused leaves its row in the audit trail.
    """
    return versions.approve(COSTS, by=by, request=request, answer=answer)


def refuse(*, by: Any, request: CostRequest, answer: str) -> CostRequest:
    """Answer with no. Who asked withdraws it; others need the right to answer."""
    return versions.refuse(COSTS, by=by, request=request, answer=answer)


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Name, old and new value of everything that differs, in the order of the model."""
    old, new = Costs.from_dict(before).as_dict(), Costs.from_dict(after).as_dict()
    return [(name, was, new[name]) for name, was in old.items() if was != new[name]]


COSTS = versions.Kind(
    requests=CostRequest,
    versions=CostModel,
    became="became",
    active=costs.active,
    changes=changes,
    right="cost.activate",
    turn="cost model",
    nothing=_("These are the figures of {base}: nothing would change."),
    lost=_("{by} may not put a cost model into force."),
    others=_("Who puts cost models into force answers this, or who asked withdraws it."),
    ask_action="costs.change_asked",
    approve_action="costs.activated",
    refuse_action="costs.change_refused",
    withdraw_action="costs.change_withdrawn",
)
