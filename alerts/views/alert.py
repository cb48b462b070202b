"""One alert: what can be done with it, and where the person then is."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from alerts import leasing, triage
from alerts.forms import DecisionForm, ListingForm, NoteForm
from alerts.models import Alert, Review
from alerts.views import undoing
from alerts.views.alert_page import (
    UPSTREAM,
    address_of,
    asked_of,
    find,
    on_to,
    opened,
    reasons_of,
    refused,
    second_of,
    seen,
    sentences,
)
from alerts.views.queue import filters_of
from anomalyshield.accounts.permissions import allow
from anomalyshield.templatetags.words import within
from scoring import resolving
from scoring.engine.decision import Outcome
from scoring.models import ListEntry, Resolution
from scoring.webhooks.events import DECISION_UPDATED, heard


@allow("alert.view", methods=("GET",))
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        found = find(request, pk)
    except Http404:
        theirs = Review.objects.blinding(request.user).filter(alert=pk).first()
        if theirs is None:
            raise
        return redirect("review", theirs.pk)  # until they have answered, that is all they see
    if found.merged_into_id:
        messages.warning(request, _("{found} was merged into this one.").format(found=found))
        return redirect(address_of(Alert(pk=found.merged_into_id), asked_of(request)))
    if request.htmx:  # the reasons, when they were still being computed as the page was opened
        context = {
            "alert": found,
            **reasons_of(found),
            **second_of(request, found, asked_of(request)),
        }
        return render(request, "alerts/_why.html", context)
    return opened(request, found)


@allow("alert.work", methods=("POST",))
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    found = seen(request, pk)
    verb = triage.release if "release" in request.POST else triage.claim
    try:
        verb(by=request.user, alert=found)
    except triage.Refused as refusal:
        return refused(request, found, str(refusal))
    return on_to(request, found, asked_of(request))


@allow("label.write", methods=("POST",))
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    found = seen(request, pk)
    form, listing = DecisionForm(request.POST), ListingForm(request.POST, alert=found)
    if not (form.is_valid() and listing.is_valid()):
        return refused(request, found, *sentences(form), *sentences(listing), status=400)
    try:
        decided = triage.decide(
            by=request.user, alert=found, put=listing.wishes, **form.cleaned_data
        )
    except triage.Refused as refusal:
        return refused(request, found, str(refusal))
    said = _said(decided, resolving.standing(found.decision))
    return go_on(request, decided, said, "alert-undo")


@allow("list.edit", methods=("POST",))
def put_on_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody of this alert, without deciding about it."""
    found = seen(request, pk)
    form = ListingForm(request.POST, alert=found)
    if not form.is_valid():
        return refused(request, found, *sentences(form), status=400)
    if not form.wishes:
        return refused(request, found, _("Tick whom to put on the list."), status=400)
    try:
        made = triage.put_on_list(by=request.user, alert=found, put=form.wishes)
    except triage.Refused as refusal:
        return refused(request, found, str(refusal))
    messages.success(request, _listed(made) or _("They are on that list already."))
    return on_to(request, found, asked_of(request))


@allow("label.change", methods=("POST",))
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a decision back; it is open again, where the person then is."""
    found = seen(request, pk)
    try:
        undone = triage.undo(by=request.user, alert=found)
    except triage.Refused as refusal:
        return refused(request, found, str(refusal))
    undoing.forget(request)
    messages.success(
        request,
        _("{undone} is open again, as it was before.{told}").format(
            undone=undone, told=_told(undone)
        ),
    )
    return on_to(request, undone, asked_of(request))


@allow("alert.work", methods=("POST",))
def note(request: HttpRequest, pk: int) -> HttpResponse:
    found = seen(request, pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return refused(request, found, *sentences(form), status=400)
    triage.comment(by=request.user, alert=found, text=form.cleaned_data["note"])
    return on_to(request, found, asked_of(request))


@allow("alert.work", methods=("POST",))
def following(request: HttpRequest) -> HttpResponse:
    """The next alert that nobody has, behind the one somebody stands on if they say which."""
    asked, here = asked_of(request), request.POST.get("behind", "")
    theirs = Alert.objects.visible_to(request.user)
    behind = theirs.filter(pk=int(here)).first() if here.isdecimal() and len(here) < 19 else None
    found = leasing.take_next(by=request.user, asked=asked, behind=behind)
    if found is None:
        messages.warning(request, _("Nothing else waits here that nobody is looking at."))
        return redirect(f"{reverse('alerts')}?{filters_of(asked)}")
    return on_to(request, found, asked)


@allow("alert.work", methods=("POST",))
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """The page is still open: said by it once a minute."""
    lease = leasing.renew(by=request.user, alert=seen(request, pk))
    return HttpResponse(status=204 if lease else 409)


@allow("alert.work", methods=("POST",))
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """The page was closed."""
    leasing.leave(by=request.user, alert=seen(request, pk))
    return HttpResponse(status=204)


def _listed(entries: list[ListEntry]) -> str:
    """Who is on which list now, and who waits for a second person."""
    return " ".join(_entry_in_words(entry) for entry in entries)


def _entry_in_words(entry: ListEntry) -> str:
    if entry.state == ListEntry.State.PROPOSED:
        return _(
            "{entry}: the {entity} is proposed for the allow list; a lead approves it."
        ).format(entry=entry, entity=entry.entity)
    return _("{entry}: the {entity} is on the {get_kind_display} list.").format(
        entry=entry, entity=entry.entity, get_kind_display=within(entry.get_kind_display())
    )


def _said(decided: Alert, resolution: Resolution | None) -> str:
    """What was decided, and what became of the payment it held."""
    said = _("{decided} decided: {verdict}").format(
        decided=decided, verdict=within(decided.get_disposition_display())
    )
    if resolution is None:
        return f"{said}."
    still = "still " if resolution.state == Resolution.State.HELD else ""
    return _("{said}, payment {still}{state}.").format(
        said=said, still=still, state=within(resolution.get_state_display())
    )


def _told(undone: Alert) -> str:
    """What upstream hears of it."""
    if undone.decision.outcome == Outcome.APPROVE:
        return ""
    return _(" Its payment is held again{upstream}.").format(
        upstream=UPSTREAM[heard(DECISION_UPDATED)]
    )


def go_on(request: HttpRequest, done: Alert, said: str, undo: str) -> HttpResponse:
    """To the next alert, with what was done to this one and the page that takes it back."""
    asked = asked_of(request)
    undo_it = address_of(done, asked, undo)
    undoing.remember(request, str(done), undo_it)
    following = leasing.take_next(by=request.user, asked=asked, behind=done)
    if following is None:
        told = format_html(_("{said} Nothing else waits here."), said=said)
        messages.success(request, told, undo_it)
        return redirect(f"{reverse('alerts')}?{filters_of(asked)}")
    told = format_html(_("{said} Next: {following}."), said=said, following=following)
    messages.success(request, told, undo_it)
    return on_to(request, following, asked)
