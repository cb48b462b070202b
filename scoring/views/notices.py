"""Chargebacks and other late words: what came, what became of it, and the form for a file."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.accounts.permissions import allow
from scoring import uploads
from scoring.forms import ACCEPTED, MappingField
from scoring.models import Notice, Source
from scoring.noticing import counted
from scoring.privacy import sees_numbers
from scoring.receiving import went_wrong
from scoring.withheld import readable_notices

SHOWN = 50


class NoticeFileForm(forms.Form):
    """A file of chargebacks, and whose it is."""

    file = forms.FileField(
        label=_lazy("File"), max_length=5000, widget=forms.FileInput({"accept": ACCEPTED})
    )
    source = forms.ModelChoiceField(
        Source.objects.none(), empty_label=_lazy("Choose …"), label=_lazy("Source"),
        help_text=_lazy("Of the payments, or one that speaks about the payments of others"),
    )  # fmt: skip
    mapping = MappingField(
        label=_lazy("Columns called otherwise"),
        help_text=_lazy("One a line: their column = notice_id, transaction_id, known_at …"),
    )

    def __init__(self, *args: Any, user: Any) -> None:
        super().__init__(*args)
        self.fields["source"].queryset = Source.objects.visible_to(user).filter(active=True)
        self.fields["mapping"].widget.attrs["placeholder"] = "CB Ref = notice_id"


@allow("events.write")
def notices(request: HttpRequest) -> HttpResponse:
    """What came, latest first, by what became of it; and a file sent by hand."""
    if request.method != "POST":
        return _list(request, NoticeFileForm(user=request.user))
    form = NoticeFileForm(request.POST, request.FILES, user=request.user)
    if reason := went_wrong(request):
        form.add_error("file", reason)
    if not form.is_valid():
        return _list(request, form, 400)
    file, options = form.cleaned_data["file"], {"notices": True}
    options["mapping"] = form.cleaned_data["mapping"]
    source = form.cleaned_data["source"]
    try:
        upload = uploads.receive(
            by=request.user, source=source, name=file.name, file=file, options=options
        )
    except uploads.Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return _list(request, form, 400)
    if upload.already_received:
        messages.warning(request, _("This very file came before. Nothing was done twice."))
    return redirect("upload", pk=upload.pk)


def _list(request: HttpRequest, form: NoticeFileForm, status: int = 200) -> HttpResponse:
    mine = readable_notices(Notice.objects.visible_to(request.user), request.user)
    state = request.GET.get("state", "")
    rows = mine.filter(state=state) if state in Notice.State else mine
    if (before := request.GET.get("before", "")).isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    rows = rows.select_related("source", "payment_source", "label__supersedes__labeller")
    found, many = list(rows[: SHOWN + 1]), counted(mine)
    more = {"state": state} if state in Notice.State else {}
    context = {
        "form": form,
        "notices": found[:SHOWN],
        "states": [(value, label, many[value]) for value, label in Notice.State.choices],
        "state": state,
        "masked": not sees_numbers(request.user),
        "more": urlencode({**more, "before": found[SHOWN - 1].pk}) if len(found) > SHOWN else "",
    }
    return render(request, "scoring/notices.html", context, status=status)
