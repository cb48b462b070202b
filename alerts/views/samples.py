"""The sample below the line: what waits, one payment to look at, and what the alerts miss."""

from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import recall, sampling
from alerts.forms import NOTE_LENGTH, DecisionForm
from alerts.models import Alert, Sample, Verdict
from alerts.visibility import masked
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import money, when, within
from scoring import charts
from scoring.models import Transaction

EVENTS = 20
ROWS = 50
Row = TypeVar("Row", bound=Model)


class AnswerForm(DecisionForm):
    """What the payment was."""

    seen = None
    worth_reviewing = None
    note = forms.CharField(max_length=NOTE_LENGTH, required=False, label=_lazy("Note"))


@allow("review.view", methods=("GET",))
def samples(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, recall.DAYS) else 30
    answered = Sample.objects.answered().for_the_page().order_by("-answered_at", "-pk")
    context = {
        "figures": recall.measured(days),
        "days": days,
        "spans": recall.DAYS,
        "rows": answered[:ROWS],
        "masked": masked(request.user),
        "may_work": request.user.may("review.work"),
        "waits": Sample.objects.waiting().count(),
        "here": "samples",
    }
    return render(request, "alerts/samples.html", context)


@allow("review.work", methods=("POST",))
def following(request: HttpRequest) -> HttpResponse:
    return _on(request, "", behind=named(request, Sample.objects.all()))


@allow("review.work", methods=("GET",))
def sample(request: HttpRequest, pk: int) -> HttpResponse:
    return page(request, find(pk))


@allow("review.work", methods=("POST",))
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = find(pk), AnswerForm(request.POST)
    if not form.is_valid():
        said = [str(error) for errors in form.errors.values() for error in errors]
        return page(request, found, 400, errors=said, typed=request.POST)
    try:
        answered = sampling.answer(by=request.user, sample=found, **form.cleaned_data)
    except sampling.Refused as refusal:
        return page(request, find(pk), 409, errors=[str(refusal)], typed=request.POST)
    return _on(request, f"{answered}: {within(answered.get_said_display())}. ", behind=answered)


def named(request: HttpRequest, rows: QuerySet[Row]) -> Row | None:
    """The row that a page's form says they stand on; None if it is none of these."""
    text = request.POST.get("behind", "")
    return rows.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 19 else None


def find(pk: int) -> Sample:
    return get_object_or_404(Sample.objects.for_the_page().select_related("holder"), pk=pk)


def page(request: HttpRequest, found: Sample, status: int = 200, **more: Any) -> HttpResponse:
    paid = found.transaction
    record(by=request.user, action="data.read", object=paid)
    events = around(paid)
    context = {
        "sample": found,
        "another": found.holder if found.is_held_from(request.user) else None,
        "payment": paid,
        "decision": paid.decision,
        "events": events,
        "amounts": charts.amounts([point(one, paid) for one in reversed(events)]),
        "label": paid.labels.standing().select_related("labeller").first(),
        "typologies": Alert.Typology.choices,
        "confidences": Verdict.Confidence.choices,
        "here": "samples",
    }
    return render(request, "alerts/sample.html", context | more, status=status)


def around(paid: Transaction) -> list[Transaction]:
    """The customer's payments up to some after this one, latest first, and it among them."""
    same = Transaction.objects.of_user(paid.user_id).select_related("decision")
    here = Q(event_time=paid.event_time)
    before = same.filter(Q(event_time__lt=paid.event_time) | here & Q(pk__lte=paid.pk))
    after = same.filter(Q(event_time__gt=paid.event_time) | here & Q(pk__gt=paid.pk))
    later = list(after.order_by("event_time", "pk")[: EVENTS // 4])
    return [*reversed(later), *before.latest_first()[: EVENTS - len(later)]]


def point(one: Transaction, marked: Transaction) -> charts.Point:
    label = f"{when(one.event_time, 'short')}: {money(one.amount, one.currency)}"
    return charts.Point(one.event_time, float(one.amount), label, one.pk == marked.pk)


def _on(request: HttpRequest, said: str, *, behind: Sample | None) -> HttpResponse:
    """To the next one that nobody looks at."""
    found = sampling.take_next(by=request.user, behind=behind)
    if found is None:
        messages.success(request, _("{said}Nothing of the sample waits now.").format(said=said))
        return redirect("samples")
    if said:
        messages.success(request, _("{said}Next: {found}.").format(said=said, found=found))
    return redirect("sample", found.pk)
