"""A file that waits: what its columns mean, what its first rows would give, and the start."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from anomalyshield.accounts.permissions import allow
from scoring import dryrun, guessing, uploads
from scoring.columns import Refused
from scoring.mapping_form import MappingForm, as_yaml, from_yaml
from scoring.models import Upload
from scoring.sources.base import Block, Unreadable
from scoring.views.uploads import find

EXAMPLES = 3


@allow("upload.own")
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """See the file, settle its columns, try the first rows; nothing is stored before `start`."""
    upload = find(request, pk)
    if upload.state != Upload.State.WAITING:
        return redirect("upload", pk=pk)
    try:
        block = dryrun.head(upload)
    except (Unreadable, FileNotFoundError) as gone:
        messages.error(request, str(gone) if isinstance(gone, Unreadable) else "It is gone.")
        return redirect("upload", pk=pk)
    if request.method == "POST":
        return settle(request, upload, block)
    guess = guessed(upload, block)
    return page(request, upload, block, guess.options, guess=guess)


def settle(request: HttpRequest, upload: Upload, block: Block) -> HttpResponse:
    """Try what was chosen, or start with it."""
    guess = guessed(upload, block)
    try:
        if request.POST.get("do") == "yaml":
            options = from_yaml(request.POST.get("yaml", ""))
            return page(request, upload, block, options, guess=guess)
        form = form_of(upload, guess, request)
        if not form.is_valid():
            return page(request, upload, block, guess.options, guess=guess, form=form)
        options = form.options()
        if request.POST.get("do") != "start":
            return page(request, upload, block, options, guess=guess, form=form)
        uploads.start(by=request.user, upload=upload, options=options)
    except Refused as refusal:
        form = form_of(upload, guess, request)
        return page(request, upload, block, None, guess=guess, form=form, refusal=refusal)
    return redirect("upload", pk=upload.pk)


def form_of(upload: Upload, guess: guessing.Guess, request: HttpRequest) -> MappingForm:
    """The form as it was sent."""
    columns = upload.options["columns"]
    return MappingForm(columns, guess.options, request.POST, proposed=guess.proposed)


def guessed(upload: Upload, block: Block) -> guessing.Guess:
    return guessing.guess(
        upload.options["columns"], dryrun.records(block), uploads.remembered(upload.source)
    )


def page(
    request: HttpRequest,
    upload: Upload,
    block: Block,
    options: dict[str, Any] | None,
    *,
    guess: guessing.Guess,
    form: MappingForm | None = None,
    refusal: Refused | None = None,
) -> HttpResponse:
    """The preview with what these options would give; 400 when they make no sense."""
    tried = None
    if options is not None:
        try:
            tried, options = tried_with(upload, block, options)
        except Refused as error:
            refusal, options = error, None
    form = form or MappingForm(
        upload.options["columns"], options or guess.options, proposed=guess.proposed
    )
    rows = dryrun.records(block)[:EXAMPLES]
    columns = [(asked, [row.get(asked.column) for row in rows]) for asked in form.rows()]
    context = {
        "upload": upload,
        "form": form,
        "columns": columns,
        "guess": guess,
        "refusal": refusal,
        "tried": tried,
        "yaml": request.POST.get("yaml") or as_yaml(options or guess.options),
    }
    wrong = request.method == "POST" and (refusal is not None or not form_is_fine(form))
    return render(request, "scoring/preview.html", context, status=400 if wrong else 200)


def form_is_fine(form: MappingForm) -> bool:
    return not form.is_bound or form.is_valid()


def tried_with(
    upload: Upload, block: Block, options: dict[str, Any]
) -> tuple[dryrun.DryRun, dict[str, Any]]:
    """A dry run with these options; the upload itself keeps its own."""
    understood = uploads.understood(upload, options)
    upload.options = understood
    return dryrun.dry_run(upload, block), understood
