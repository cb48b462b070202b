"""Files on their way in: sent, watched, stopped; and what was refused, row by row."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.db.models import Count, Max, Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from scoring import uploads as verbs
from scoring.models import RejectedRecord, Source, Upload

LISTED, SHOWN = 50, 50
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


class UploadForm(forms.Form):
    """A file, where it comes from, and which of its columns are labels."""

    file = forms.FileField()
    source = forms.ModelChoiceField(Source.objects.filter(active=True), empty_label=None)
    label_column = forms.CharField(
        required=False, max_length=200, help_text="A column that says fraud or legitimate"
    )
    label_known_column = forms.CharField(
        required=False, max_length=200, help_text="The column with the date each label became known"
    )
    label_delay_days = forms.FloatField(
        required=False, min_value=0, help_text="Or: known so many days after the transaction"
    )


@allow("upload.own")
def uploads(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return send(request)
    return _list(request, UploadForm())


@allow("upload.batch")
def send(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _list(request, form, 400)
    given = dict(form.cleaned_data)
    file, source = given.pop("file"), given.pop("source")
    try:
        upload = verbs.receive(
            by=request.user, source=source, name=file.name, file=file, options=given
        )
    except verbs.Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return _list(request, form, 400)
    return redirect("upload", pk=upload.pk)


@allow("upload.own", methods=("GET",))
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    context = {"upload": found, "rejects": found.rejects.all()[:SHOWN]}
    name = "scoring/_upload.html" if request.htmx else "scoring/upload.html"
    return render(request, name, context)


@allow("upload.own", methods=("POST",))
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    verbs.cancel(by=request.user, upload=find(request, pk))
    return redirect("upload", pk=pk)


@allow("upload.own", methods=("GET",))
def rejects(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    record(by=request.user, action="data.exported", object=found)
    rows = found.rejects.order_by("position").iterator(chunk_size=1000)
    response = StreamingHttpResponse(lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejects-{found.pk}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@allow("source.view", methods=("GET",))
def sources(request: HttpRequest) -> HttpResponse:
    rows = Source.objects.annotate(
        files=Count("upload"), rows=Sum("upload__accepted"), last=Max("upload__created_at")
    )
    counts = dict(RejectedRecord.objects.values_list("source").annotate(Count("pk")))
    listed = [(source, counts.get(source.pk, 0)) for source in rows]
    return render(request, "scoring/sources.html", {"sources": listed})


def find(request: HttpRequest, pk: int) -> Upload:
    return get_object_or_404(
        Upload.objects.visible_to(request.user).select_related("source", "created_by"), pk=pk
    )


class _Echo:
    """A file that hands back what is written: csv.writer as a generator."""

    def write(self, line: str) -> str:
        return line


def lines(rows: Iterable[RejectedRecord]) -> Iterator[str]:
    """Row number, reasons and the record, safe to open in a spreadsheet (ASVS 1.2.10)."""
    writer = csv.writer(_Echo())
    yield writer.writerow(["row", "reasons", "record"])
    for row in rows:
        reasons = "; ".join(f"{field} {reason}" for field, reason in row.reasons.items())
        said = "; ".join(f"{name}={value}" for name, value in row.record.items())
        yield writer.writerow([row.position, harmless(reasons), harmless(said)])


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _list(request: HttpRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    mine = Upload.objects.visible_to(request.user).select_related("source", "created_by")[:LISTED]
    context: dict[str, Any] = {"uploads": mine, "form": form}
    return render(request, "scoring/uploads.html", context, status=status)
