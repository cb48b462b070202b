"""Transactions: found by what one knows of them, and shown as they were decided."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode

from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from scoring.engine.decision import Level
from scoring.engine.features import FEATURES
from scoring.explaining import NotExplainable, stored_vector
from scoring.models import Explanation, Transaction

PAGE = 50


class Search(forms.Form):
    """What one may know of a transaction."""

    id = forms.CharField(max_length=128, required=False, label="Transaction id")
    user = forms.CharField(max_length=128, required=False, label="Entity")
    since = forms.DateTimeField(
        required=False, label="From (UTC)", widget=forms.DateTimeInput({"type": "datetime-local"})
    )
    until = forms.DateTimeField(
        required=False, label="Until (UTC)", widget=forms.DateTimeInput({"type": "datetime-local"})
    )
    level = forms.ChoiceField(
        required=False, choices=[("", "All levels"), *[(level, level) for level in Level]]
    )
    before = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput
    )


@allow("transaction.view", methods=("GET",))
def transactions(request: HttpRequest) -> HttpResponse:
    form = Search(request.GET)
    form.is_valid()
    asked = {name: value for name, value in form.cleaned_data.items() if value}
    hidden = not sees_people(request.user)
    if hidden:  # asking for a masked value and seeing rows would confirm it
        form.fields.pop("user")
        asked.pop("user", None)
    rows = list(found(asked)[: PAGE + 1])
    kept = {n: v for n, v in request.GET.items() if n in asked and n != "before"}
    more = urlencode({**kept, "before": rows[PAGE - 1].pk}) if len(rows) > PAGE else ""
    context = {"form": form, "rows": rows[:PAGE], "more": more, "masked": hidden, "asked": asked}
    return render(request, "scoring/transactions.html", context)


def found(asked: dict[str, Any]) -> QuerySet[Transaction]:
    """Latest first, a page at a time by key."""
    rows = Transaction.objects.select_related("decision", "source").order_by("-pk")
    filters = {
        "id": "external_id",
        "user": "user_id",
        "since": "event_time__gte",
        "until": "event_time__lt",
        "level": "decision__level",
        "before": "pk__lt",
    }
    return rows.filter(**{filters[name]: value for name, value in asked.items()})


@allow("transaction.view", methods=("GET",))
def transaction(request: HttpRequest, pk: int) -> HttpResponse:
    rows = Transaction.objects.select_related("decision__model", "decision__policy", "source")
    row = get_object_or_404(rows, pk=pk)
    hidden = not sees_people(request.user)
    if not hidden:
        record(by=request.user, action="data.read", object=row)
    decision = getattr(row, "decision", None)
    values, trouble = vector_of(decision)
    context = {
        "row": row,
        "decision": decision,
        "features": values,
        "trouble": trouble,
        "explanation": Explanation.objects.filter(decision=decision).first() if decision else None,
        "labels": row.labels.select_related("labeller").order_by("known_at"),
        "masked": hidden,
    }
    return render(request, "scoring/transaction.html", context)


def vector_of(decision: Any) -> tuple[list[tuple[Any, float | None]], str]:
    """Each feature with its value as it was when the decision was made."""
    if decision is None:
        return [], "It is not decided yet."
    try:
        vector = stored_vector(decision).tolist()
    except NotExplainable as reason:
        return [], f"{reason}.".capitalize()
    return [(f, v if v == v else None) for f, v in zip(FEATURES, vector, strict=True)], ""


def sees_people(user: Any) -> bool:
    """Those who work alerts read personal values; everyone else sees their ends."""
    return user.may("alert.work")
