"""Many alerts at once: looked over, done with one reason, told alert by alert, taken back."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import bulk, moments
from alerts.forms import NOTE_LENGTH, CertaintyForm
from alerts.guards import leads
from alerts.models import Alert, Bulk
from alerts.staffing import analysts
from alerts.views.alert_page import asked_of
from alerts.views.queue import filters_of
from alerts.visibility import masked
from anomalyshield.accounts.permissions import allow
from anomalyshield.context import zone


class BulkForm(CertaintyForm):
    """What is done to all of them, and why."""

    action = forms.ChoiceField(
        choices=Bulk.Action.choices,
        error_messages={"required": _lazy("Say what is done to them.")},
        label=_lazy("Action"),
    )
    disposition = forms.ChoiceField(
        choices=[("", _lazy("What they were")), *Alert.VERDICTS],
        required=False,
        label=_lazy("Disposition"),
    )
    typology = forms.ChoiceField(
        choices=[("", _lazy("Typology, if fraud")), *Alert.Typology.choices],
        required=False,
        label=_lazy("Typology"),
    )
    to = forms.ModelChoiceField(
        analysts(),
        to_field_name="username",
        required=False,
        empty_label=_lazy("Who works on them"),
        label=_lazy("To"),
    )
    when = forms.ChoiceField(
        choices=[("", _lazy("Until when")), *moments.CHOICES], required=False, label=_lazy("When")
    )
    day = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), label=_lazy("Day")
    )
    reason = forms.CharField(
        max_length=NOTE_LENGTH,
        error_messages={"required": _lazy("Say why: one reason for all of them.")},
        widget=forms.Textarea(attrs={"rows": 2}),
        label=_lazy("Reason"),
    )

    def clean(self) -> dict[str, Any]:
        """The moment of a snooze instead of the words for it."""
        said = super().clean() or {}
        choice, day = said.pop("when", ""), said.pop("day", None)
        if choice == moments.DATE and day is None:
            self.add_error("day", _("Say on which day they come back."))
        elif choice:
            now = timezone.now()
            said["until"] = moments.moment_of(choice, now=now, zone=zone(), day=day)
        return said


@allow("alert.lead", methods=("GET",))
def look_over(request: HttpRequest) -> HttpResponse:
    """How many they are and how different, before anything is done."""
    if not leads(request.user):
        return _not_a_lead(request)
    return _preview(request, _asked(request))


@allow("alert.lead", methods=("POST",))
def act(request: HttpRequest) -> HttpResponse:
    if not leads(request.user):
        return _not_a_lead(request)
    form, choices = BulkForm(request.POST), _choices(request)
    if not form.is_valid() or choices is None:
        said = [str(error) for errors in form.errors.values() for error in errors]
        return _again(request, form, *said or [_("These are no alerts.")], status=400)
    try:
        done = bulk.act(by=request.user, choices=choices, **form.cleaned_data)
    except bulk.Refused as refusal:
        return _again(request, form, str(refusal), status=409)
    return redirect("bulk", done.pk)


@allow("alert.lead", methods=("GET",))
def outcome(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of each of them."""
    found = _find(request, pk)
    items = list(found.items.select_related("alert", "alert__queue"))
    context = {
        "bulk": found,
        "items": items,
        "done": sum(not one.refusal for one in items),
        "may_undo": bulk.may_undo(request.user, found),
        "minutes": int(bulk.triage.UNDO_WITHIN.total_seconds() // 60),
    }
    return render(request, "alerts/bulk.html", context)


@allow("alert.lead", methods=("POST",))
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    found = _find(request, pk)
    try:
        bulk.undo(by=request.user, bulk=found)
    except bulk.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("bulk", pk)
    messages.success(
        request, _("{found} is taken back: each alert is as it was before.").format(found=found)
    )
    return redirect("bulk", pk)


def _asked(request: HttpRequest) -> bulk.Preview:
    if "all" in request.GET:
        return bulk.matching(request.user, asked_of(request))
    ids = [int(one) for one in request.GET.getlist("alert") if one.isdecimal() and len(one) < 19]
    return bulk.ticked(request.user, ids)


def _choices(request: HttpRequest) -> list[bulk.Choice] | None:
    """`12:3`: alert 12, which had three payments when it was looked over."""
    found = []
    for one in request.POST.getlist("alert"):
        pk, _unused, seen = one.partition(":")
        if not (pk.isdecimal() and seen.isdecimal() and len(one) < 26):
            return None
        found.append(bulk.Choice(int(pk), int(seen)))
    return found


def _again(request: HttpRequest, form: BulkForm, *errors: str, status: int) -> HttpResponse:
    """The same alerts looked over anew, with the reason on top and what was typed kept."""
    ids = [one.alert for one in _choices(request) or []]
    preview = bulk.ticked(request.user, ids)
    return _preview(request, preview, form=form, errors=errors, status=status)


def _preview(
    request: HttpRequest,
    preview: bulk.Preview,
    *,
    form: BulkForm | None = None,
    errors: tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    filters = filters_of(asked_of(request))
    context = {
        "preview": preview,
        "form": form or BulkForm(),
        "errors": errors,
        "most": bulk.MOST,
        "masked": masked(request.user),
        "currency": settings.BASE_CURRENCY,
        "may_label": request.user.may("label.write"),
        "back": f"{reverse('alerts')}?{filters}",
        "filters": filters,
    }
    return render(request, "alerts/bulk_preview.html", context, status=status)


def _find(request: HttpRequest, pk: int) -> Bulk:
    return get_object_or_404(bulk.of_person(request.user), pk=pk)


def _not_a_lead(request: HttpRequest) -> HttpResponse:
    """The role may; being a lead is the condition of the verb, so it answers as verbs refuse."""
    context: dict[str, Any] = {"errors": [_("A lead acts on many alerts at once.")]}
    return render(request, "alerts/bulk_preview.html", context, status=409)
