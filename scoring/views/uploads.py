"""Files on their way in: sent, watched, stopped; and what was refused, row by row."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from scoring import rejects as refused
from scoring import uploads as verbs
from scoring.forms import UploadForm
from scoring.models import Upload
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
            by=request.user, source=source, name=file.name, file=file, options=form.options
        )
    except verbs.Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return _list(request, form, 400)
    if upload.already_received:
        return _received_before(request, upload)
    return redirect("upload", pk=upload.pk)


def _received_before(request: HttpRequest, upload: Upload) -> HttpResponse:
    """The earlier upload may be somebody else's; then its page is not this person's to see."""
    seen = Upload.objects.visible_to(request.user).filter(pk=upload.pk).exists()
    when = f"{upload.created_at:%Y-%m-%d %H:%M} UTC"
    messages.warning(
        request, f"This very file was received on {when} already. Nothing was done twice."
    )
    return redirect("upload", pk=upload.pk) if seen else redirect("uploads")


@allow("upload.own", methods=("GET",))
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """One file, refreshed by itself while its numbers change."""
    found = find(request, pk)
    context = {"upload": found, "rejects": found.rejects.order_by("position")[:SHOWN]}
    name = "scoring/_upload.html" if request.htmx else "scoring/upload.html"
    return render(request, name, context)


@allow("upload.own", methods=("POST",))
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    if not verbs.cancel(by=request.user, upload=find(request, pk)):
        messages.warning(request, "There was nothing left to read.")
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
    context = {"uploads": mine[:LISTED], "form": form}
    return render(request, "scoring/uploads.html", context, status=status)
