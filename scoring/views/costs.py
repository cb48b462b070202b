"""The cost model: its figures and what they mean, and the way to others: ask, a second answers."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.accounts.permissions import allow
from scoring import cost_changes, cost_effect, costs
from scoring.cost_changes import Refused
from scoring.cost_forms import CostForm
from scoring.engine.costs import Costs, wrong
from scoring.models import CostModel, CostRequest

HISTORY = 12
LOOK = ("GET", "HEAD")
NO_REASON = _lazy("Write a reason: it is kept in the audit trail.")


@allow("cost.view", methods=LOOK)
def cost_models(request: HttpRequest) -> HttpResponse:
    """The figures in force, whose they are, what they say of payments, and those before them."""
    history = _history()
    model = history[0][0]
    values = Costs.from_dict(model.values)
    context = {
        "model": model,
        "groups": _groups(values),
        "lines": cost_effect.lines(values),
        "cheapest": cost_effect.cheapest(values),
        "waiting": _requests().filter(state=CostRequest.State.OPEN).first(),
        "history": history,
        "may_change": request.user.may("cost.edit"),
        "currency": settings.BASE_CURRENCY,
    }
    return render(request, "scoring/costs.html", context)


@allow("cost.edit")
def change(request: HttpRequest) -> HttpResponse:
    """Other figures: looked at, and asked for once they are what one wants."""
    active = costs.active()
    if request.method != "POST":
        return _form(request, active, CostForm.of(Costs.from_dict(active.values).as_dict()))
    form = CostForm(request.POST)
    if not form.is_valid():
        return _form(request, active, form, status=400)
    wanted = form.wanted()
    for name, sentence in wrong(wanted).items():
        form.add_error(name, sentence)
    if not form.is_valid():
        return _form(request, active, form, status=400)
    if request.POST.get("do") != "ask":
        return _form(request, active, form, wanted)
    if not form.cleaned_data["reason"].strip():
        form.add_error("reason", NO_REASON)
        return _form(request, active, form, wanted, status=400)
    try:
        asked = cost_changes.ask(by=request.user, wanted=wanted, reason=form.cleaned_data["reason"])
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _form(request, active, form, wanted, status=409)
    messages.success(request, _("Asked. A second person puts it into force."))
    return redirect("cost-request", asked.pk)


@allow("cost.view", methods=LOOK)
def asked(request: HttpRequest, pk: int) -> HttpResponse:
    """One change that was asked for: what differs, what it means, and the answer."""
    return _asked(request, pk)


@allow("cost.activate", methods=("POST",))
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(CostRequest, pk=pk)
    answer = request.POST.get("reason", "").strip()[:2000]
    try:
        model = cost_changes.approve(by=request.user, request=found, answer=answer)
    except Refused as refusal:
        return _asked(request, pk, str(refusal), status=409)
    messages.success(
        request,
        _("Cost model {version} is in force. Open alerts are put in its order.").format(
            version=model.version
        ),
    )
    return redirect("costs")


@allow("cost.edit", methods=("POST",))
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(CostRequest, pk=pk)
    answer = request.POST.get("reason", "").strip()[:2000]
    if not answer:
        return _asked(request, pk, NO_REASON, status=400)
    try:
        cost_changes.refuse(by=request.user, request=found, answer=answer)
    except Refused as refusal:
        return _asked(request, pk, str(refusal), status=409)
    messages.success(request, _("The change is answered: nothing changes."))
    return redirect("costs")


def _form(
    request: HttpRequest,
    active: CostModel,
    form: CostForm,
    wanted: Costs | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "model": active,
        "currency": settings.BASE_CURRENCY,
    }
    if wanted is not None:
        context |= _effect(active.values, wanted)
    return render(request, "scoring/cost_change.html", context, status=status)


def _asked(request: HttpRequest, pk: int, error: str = "", status: int = 200) -> HttpResponse:
    found = get_object_or_404(_requests(), pk=pk)
    own = found.asked_by == request.user
    context = {
        "asked": found,
        "open": found.state == CostRequest.State.OPEN,
        "own": own,
        "may_approve": request.user.may("cost.activate") and not (own and settings.FOUR_EYES),
        "may_refuse": request.user.may("cost.edit") and (own or request.user.may("cost.activate")),
        "error": error,
        "typed": request.POST.get("reason", ""),
        "currency": settings.BASE_CURRENCY,
        **_effect(found.base.values, Costs.from_dict(found.values)),
    }
    return render(request, "scoring/cost_request.html", context, status=status)


def _effect(before: dict[str, Any], wanted: Costs) -> dict[str, Any]:
    """What differs, and what it means for payments and for the champion's threshold."""
    old = Costs.from_dict(before)
    return {
        "changes": differences(before, wanted.as_dict()),
        "lines": cost_effect.lines(wanted, old),
        "cheapest": cost_effect.cheapest(wanted),
        "cheapest_before": cost_effect.cheapest(old),
    }


def _groups(values: Costs) -> list[tuple[str, list[tuple[costs.Meaning, str]]]]:
    said = values.as_dict()
    return [
        (title, [(costs.MEANINGS[name], costs.shown(name, said[name])) for name in names])
        for title, names in costs.GROUPS
    ]


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Title, old and new value of everything that differs, in words."""
    return [
        (costs.MEANINGS[name].title, costs.shown(name, was), costs.shown(name, will))
        for name, was, will in cost_changes.changes(before, after)
    ]


def _history() -> list[tuple[CostModel, list[tuple[str, str, str]]]]:
    """The latest versions, each with what it changed; the one in force first."""
    rows = CostModel.objects.select_related("created_by", "request__answered_by")
    latest = list(rows.order_by("-version")[: HISTORY + 1]) or [costs.active()]
    told = []
    for at, one in enumerate(latest[:HISTORY]):
        before = latest[at + 1].values if at + 1 < len(latest) else one.values
        told.append((one, differences(before, one.values)))
    return told


def _requests() -> Any:
    return CostRequest.objects.select_related("asked_by", "answered_by", "base", "became")
