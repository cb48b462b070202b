"""The rules page, and the way to other thresholds: try, ask, a second person answers."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.accounts.permissions import allow
from scoring import policies, policy_changes, whatif
from scoring.engine.decision import Policy
from scoring.models import DecisionPolicy, PolicyRequest
from scoring.policy_changes import Refused
from scoring.policy_forms import PolicyForm

HISTORY = 12
LOOK = ("GET", "HEAD")
NO_REASON = _lazy("Write a reason: it is kept in the audit trail.")


@allow("rules.view", methods=LOOK)
def rules(request: HttpRequest) -> HttpResponse:
    """What each rule asks, what it found lately, and every policy there was."""
    policy = policies.active()
    context = {
        "policy": policy,
        "rules": policies.rules(policy),
        "cuts": policies.cuts(policy),
        "waiting": _requests().filter(state=PolicyRequest.State.OPEN).first(),
        "history": _history(),
        "may_change": request.user.may("rules.edit"),
    }
    return render(request, "scoring/rules.html", context)


@allow("rules.edit")
def change(request: HttpRequest) -> HttpResponse:
    """Other values: tried on past decisions, and asked for once they are what one wants."""
    active = policies.active()
    if request.method != "POST":
        return _form(request, active, PolicyForm.of(_start(request, active)))
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return _form(request, active, form, status=400)
    policy = form.policy()
    if bad := policy_changes.wrong(policy):
        _beside(form, bad)
        return _form(request, active, form, status=400)
    if request.POST.get("do") != "ask":
        return _form(request, active, form, policy)
    if not form.cleaned_data["reason"].strip():
        form.add_error("reason", NO_REASON)
        return _form(request, active, form, policy, status=400)
    try:
        asked = policy_changes.ask(
            by=request.user, policy=policy, reason=form.cleaned_data["reason"]
        )
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _form(request, active, form, policy, status=409)
    messages.success(request, _("Asked. A second person puts it into force."))
    return redirect("policy-request", asked.pk)


@allow("rules.view", methods=LOOK)
def asked(request: HttpRequest, pk: int) -> HttpResponse:
    """One change that was asked for: what differs, what it would do, and the answer."""
    return _asked(request, pk)


@allow("policy.activate", methods=("POST",))
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(PolicyRequest, pk=pk)
    answer = request.POST.get("reason", "").strip()[:2000]
    try:
        policy = policy_changes.approve(by=request.user, request=found, answer=answer)
    except Refused as refusal:
        return _asked(request, pk, str(refusal), status=409)
    messages.success(
        request,
        _("Policy {version} is in force, everywhere within seconds.").format(
            version=policy.version
        ),
    )
    return redirect("rules")


@allow("rules.edit", methods=("POST",))
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(PolicyRequest, pk=pk)
    answer = request.POST.get("reason", "").strip()[:2000]
    if not answer:
        return _asked(request, pk, NO_REASON, status=400)
    try:
        policy_changes.refuse(by=request.user, request=found, answer=answer)
    except Refused as refusal:
        return _asked(request, pk, str(refusal), status=409)
    messages.success(request, _("The change is answered: nothing changes."))
    return redirect("rules")


def _form(
    request: HttpRequest,
    active: DecisionPolicy,
    form: PolicyForm,
    policy: Policy | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "policy": active}
    if policy is not None:
        context["changes"] = differences(active.values, policy.as_dict())
        context["effect"] = told(active.values, policy.as_dict(), form.cleaned_data["last"])
    return render(request, "scoring/policy_change.html", context, status=status)


def _asked(request: HttpRequest, pk: int, error: str = "", status: int = 200) -> HttpResponse:
    found = get_object_or_404(_requests(), pk=pk)
    open_still = found.state == PolicyRequest.State.OPEN
    own = found.asked_by == request.user
    context = {
        "asked": found,
        "changes": differences(found.base.values, found.values),
        "effect": told(found.base.values, found.values, whatif.SIZES[1]) if open_still else None,
        "open": open_still,
        "own": own,
        "may_approve": request.user.may("policy.activate") and not (own and settings.FOUR_EYES),
        "may_refuse": own or request.user.may("policy.activate"),
        "error": error,
        "typed": request.POST.get("reason", ""),
    }
    return render(request, "scoring/policy_request.html", context, status=status)


def _start(request: HttpRequest, active: DecisionPolicy) -> dict[str, Any]:
    """The values in force; with `from`, those of an earlier version, to go back to."""
    number = request.GET.get("from", "")
    if number.isascii() and number.isdigit() and len(number) < 9:
        earlier = DecisionPolicy.objects.filter(version=int(number)).first()
        return (earlier or active).values
    return active.values


def _beside(form: forms.Form, bad: dict[str, str]) -> None:
    for name, sentence in bad.items():
        form.add_error(name, sentence)


def _requests() -> Any:
    people = ("asked_by", "answered_by", "base", "policy")
    return PolicyRequest.objects.select_related(*people)


def _history() -> list[tuple[DecisionPolicy, list[tuple[str, str, str]]]]:
    """The latest versions, each with what it changed."""
    rows = DecisionPolicy.objects.select_related("created_by", "request__answered_by")
    latest = list(rows.order_by("-version")[: HISTORY + 1])
    told = []
    for at, one in enumerate(latest[:HISTORY]):
        before = latest[at + 1].values if at + 1 < len(latest) else one.values
        told.append((one, differences(before, one.values)))
    return told


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Title, old and new value of everything that differs, in words."""
    return [
        (policies.TITLES[name], policies.shown(was), policies.shown(will))
        for name, was, will in policy_changes.changes(before, after)
    ]


def told(before: dict[str, Any], after: dict[str, Any], last: int) -> whatif.Effect:
    return whatif.effect(Policy.from_dict(before), Policy.from_dict(after), last=last)
