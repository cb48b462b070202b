"""Corrections of labels: proposed beside the label, waiting in a list, answered on a page."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import corrections as verbs
from alerts.models import Alert, Correction
from alerts.visibility import labels_for
from anomalyshield.accounts.permissions import allow
from anomalyshield.templatetags.words import label_in_words
from scoring.models import Label

PAGE = 50
VALUES = [(value, label_in_words(value)) for value in Label.Value.values]
OPPOSITE = {"TRUE_FRAUD": "FALSE_POSITIVE", "FALSE_POSITIVE": "TRUE_FRAUD"}
SHOWS = [(_lazy("Waiting"), ""), (_lazy("Answered"), "answered")]


class CorrectionForm(forms.Form):
    """What the label should say, and why."""

    value = forms.ChoiceField(
        choices=VALUES,
        label=_lazy("It was"),
        error_messages={"invalid_choice": _lazy("“%(value)s” is nothing a label says.")},
    )
    typology = forms.ChoiceField(
        choices=[("", _lazy("Typology, if fraud")), *Alert.Typology.choices],
        required=False,
        label=_lazy("Typology"),
    )
    reason = forms.CharField(
        max_length=2000,
        label=_lazy("Why"),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _lazy("Say why the label is wrong.")},
    )


@allow("label.change", methods=("GET",))
def corrections(request: HttpRequest) -> HttpResponse:
    show = "answered" if request.GET.get("show") == "answered" else ""
    found = Correction.objects.visible_to(request.user).for_the_page()
    found = found.exclude(state="OPEN") if show else found.waiting()
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    rows = list(found.order_by("-pk")[: PAGE + 1])
    older = rows[PAGE - 1].pk if len(rows) > PAGE else ""
    context = {"rows": rows[:PAGE], "older": older, "show": show, "shows": SHOWS}
    return render(request, "alerts/corrections.html", context)


@allow("label.change")
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Of the label with this number."""
    label = get_object_or_404(labels_for(request.user), pk=pk)
    form = CorrectionForm(request.POST or None, initial={"value": OPPOSITE.get(label.value)})
    if request.method != "POST":
        return _form(request, label, form)
    if not form.is_valid():
        return _form(request, label, form, status=400)
    try:
        made = verbs.propose(by=request.user, label=label, **form.cleaned_data)
    except verbs.Refused as refusal:
        return _form(request, label, form, error=str(refusal), status=409)
    messages.success(request, _("Proposed. The label changes when a second person approves it."))
    return redirect("correction", made.pk)


@allow("label.change", methods=("GET",))
def correction(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _found(request, pk))


@allow("label.change", methods=("POST",))
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    found, answer = _found(request, pk), _words(request)
    try:
        verbs.approve(by=request.user, correction=found, answer=answer)
    except verbs.Refused as refusal:
        return _page(request, _found(request, pk), error=str(refusal), status=409)
    return redirect("correction", pk)


@allow("label.change", methods=("POST",))
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    found, answer = _found(request, pk), _words(request)
    try:
        verbs.refuse(by=request.user, correction=found, answer=answer)
    except verbs.Refused as refusal:
        return _page(request, _found(request, pk), error=str(refusal), status=409)
    return redirect("correction", pk)


def _words(request: HttpRequest) -> str:
    return request.POST.get("answer", "").replace("\x00", "")[:2000]


def _found(request: HttpRequest, pk: int) -> Correction:
    seen = Correction.objects.visible_to(request.user).for_the_page()
    return get_object_or_404(seen.select_related("made"), pk=pk)


def _form(
    request: HttpRequest, label: Label, form: forms.Form, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {"label": label, "form": form, "error": error}
    return render(request, "alerts/correction_new.html", context, status=status)


def _page(
    request: HttpRequest, found: Correction, *, error: str = "", status: int = 200
) -> HttpResponse:
    own = found.proposed_by_id == request.user.pk
    context: dict[str, Any] = {
        "asked": found,
        "payment": found.label.transaction,
        "own": own,
        "may_approve": not (own and found.four_eyes),
        "error": error,
        "typed": request.POST.get("answer", ""),
    }
    return render(request, "alerts/correction.html", context, status=status)
