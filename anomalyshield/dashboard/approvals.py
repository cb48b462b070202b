"""What somebody else proposed, for whoever may approve it as the second person."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from anomalyshield.accounts.models import User
from anomalyshield.dashboard.parts import LINES, Line, Panel, model
from anomalyshield.navigation import address_of
from anomalyshield.templatetags.words import ago_shown, label_in_words, within
from scoring.reasons import titled


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
    return Panel(_("Waiting for a second person"), "", lines)


def _closures(user: User) -> Iterable[Line]:
    if not user.may("case.close"):
        return
    cases = model("cases.Case").objects.visible_to(user).awaiting(user)
    for case in cases.select_related("proposed_by", "submitted_by")[:LINES]:
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
        yield Line(str(case), address_of("case", case.pk), words, ago_shown(since), case.level)


def _promotions(user: User) -> Iterable[Line]:
    if not user.may("model.promote"):
        return
    waiting = model("scoring.PromotionRequest").objects.filter(state="OPEN").exclude(asked_by=user)
    for request in waiting.select_related("model", "asked_by")[:LINES]:
        yield Line(
            _("Model {model}").format(model=request.model),
            address_of("model", request.model_id),
            _("{asked_by} asks to make it champion").format(asked_by=request.asked_by),
            ago_shown(request.asked_at),
        )


def _policies(user: User) -> Iterable[Line]:
    if not user.may("policy.activate"):
        return
    waiting = model("scoring.PolicyRequest").objects.filter(state="OPEN").exclude(asked_by=user)
    for request in waiting.select_related("asked_by")[:LINES]:
        yield Line(
            _("Thresholds"),
            address_of("policy-request", request.pk),
            _("{asked_by} asks for other ones").format(asked_by=request.asked_by),
            ago_shown(request.asked_at),
        )


def _costs(user: User) -> Iterable[Line]:
    if not user.may("cost.activate"):
        return
    waiting = model("scoring.CostRequest").objects.filter(state="OPEN").exclude(asked_by=user)
    for request in waiting.select_related("asked_by")[:LINES]:
        yield Line(
            _("Costs"),
            address_of("cost-request", request.pk),
            _("{asked_by} asks for other figures").format(asked_by=request.asked_by),
            ago_shown(request.asked_at),
        )


def _allowed(user: User) -> Iterable[Line]:
    if not (user.may("list.approve") and user.is_lead):
        return
    waiting = model("scoring.ListEntry").objects.filter(state="PROPOSED").exclude(proposed_by=user)
    for entry in waiting.select_related("proposed_by")[:LINES]:
        yield Line(
            str(entry),
            address_of("list-entry", entry.pk),
            _("{proposed_by} asks to allow a {get_entity_display}").format(
                proposed_by=entry.proposed_by, get_entity_display=within(entry.get_entity_display())
            ),
            ago_shown(entry.proposed_at),
        )


def _routes(user: User) -> Iterable[Line]:
    if not (user.may("route.activate") and (user.is_lead or user.may("user.manage"))):
        return
    waiting = model("alerts.Routing").objects.filter(state="PROPOSED").exclude(proposed_by=user)
    for routing in waiting.select_related("proposed_by")[:LINES]:
        yield Line(
            _("Routes {number}").format(number=routing.number),
            address_of("routing", routing.pk),
            _("{proposed_by} asks for other routes").format(proposed_by=routing.proposed_by),
        )


def _corrections(user: User) -> Iterable[Line]:
    if not user.may("label.change"):
        return
    seen = model("alerts.Correction").objects.visible_to(user).for_the_page().waiting()
    for one in seen.exclude(proposed_by=user)[:LINES]:
        words = _("{proposed_by} says it was {label_in_words}").format(
            proposed_by=one.proposed_by, label_in_words=label_in_words(one.value)
        )
        yield Line(_("Label"), address_of("correction", one.pk), words, ago_shown(one.proposed_at))
