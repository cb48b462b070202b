"""What raises no alert for a while: listed with what it kept out, made from an alert, ended."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import suppressing as verbs
from alerts.guards import Refused
from alerts.models import Alert, Suppression
from alerts.views.alert_page import SUPPRESSED_DAYS, address_of, asked_of, find, refused, sentences
from alerts.visibility import masked
from anomalyshield.accounts.permissions import allow
from scoring.models import Label

PAGE = 50
HITS = 50
SHOWS = [(_lazy("In force"), ""), (_lazy("Ended"), "over")]


class SuppressionForm(forms.Form):
    """Which reasons of whom raise no alert, why and for how long."""

    code = forms.MultipleChoiceField(
        choices=[(one, one) for one in sorted(verbs.POSSIBLE)],
        error_messages={
            "required": _lazy("Say which reasons raise no alert."),
            "invalid_choice": _lazy("“%(value)s” is never suppressed."),
        },
        label=_lazy("Code"),
    )
    kind = forms.ChoiceField(
        choices=Alert.Kind.choices,
        error_messages={"required": _lazy("Say for whom.")},
        label=_lazy("Kind"),
    )
    days = forms.TypedChoiceField(
        choices=SUPPRESSED_DAYS,
        coerce=int,
        error_messages={"required": _lazy("Say for how long.")},
        label=_lazy("Days"),
    )
    because = forms.CharField(
        max_length=verbs.REASON_LENGTH,
        error_messages={"required": _lazy("Say why these raise no alert.")},
        label=_lazy("Because"),
    )
    hold = forms.BooleanField(required=False, label=_lazy("Hold"))

    @property
    def said(self) -> dict[str, Any]:
        """As the verb takes it."""
        told = self.cleaned_data
        until = timezone.now() + timedelta(days=told["days"])
        known = {"codes": told["code"], "kind": told["kind"], "reason": told["because"]}
        return {**known, "expires_at": until, "releases": not told["hold"]}


@allow("alert.work", methods=("POST",))
def suppress(request: HttpRequest, pk: int) -> HttpResponse:
    """What this alert was raised for, and whom; it stays as it is."""
    found, form = find(request, pk), SuppressionForm(request.POST)
    if not form.is_valid():
        return refused(request, found, *sentences(form), status=400)
    try:
        made = verbs.suppress(by=request.user, alert=found, **form.said)
    except Refused as refusal:
        return refused(request, found, str(refusal))
    names = ", ".join(str(one) for one in made)
    messages.success(
        request,
        _("{names} is in force: such payments raise no alert, and are kept.").format(names=names),
    )
    return redirect(address_of(found, asked_of(request)))


@allow("alert.view", methods=("GET",))
def suppressions(request: HttpRequest) -> HttpResponse:
    """Those in force by when they end, or those that have ended."""
    show = "over" if request.GET.get("show") == "over" else ""
    seen = Suppression.objects.visible_to(request.user).for_the_page()
    rows = seen.over().order_by("-pk") if show else seen.living().order_by("-pk")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    context = {
        "rows": found[:PAGE],
        "older": found[PAGE - 1].pk if len(found) > PAGE else "",
        "show": show,
        "shows": SHOWS,
        "masked": masked(request.user),
    }
    return render(request, "alerts/suppressions.html", context)


@allow("alert.view", methods=("GET",))
def suppression(request: HttpRequest, pk: int) -> HttpResponse:
    """One, with every payment it kept out and what was said of it since."""
    return _page(request, _found(request, pk))


@allow("alert.work", methods=("POST",))
def end(request: HttpRequest, pk: int) -> HttpResponse:
    found, reason = _found(request, pk), request.POST.get("reason", "")
    try:
        verbs.end(by=request.user, suppression=found, reason=reason)
    except Refused as refusal:
        return _page(request, found, errors=[str(refusal)], typed=request.POST, status=409)
    messages.success(
        request, _("{found} has ended: such payments raise alerts again.").format(found=found)
    )
    return redirect("suppression", pk)


def _found(request: HttpRequest, pk: int) -> Suppression:
    seen = Suppression.objects.visible_to(request.user).for_the_page()
    return get_object_or_404(seen, pk=pk)


def _page(request: HttpRequest, found: Suppression, *, status: int = 200, **more: Any) -> Any:
    hits = list(_hits(found, request.GET.get("before", ""))[: HITS + 1])
    user = request.user
    context = {
        "one": found,
        "hits": hits[:HITS],
        "older": hits[HITS - 1].pk if len(hits) > HITS else "",
        "may_end": user.may("alert.work") and found.is_living,
        "masked": masked(user),
    }
    return render(request, "alerts/suppression.html", context | more, status=status)


def _hits(found: Suppression, before: str) -> Any:
    """What it kept out, latest first, each with what was said of it since."""
    said = Label.objects.standing().filter(transaction=OuterRef("transaction"))
    rows = found.kept_out.select_related("transaction", "decision")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    return rows.annotate(said=Subquery(said.values("value")[:1])).order_by("-pk")
