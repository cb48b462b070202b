"""The page of a user, card, device or merchant, and what can be done there."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import pinned
from alerts.baseline import Paid
from alerts.entities import Entity, find, hidden_from
from alerts.forms import DAYS, NoteForm
from alerts.models import EntityNote
from alerts.portrait import OUTCOMES, Portrait, outcomes_in_words, portrait, sees_notes
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import money, score, when
from scoring import charts, lists, policies
from scoring.engine.decision import Policy
from scoring.lists import Wish
from scoring.models import ListEntry, Transaction
from scoring.riskchart import Scored, risks

DRAWN = 300  # payments of the chart


class ListForm(forms.Form):
    """On which list, why and for how long; whom, the page says."""

    list_kind = forms.ChoiceField(choices=ListEntry.Kind.choices, label=_lazy("List kind"))
    list_reason = forms.CharField(
        max_length=500, error_messages={"required": _lazy("Say why.")}, label=_lazy("List reason")
    )
    list_days = forms.TypedChoiceField(
        choices=DAYS, coerce=int, required=False, empty_value=None, label=_lazy("List days")
    )

    def wish(self, entity: Entity) -> Wish:
        said = self.cleaned_data
        days = said["list_days"]
        until = timezone.now() + timedelta(days=days) if days else None
        return Wish(said["list_kind"], entity.kind, entity.value, said["list_reason"], until)


@dataclass(frozen=True)
class Day:
    """One day of the chart's table."""

    day: Any
    payments: int
    highest: float
    reviewed: int


SEVERAL = {  # of one kind, as a heading
    "user": _lazy("Customers"),
    "card": _lazy("Cards"),
    "device": _lazy("Devices"),
    "merchant": _lazy("Merchants"),
    "place": _lazy("Places"),
}


@allow("alert.view", methods=("GET", "HEAD"))
def entity(request: HttpRequest, kind: str, value: str) -> HttpResponse:
    found = find(kind, value, request.user)
    return page(request, found, read=True)


@allow("alert.work", methods=("POST",))
def note(request: HttpRequest, kind: str, value: str) -> HttpResponse:
    found = known(request, kind, value)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return page(request, found, 400, errors=_sentences(form), typed=request.POST)
    pinned.pin(by=request.user, entity=found, text=form.cleaned_data["note"])
    return redirect(f"{found.address}#notes")


@allow("alert.work", methods=("POST",))
def retract(request: HttpRequest, kind: str, value: str, pk: int) -> HttpResponse:
    found = known(request, kind, value)
    written = get_object_or_404(EntityNote.objects.about(found.kind, found.key), pk=pk)
    try:
        pinned.retract(by=request.user, note=written)
    except pinned.Refused as refusal:
        return page(request, found, 409, errors=[str(refusal)])
    return redirect(f"{found.address}#notes")


@allow("list.edit", methods=("POST",))
def put_on_list(request: HttpRequest, kind: str, value: str) -> HttpResponse:
    found = known(request, kind, value)
    form = ListForm(request.POST)
    if not form.is_valid():
        return page(request, found, 400, errors=_sentences(form), typed=request.POST)
    try:
        made = lists.put(by=request.user, wish=form.wish(found))
    except lists.Refused as refusal:
        status = 409 if isinstance(refusal, lists.Already) else 400
        return page(request, found, status, errors=[str(refusal)], typed=request.POST)
    waits = made.state == ListEntry.State.PROPOSED
    after = _("A lead approves it.") if waits else _("It is in force within two seconds.")
    messages.success(request, _("{made} is made. {after}").format(made=made, after=after))
    return redirect(found.address)


def known(request: HttpRequest, kind: str, value: str) -> Entity:
    """The entity if a payment names it: nobody writes notes about somebody who is not there."""
    found = find(kind, value, request.user)
    get_object_or_404(found.payments().order_by()[:1])
    return found


def page(
    request: HttpRequest, found: Entity, status: int = 200, *, read: bool = False, **more: Any
) -> HttpResponse:
    user, asked = request.user, request.GET
    cursors = {name: asked.get(name, "")[:80] for name in ("before", "alerts_before")}
    told = portrait(found, user, **cursors)
    masked = hidden_from(user)
    if read and not masked:  # the trail names a payment, not the person: it cannot be erased
        paid = Transaction(pk=told.rows[0].pk)
        record(by=user, action="data.read", object=paid, after={"page": found.kind})
    context = {
        "entity": found,
        "told": told,
        "base": told.baseline,
        "masked": masked,
        "currency": settings.BASE_CURRENCY,
        "outcomes": outcomes_in_words(told.outcomes),
        "outcome_words": OUTCOMES,
        "several": SEVERAL,
        "notes": pinned.notes_of(found) if sees_notes(user) else [],
        "sees_notes": sees_notes(user),
        "may_note": user.may("alert.work"),
        "may_list": user.may("list.edit"),
        "listing_days": DAYS,
        "later_payments": urlencode({**cursors, "before": told.more_payments}),
        "later_alerts": urlencode({**cursors, "alerts_before": told.more_alerts}),
        "first_page": not cursors["before"],
        "first_alerts": not cursors["alerts_before"],
        **_drawn(told),
        **more,
    }
    return render(request, "alerts/entity.html", context, status=status)


def _drawn(told: Portrait) -> dict[str, Any]:
    """The risk over time, and the same by day as a table."""
    scored = [row for row in told.rows if row.score is not None][:DRAWN]
    policy = Policy.from_dict(policies.active().values)
    points = [Scored(r.event_time, r.score or 0.0, r.level or "", _said(r)) for r in scored]
    days: dict[Any, list[Paid]] = {}
    for row in scored:
        days.setdefault(row.event_time.date(), []).append(row)
    table = [
        Day(
            day,
            len(rows),
            max(row.score or 0.0 for row in rows),
            sum(row.outcome != "APPROVE" for row in rows),
        )
        for day, rows in days.items()
    ]
    hours = [(f"{hour:02}:00", count, 0) for hour, count in enumerate(told.baseline.hours)]
    return {
        "risks": risks(points, policy),
        "days": table,
        "scored": len(scored),
        "hours": charts.columns(hours, _("Payments by hour of the day"), height=48),
        "by_hour": hours,
    }


def _said(row: Paid) -> str:
    return f"{when(row.event_time, 'short')}: {score(row.score)}, {money(row.amount, row.currency)}"


def _sentences(form: Any) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]
