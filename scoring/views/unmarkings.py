"""That fields of a source be personal no longer: asked for on a page, answered on another."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from anomalyshield.accounts.permissions import allow
from scoring import unmarking as verbs
from scoring.models import Source, Unmarking
from scoring.unmarking import Refused


@allow("source.unmark")
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Which fields, and why; what was asked before and answered."""
    source = get_object_or_404(Source.objects.visible_to(request.user), pk=pk)
    if request.method != "POST":
        return _form(request, source, {})
    names, reason = request.POST.getlist("names"), request.POST.get("reason", "")
    try:
        asked = verbs.ask(by=request.user, source=source, names=names, reason=reason)
    except Refused as refusal:
        errors = refusal.fields or {"": str(refusal)}
        return _form(request, source, errors, status=400 if refusal.fields else 409)
    messages.success(request, _("Asked. A second person must agree; until then nothing changes."))
    return redirect("unmarking", asked.pk)


@allow("source.view", methods=("GET", "HEAD"))
def unmarking(request: HttpRequest, pk: int) -> HttpResponse:
    """One such question: of which fields, why, and the answer."""
    return _page(request, _found(request, pk))


@allow("source.unmark", methods=("POST",))
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    try:
        source = verbs.approve(by=request.user, request=found, answer=_typed(request))
    except Refused as refusal:
        return _page(request, found, str(refusal), status=409)
    messages.success(
        request,
        _("{source}: {names} personal no longer, from version {version} on.").format(
            source=source, names=", ".join(found.names), version=source.version
        ),
    )
    return redirect("unmarking", pk)


@allow("source.unmark", methods=("POST",))
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(request, pk)
    if not (answer := _typed(request)):
        no_reason = _("Write a reason: it is kept in the audit trail.")
        return _page(request, found, no_reason, status=400)
    try:
        verbs.refuse(by=request.user, request=found, answer=answer)
    except Refused as refusal:
        return _page(request, found, str(refusal), status=409)
    messages.success(request, _("It is answered: nothing changes."))
    return redirect("unmarking", pk)


def _found(request: HttpRequest, pk: int) -> Unmarking:
    return get_object_or_404(Unmarking.objects.visible_to(request.user).told(), pk=pk)


def _typed(request: HttpRequest) -> str:
    return request.POST.get("reason", "").strip()[: verbs.LONGEST_REASON].replace("\x00", "")


def _form(
    request: HttpRequest, source: Source, errors: dict[str, str], status: int = 200
) -> HttpResponse:
    context = {
        "source": source,
        "errors": errors,
        "problem": errors.get(""),
        "chosen": request.POST.getlist("names"),
        "typed": request.POST.get("reason", ""),
        "before": source.unmarkings.told()[:12],
    }
    return render(request, "scoring/source_unmark.html", context, status=status)


def _page(
    request: HttpRequest, found: Unmarking, error: str = "", status: int = 200
) -> HttpResponse:
    found.refresh_from_db(fields=["state"])
    own = found.asked_by == request.user
    may = request.user.may(verbs.RIGHT)
    context = {
        "asked": found,
        "open": found.state == Unmarking.State.OPEN,
        "own": own,
        "may_approve": may and not (own and settings.FOUR_EYES),
        "may_refuse": may,
        "error": error,
        "typed": request.POST.get("reason", ""),
    }
    return render(request, "scoring/unmarking.html", context, status=status)
