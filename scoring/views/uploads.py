"""Files on their way in: sent, watched, stopped; and what was refused, row by row."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _

from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import when_shown
from scoring import charts, results
from scoring import rejects as refused
from scoring import uploads as verbs
from scoring.forms import UploadForm
from scoring.models import Source, Upload
from scoring.privacy import sees_numbers, sees_people, sees_user_of
from scoring.receiving import went_wrong

LISTED, SHOWN = 50, 50


@allow("upload.own")
def uploads(request: HttpRequest) -> HttpResponse:
    """One's own files, all of them for who keeps the sources, and the form for another."""
    if request.method == "POST":
        return send(request)
    return _list(request, UploadForm())


@allow("upload.batch", methods=("POST",))
def send(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    if reason := went_wrong(request):
        form.add_error("file", reason)
    if not form.is_valid():
        return _list(request, form, 400)
    file, source = form.cleaned_data["file"], form.cleaned_data["source"]
    try:
        upload = verbs.receive(
            by=request.user, source=source, name=file.name, file=file, options={}, hold=True
        )
    except verbs.Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return _list(request, form, 400)
    if upload.already_received:
        return _received_before(request, upload)
    return redirect("upload-preview", pk=upload.pk)


def _received_before(request: HttpRequest, upload: Upload) -> HttpResponse:
    """The earlier upload may be somebody else's; then its page is not this person's to see."""
    seen = Upload.objects.visible_to(request.user).filter(pk=upload.pk).exists()
    messages.warning(
        request,
        format_html(
            _("This very file was received on {when} already. Nothing was done twice."),
            when=when_shown(upload.created_at),
        ),
    )
    return redirect("upload", pk=upload.pk) if seen else redirect("uploads")


@allow("upload.own", methods=("GET",))
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """One file, refreshed by itself while its numbers change."""
    found = find(request, pk)
    if found.state == Upload.State.WAITING:
        return redirect("upload-preview", pk=pk)
    context = {"upload": found, "rejects": found.rejects.order_by("position")[:SHOWN]}
    if found.stage == Upload.Stage.FINISHED and found.scored:
        context |= outcome(request, found)
    name = "scoring/_upload.html" if request.htmx else "scoring/upload.html"
    return render(request, name, context)


def outcome(request: HttpRequest, found: Upload) -> dict[str, Any]:
    """What the file turned out to be, for its page."""
    counted = results.results_of(found)
    return {
        "results": counted,
        "scores": charts.columns(counted.scores, _("Rows by risk score, from 0 to 1")),
        "hours": charts.columns(counted.hours, _("Rows by hour of the day, UTC")),
        "riskiest": results.riskiest(found).select_related("hit__alert"),
        "hidden": not sees_people(request.user),
    }


@allow("upload.own", methods=("GET",))
def scored(request: HttpRequest, pk: int, kind: str) -> FileResponse | StreamingHttpResponse:
    """All scored rows of the file as a download, masked for those who may not see people."""
    return scored_file(request.user, find(request, pk), kind)


def scored_file(by: Any, found: Upload, kind: str) -> FileResponse | StreamingHttpResponse:
    """All scored rows as a download, which leaves a trace; machines read their own ids in full."""
    if kind not in ("csv", "parquet"):
        raise Http404(_("Scored rows come as csv or parquet."))
    hidden = results.Hidden(
        numbers=not sees_numbers(by), people=not sees_user_of(by, found.source_id)
    )
    record(by=by, action="data.exported", object=found, after={"rows": found.scored})
    name = f"scored-{found.pk}.{kind}"
    if kind == "parquet":
        file = results.as_parquet(found, hidden)
        response = FileResponse(file, as_attachment=True, filename=name)
    else:
        lines = results.as_csv(found, hidden)
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@allow("upload.own", methods=("POST",))
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    if not verbs.cancel(by=request.user, upload=find(request, pk)):
        messages.warning(request, _("There was nothing left to read."))
    return redirect("upload", pk=pk)


@allow("upload.own", methods=("POST",))
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a file that was stopped."""
    try:
        verbs.resume(by=request.user, upload=find(request, pk))
    except verbs.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("upload", pk=pk)


@allow("upload.own", methods=("GET",))
def rejects(request: HttpRequest, pk: int) -> HttpResponse:
    """Every refused row of the file, to be mended and sent again."""
    return rejects_file(request.user, find(request, pk))


def rejects_file(by: object, upload: Upload) -> StreamingHttpResponse:
    """The refused rows as a download. It holds personal data, so it leaves a trace."""
    record(by=by, action="data.exported", object=upload, after={"rows": upload.rejected})
    response = StreamingHttpResponse(refused.lines(upload), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rejects-{upload.pk}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def find(request: HttpRequest, pk: int) -> Upload:
    mine = Upload.objects.visible_to(request.user)
    return get_object_or_404(mine.select_related("source", "created_by"), pk=pk)


def _list(request: HttpRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    mine = Upload.objects.visible_to(request.user).select_related("source", "created_by")
    form.fields["source"].queryset = Source.objects.open_to(request.user).filter(active=True)
    context = {"uploads": mine[:LISTED], "form": form}
    return render(request, "scoring/uploads.html", context, status=status)
