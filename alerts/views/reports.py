"""Scheduled reports: what is sent to whom, a new one, and pause, take up, try."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import mailing
from alerts.analytics import TABS
from alerts.analytics.window import DAYS
from alerts.mailing import Refused, Wish
from alerts.models import ReportLetter, ScheduledReport
from anomalyshield.accounts.permissions import allow

LETTERS = 20


class ReportForm(forms.Form):
    """Which figures, how often, to whom."""

    name = forms.CharField(
        max_length=80, widget=forms.TextInput({"autocomplete": "off"}), label=_lazy("Name")
    )
    tab = forms.ChoiceField(
        label=_lazy("Figures"), choices=[(t.key, t.title) for t in TABS.values() if t.reported]
    )
    last = forms.ChoiceField(label=_lazy("Of the"), choices=list(DAYS.items()), initial="30d")
    cadence = forms.ChoiceField(label=_lazy("Sent"), choices=ScheduledReport.Cadence.choices)
    hour = forms.IntegerField(
        min_value=0,
        max_value=23,
        initial=7,
        help_text=_lazy("On your clocks, 0 to 23."),
        label=_lazy("Hour"),
    )
    recipients = forms.ModelMultipleChoiceField(
        queryset=None,
        widget=forms.CheckboxSelectMultiple,
        label=_lazy("To"),
        help_text=_lazy(
            "People of this installation with an e-mail address. Each gets what their own "
            "pages show."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipients"].queryset = mailing.reachable()

    def wish(self) -> Wish:
        return Wish(**{name: self.cleaned_data[name] for name in Wish.__dataclass_fields__})


@allow("report.schedule")
def reports(request: HttpRequest) -> HttpResponse:
    """What one has sent or receives, and a form for another."""
    if request.method != "POST":
        return _page(request, ReportForm())
    form = ReportForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    people = form.cleaned_data["recipients"]
    try:
        made = mailing.make(by=request.user, wish=form.wish(), recipients=people)
    except Refused as refusal:
        form.add_error(refusal.field or None, str(refusal))
        return _page(request, form, status=400)
    messages.success(
        request,
        _("“{made}” is sent {get_cadence_display}.").format(
            made=made, get_cadence_display=made.get_cadence_display()
        ),
    )
    return redirect("reports")


@allow("report.schedule", methods=("POST",))
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(request, pk, mailing.pause, _("Nothing is sent until you take it up again."))


@allow("report.schedule", methods=("POST",))
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    return _done(request, pk, mailing.resume, _("It is sent again from its next time on."))


@allow("report.schedule", methods=("POST",))
def try_out(request: HttpRequest, pk: int) -> HttpResponse:
    words = _("A test is on its way to your own address.")
    return _done(request, pk, mailing.try_out, words)


def _done(request: HttpRequest, pk: int, verb: Any, words: str) -> HttpResponse:
    report = get_object_or_404(ScheduledReport.objects.visible_to(request.user), pk=pk)
    try:
        verb(by=request.user, report=report)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _page(request, ReportForm(), status=409)
    messages.success(request, words)
    return redirect("reports")


def _page(request: HttpRequest, form: ReportForm, status: int = 200) -> HttpResponse:
    seen = ScheduledReport.objects.visible_to(request.user).select_related("owner")
    rows = list(seen.prefetch_related("recipients"))
    letters = ReportLetter.objects.filter(report__in=[one.pk for one in rows])
    context = {
        "form": form,
        "rows": [(one, TABS[one.tab].title, DAYS.get(one.last, "")) for one in rows],
        "letters": letters.select_related("report", "recipient")[:LETTERS],
        "all_mine": request.user.may("user.manage"),
        "anybody": mailing.reachable().exists(),
    }
    return render(request, "alerts/reports.html", context, status=status)
