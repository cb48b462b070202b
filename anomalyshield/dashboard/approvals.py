"""What somebody else proposed, for whoever may approve it as the second person."""

from collections.abc import Iterable

from anomalyshield.accounts.models import User
from anomalyshield.dashboard.parts import LINES, Line, Panel, model
from anomalyshield.navigation import address_of
from anomalyshield.templatetags.words import ago, label_in_words


def approvals(user: User) -> Panel:
    """What this person may approve as the second one."""
    lines = [
        *_closures(user),
        *_promotions(user),
        *_policies(user),
        *_costs(user),
        *_allowed(user),
        *_routes(user),
        *_corrections(user),
    ]
    return Panel("Waiting for a second person", "", lines)


def _closures(user: User) -> Iterable[Line]:
    if not user.may("case.close"):
        return
    cases = model("cases.Case").objects.visible_to(user).awaiting(user)
    for case in cases.select_related("proposed_by", "submitted_by")[:LINES]:
        match case.status:
            case "PENDING_CREATION_APPROVAL":
                words, since = f"{case.submitted_by} asks to open", case.submitted_at
            case "PENDING_REOPEN_APPROVAL":
                words, since = "Somebody asks to reopen", None
            case _:
                words, since = f"{case.proposed_by} proposes to close", case.proposed_at
        words = f"{words} “{case.title}”"
        yield Line(str(case), address_of("case", case.pk), words, ago(since), case.level)


def _promotions(user: User) -> Iterable[Line]:
    if not user.may("model.promote"):
        return
    waiting = model("scoring.PromotionRequest").objects.filter(state="OPEN").exclude(asked_by=user)
    for request in waiting.select_related("model", "asked_by")[:LINES]:
        yield Line(
            f"Model {request.model}",
            address_of("model", request.model_id),
            f"{request.asked_by} asks to make it champion",
            ago(request.asked_at),
        )


def _policies(user: User) -> Iterable[Line]:
    if not user.may("policy.activate"):
        return
    waiting = model("scoring.PolicyRequest").objects.filter(state="OPEN").exclude(asked_by=user)
    for request in waiting.select_related("asked_by")[:LINES]:
        yield Line(
            "Thresholds",
            address_of("policy-request", request.pk),
            f"{request.asked_by} asks for other ones",
            ago(request.asked_at),
        )


def _costs(user: User) -> Iterable[Line]:
    if not user.may("cost.activate"):
        return
    waiting = model("scoring.CostRequest").objects.filter(state="OPEN").exclude(asked_by=user)
    for request in waiting.select_related("asked_by")[:LINES]:
        yield Line(
            "Costs",
            address_of("cost-request", request.pk),
            f"{request.asked_by} asks for other figures",
            ago(request.asked_at),
        )


def _allowed(user: User) -> Iterable[Line]:
    if not (user.may("list.approve") and user.is_lead):
        return
    waiting = model("scoring.ListEntry").objects.filter(state="PROPOSED").exclude(proposed_by=user)
    for entry in waiting.select_related("proposed_by")[:LINES]:
        yield Line(
            str(entry),
            address_of("list-entry", entry.pk),
            f"{entry.proposed_by} asks to allow a {entry.get_entity_display().lower()}",
            ago(entry.proposed_at),
        )


def _routes(user: User) -> Iterable[Line]:
    if not (user.may("route.activate") and (user.is_lead or user.may("user.manage"))):
        return
    waiting = model("alerts.Routing").objects.filter(state="PROPOSED").exclude(proposed_by=user)
    for routing in waiting.select_related("proposed_by")[:LINES]:
        yield Line(
            f"Routes {routing.number}",
            address_of("routing", routing.pk),
            f"{routing.proposed_by} asks for other routes",
        )


def _corrections(user: User) -> Iterable[Line]:
    if not user.may("label.change"):
        return
    seen = model("alerts.Correction").objects.visible_to(user).for_the_page().waiting()
    for one in seen.exclude(proposed_by=user)[:LINES]:
        words = f"{one.proposed_by} says it was {label_in_words(one.value)}"
        yield Line("Label", address_of("correction", one.pk), words, ago(one.proposed_at))
