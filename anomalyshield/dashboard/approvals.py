"""What somebody else proposed, for whoever may approve it as the second person."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from anomalyshield.accounts.models import User
from anomalyshield.dashboard.parts import LINES, Line, Panel, elapsed, model
from anomalyshield.navigation import address_of
from anomalyshield.templatetags.words import label_in_words, within
from anomalyshield.together import Part
from scoring.reasons import titled


def approvals(user: User) -> Part[Panel]:
    """What this person may approve as the second one."""
    kinds = [(asked(user), told) for may, asked, told in KINDS if may(user)]
    found = yield tuple(rows[:LINES] for rows, _told in kinds)
    lines = [told(row) for (_rows, told), rows in zip(kinds, found, strict=True) for row in rows]
    return Panel(_("Waiting for a second person"), "", lines)


def _closures(user: User) -> Any:
    cases = model("cases.Case").objects.visible_to(user).awaiting(user)
    return cases.select_related("proposed_by", "submitted_by")


def _closure(case: Any) -> Line:
    match case.status:
        case "PENDING_CREATION_APPROVAL":
            words, since = (
                _("{submitted_by} asks to open").format(submitted_by=case.submitted_by),
                case.submitted_at,
            )
        case "PENDING_REOPEN_APPROVAL":
            words, since = _("Somebody asks to reopen"), None
        case _:
            words, since = (
                _("{proposed_by} proposes to close").format(proposed_by=case.proposed_by),
                case.proposed_at,
            )
    words = f"{words} “{titled(case.title)}”"
    return Line(str(case), address_of("case", case.pk), words, elapsed(since), case.level)


def _promotions(user: User) -> Any:
    waiting = model("scoring.PromotionRequest").objects.filter(state="OPEN")
    return waiting.exclude(asked_by=user).select_related("model", "asked_by")


def _promotion(request: Any) -> Line:
    return Line(
        _("Model {model}").format(model=request.model),
        address_of("model", request.model_id),
        _("{asked_by} asks to make it champion").format(asked_by=request.asked_by),
        elapsed(request.asked_at),
    )


def _policies(user: User) -> Any:
    waiting = model("scoring.PolicyRequest").objects.filter(state="OPEN")
    return waiting.exclude(asked_by=user).select_related("asked_by")


def _policy(request: Any) -> Line:
    return Line(
        _("Thresholds"),
        address_of("policy-request", request.pk),
        _("{asked_by} asks for other ones").format(asked_by=request.asked_by),
        elapsed(request.asked_at),
    )


def _costs(user: User) -> Any:
    waiting = model("scoring.CostRequest").objects.filter(state="OPEN")
    return waiting.exclude(asked_by=user).select_related("asked_by")


def _cost(request: Any) -> Line:
    return Line(
        _("Costs"),
        address_of("cost-request", request.pk),
        _("{asked_by} asks for other figures").format(asked_by=request.asked_by),
        elapsed(request.asked_at),
    )


def _unmarkings(user: User) -> Any:
    return (
        model("scoring.Unmarking").objects.visible_to(user).waiting().told().exclude(asked_by=user)
    )


def _unmarking(request: Any) -> Line:
    words = _("{asked_by} asks that {names} be personal no longer")
    return Line(
        str(request.source),
        address_of("unmarking", request.pk),
        words.format(asked_by=request.asked_by, names=", ".join(request.names)),
        elapsed(request.asked_at),
    )


def _allowed(user: User) -> Any:
    waiting = model("scoring.ListEntry").objects.filter(state="PROPOSED")
    return waiting.exclude(proposed_by=user).select_related("proposed_by")


def _allow(entry: Any) -> Line:
    return Line(
        str(entry),
        address_of("list-entry", entry.pk),
        _("{proposed_by} asks to allow a {get_entity_display}").format(
            proposed_by=entry.proposed_by, get_entity_display=within(entry.get_entity_display())
        ),
        elapsed(entry.proposed_at),
    )


def _routings(user: User) -> Any:
    waiting = model("alerts.Routing").objects.filter(state="PROPOSED")
    return waiting.exclude(proposed_by=user).select_related("proposed_by")


def _routing(routing: Any) -> Line:
    return Line(
        _("Routes {number}").format(number=routing.number),
        address_of("routing", routing.pk),
        _("{proposed_by} asks for other routes").format(proposed_by=routing.proposed_by),
    )


def _corrections(user: User) -> Any:
    seen = model("alerts.Correction").objects.visible_to(user).for_the_page().waiting()
    return seen.exclude(proposed_by=user)


def _correction(one: Any) -> Line:
    words = _("{proposed_by} says it was {label_in_words}").format(
        proposed_by=one.proposed_by, label_in_words=label_in_words(one.value)
    )
    return Line(_("Label"), address_of("correction", one.pk), words, elapsed(one.proposed_at))


def _may(action: str) -> Callable[[User], bool]:
    return lambda user: user.may(action)


def _allows(user: User) -> bool:
    return user.may("list.approve") and user.is_lead


def _routes(user: User) -> bool:
    return user.may("route.activate") and (user.is_lead or user.may("user.manage"))


# Who answers, what waits for them, and one of it as a line.
KINDS: list[tuple[Callable[[User], bool], Callable[[User], Any], Callable[[Any], Line]]] = [
    (_may("case.close"), _closures, _closure),
    (_may("model.promote"), _promotions, _promotion),
    (_may("policy.activate"), _policies, _policy),
    (_may("cost.activate"), _costs, _cost),
    (_may("source.unmark"), _unmarkings, _unmarking),
    (_allows, _allowed, _allow),
    (_routes, _routings, _routing),
    (_may("label.change"), _corrections, _correction),
]
