"""What models ask: the list, one question to answer, the next."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import feedback
from alerts.forms import NOTE_LENGTH
from alerts.models import Feedback
from alerts.views.samples import around, named, point
from alerts.visibility import masked, unread_by
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from scoring import charts

ROWS = 50


class AnswerForm(forms.Form):
    """Fraud or not."""

    human_label = forms.TypedChoiceField(
        choices=[("1", _lazy("Fraud")), ("0", _lazy("Legitimate"))],
        coerce=int,
        error_messages={
            "required": _lazy("Say whether it was fraud."),
            "invalid_choice": _lazy("“%(value)s” is neither fraud nor legitimate."),
        },
        label=_lazy("Human label"),
    )
    notes = forms.CharField(max_length=NOTE_LENGTH, required=False, label=_lazy("Notes"))


@allow("review.view", methods=("GET",))
def questions(request: HttpRequest) -> HttpResponse:
    rows = Feedback.objects.for_the_page()
    rows = rows.exclude(transaction__in=unread_by(request.user))
    context = {
        "metrics": feedback.get_review_metrics(),
        "waiting": rows.waiting().order_by("pk")[:ROWS],
        "answered": rows.answered().order_by("-reviewed_at", "-pk")[:ROWS],
        "masked": masked(request.user),
        "may_work": request.user.may("review.work"),
        "here": "questions",
    }
    return render(request, "alerts/questions.html", context)


@allow("review.work", methods=("POST",))
def following(request: HttpRequest) -> HttpResponse:
    return _on(request, "", behind=named(request, Feedback.objects.all()))


@allow("review.work", methods=("GET",))
def question(request: HttpRequest, pk: int) -> HttpResponse:
    return page(request, find(request, pk))


@allow("review.work", methods=("POST",))
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = find(request, pk), AnswerForm(request.POST)
    if not form.is_valid():
        said = [str(error) for errors in form.errors.values() for error in errors]
        return page(request, found, 400, errors=said, typed=request.POST)
    try:
        answered = feedback.submit_review(
            found.external_id, reviewer_id=request.user.get_username(), **form.cleaned_data
        )
    except feedback.Refused as refusal:
        return page(request, find(request, pk), 409, errors=[str(refusal)], typed=request.POST)
    word = _("fraud") if answered.human_label else _("legitimate")
    return _on(request, f"{answered}: {word}. ", behind=answered)


def find(request: HttpRequest, pk: int) -> Feedback:
    """The question, unless it is about what they review without knowing the verdict."""
    rows = Feedback.objects.for_the_page().exclude(transaction__in=unread_by(request.user))
    return get_object_or_404(rows.select_related("holder"), pk=pk)


def page(request: HttpRequest, found: Feedback, status: int = 200, **more: Any) -> HttpResponse:
    paid = found.transaction
    context: dict[str, Any] = {"question": found, "payment": paid, "here": "questions"}
    context["another"] = found.holder if found.is_held_from(request.user) else None
    if paid is not None:
        record(by=request.user, action="data.read", object=paid)
        events = around(paid)
        context |= {
            "decision": getattr(paid, "decision", None),
            "events": events,
            "unsaid": found.reviewed_at is None,  # what the model said of it
            "amounts": charts.amounts([point(one, paid) for one in reversed(events)]),
        }
    return render(request, "alerts/question.html", context | more, status=status)


def _on(request: HttpRequest, said: str, *, behind: Feedback | None) -> HttpResponse:
    """To the next one that waits, and from the top again when nothing stands behind."""
    found = feedback.take_next(by=request.user, behind=behind)
    if found is None:
        messages.success(request, _("{said}No model asks anything now.").format(said=said))
        return redirect("questions")
    if said:
        messages.success(request, _("{said}Next: {found}.").format(said=said, found=found))
    return redirect("question", found.pk)
