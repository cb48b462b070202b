"""Transactions: found by what one knows of them, and shown as they were decided."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import masked_if
from scoring import charts, personal
from scoring.engine.decision import Level
from scoring.engine.features import FEATURES, widened
from scoring.engine.names import our_name
from scoring.engine.transaction import UNITS
from scoring.explaining import NotExplainable, stored_vector
from scoring.models import Decision, Explanation, Transaction
from scoring.models.transactions import TransactionQuerySet
from scoring.privacy import own_source, sees_people
from scoring.withheld import readable, readable_notices

PAGE = 50
OVERTURNED = ("label__supersedes__labeller",)
DRAWN = 8  # contributions
PEOPLES = {"transaction_id", "user_id", "card_id", "device_id"}  # shown by their ends to most


class Search(forms.Form):
    """What one may know of a transaction."""

    q = forms.CharField(max_length=128, required=False, label=_lazy("Transaction or entity"))
    since = forms.DateTimeField(
        required=False,
        label=_lazy("From (UTC)"),
        widget=forms.DateTimeInput({"type": "datetime-local"}),
    )
    until = forms.DateTimeField(
        required=False,
        label=_lazy("Until (UTC)"),
        widget=forms.DateTimeInput({"type": "datetime-local"}),
    )
    level = forms.ChoiceField(
        required=False,
        label=_lazy("Level"),
        choices=[("", _lazy("All levels")), *[(level, level) for level in Level]],
    )
    before = forms.CharField(
        max_length=80, required=False, widget=forms.HiddenInput, label=_lazy("Before")
    )


@allow("transaction.view", methods=("GET",))
def transactions(request: HttpRequest) -> HttpResponse:
    form = Search(request.GET)
    form.is_valid()
    asked = {name: value for name, value in form.cleaned_data.items() if value}
    hidden = not sees_people(request.user)
    rows = list(found(asked, request.user)[: PAGE + 1])
    kept = {name: request.GET[name] for name in asked if name != "before"}
    more = urlencode({**kept, "before": cursor_of(rows[PAGE - 1])}) if len(rows) > PAGE else ""
    context = {"form": form, "rows": rows[:PAGE], "more": more, "masked": hidden, "asked": asked}
    return render(request, "scoring/transactions.html", context)


def found(asked: dict[str, Any], asker: Any) -> TransactionQuerySet:
    """Latest first, a page at a time from where the page before ended."""
    rows = Transaction.objects.select_related("decision", "source").latest_first()
    if text := asked.get("q"):
        wanted = Q(pk__in=Transaction.objects.called(text).values("pk"))
        theirs = Transaction.objects.of_user(*personal.called(text)).values("pk")
        if sees_people(asker):
            wanted |= Q(pk__in=theirs)
        elif own := own_source(asker):  # a key finds by user what its source has sent
            wanted |= Q(pk__in=theirs.filter(source=own))
        # Else not: asking for a masked value and seeing rows would confirm it.
        rows = rows.filter(wanted)
    names = {"since": "event_time__gte", "until": "event_time__lt", "level": "decision__level"}
    rows = rows.filter(**{names[name]: value for name, value in asked.items() if name in names})
    place = read_cursor(asked.get("before", ""))
    return rows.before(*place) if place else rows


def cursor_of(row: Transaction) -> str:
    return f"{row.event_time.isoformat()}~{row.pk}"


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """Where a page ended; a cursor nobody gave out is the first page."""
    moment, _unused, number = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        return (at, int(number)) if at.tzinfo and 0 < int(number) < 2**63 else None
    except ValueError:
        return None


@allow("transaction.view", methods=("GET",))
def transaction(request: HttpRequest, pk: int) -> HttpResponse:
    related = ("decision__model", "decision__policy", "source", "upload", "hit", "suppressed")
    rows = Transaction.objects.select_related(*related)
    row = get_object_or_404(rows, pk=pk)
    hidden = not sees_people(request.user)
    if not hidden:
        record(by=request.user, action="data.read", object=row)
    decision = getattr(row, "decision", None)
    values, trouble = vector_of(decision)
    explanation = Explanation.objects.filter(decision=decision).first() if decision else None
    told = readable(row.labels.all(), request.user)
    said = told.select_related("labeller").order_by("known_at")
    standing = told.standing().decisive().first()
    may = request.user.may("label.change")  # whose queue it is, the page behind the link asks
    waiting = standing.corrections.waiting().first() if standing and may else None
    context = {
        "row": row,
        "decision": decision,
        "features": values,
        "trouble": trouble,
        "explanation": explanation,
        "bars": bars_of(explanation),
        "labels": said,
        "base": converted_of(row),
        "further": further_of(row, hidden),
        "notices": readable_notices(row.notices.select_related(*OVERTURNED), request.user)[:20],
        "correctable": standing if may else None,
        "waiting": waiting,
        "masked": hidden,
    }
    return render(request, "scoring/transaction.html", context)


def converted_of(row: Transaction) -> Decimal | None:
    """What features, rules and models read of it, where it was paid in another currency."""
    if row.currency == settings.BASE_CURRENCY:
        return None
    return Decimal(row.amount_units) / UNITS


def further_of(row: Transaction, hidden: bool) -> list[tuple[str, str, str]]:
    """What came beside our fields; who may not look at people sees no personal value of it.

    With it the field of ours that it also gives, where another name said something else.
    """
    told, mapping = [], dict(row.source.mapping)
    if row.upload is not None:
        mapping |= row.upload.options.get("mapping", {})
    for name, value in sorted((row.extra or {}).items()):
        if name.startswith(personal.ASIDE):
            continue  # shown in its own place
        ours = our_name(name, mapping)
        closed = personal.is_sealed(value) or name in row.source.pii or ours in PEOPLES
        plain = personal.opened(value)
        text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
        told.append((name, masked_if(text, hidden and closed), ours))
    return told


def vector_of(decision: Decision | None) -> tuple[list[tuple[Any, float | None]], str]:
    """Each feature with its value as it was when the decision was made."""
    if decision is None:
        return [], _("It is not decided yet.")
    try:
        vector = widened(stored_vector(decision)).tolist()
    except NotExplainable as reason:
        return [], f"{reason}.".capitalize()
    return [(f, v if v == v else None) for f, v in zip(FEATURES, vector, strict=True)], ""


def bars_of(explanation: Explanation | None) -> list[tuple[str, float, Any]]:
    """The largest contributions, drawn, and the sum of the others, so that they add up too."""
    if explanation is None or not explanation.contributions:
        return []
    meanings = {feature.name: feature.meaning for feature in FEATURES}
    parts = sorted(explanation.contributions.items(), key=lambda part: -abs(part[1]))
    told = [(meanings.get(name, name), value) for name, value in parts[:DRAWN]]
    if others := parts[DRAWN:]:
        told.append(
            (
                _("{others} others together").format(others=len(others)),
                sum(value for _unused, value in others),
            )
        )
    largest = max(abs(value) for _unused, value in told)
    return [(meaning, value, charts.bar(value, largest)) for meaning, value in told]
