"""One alert: everything to decide it on one screen, and what can be done with it."""

import time
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from alerts import leasing, triage
from alerts.entity import COLUMNS, Event, hits_of, prior_alerts, timed_by, timeline
from alerts.forms import DAYS, DecisionForm, ListingForm, NoteForm, QueueFilter, named_in
from alerts.models import Alert, AlertLease, Correction
from alerts.similar import similar
from alerts.typologies import SENTENCES
from alerts.views.queue import filters_of
from alerts.visibility import masked, queues_of
from alerts.why import why
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from scoring import charts, opinions, resolving
from scoring.engine.decision import Outcome, Policy
from scoring.models import Label, ListEntry, Resolution
from scoring.webhooks.events import DECISION_UPDATED, heard

UPSTREAM = {  # what it hears of an undo
    "now": ", and upstream is told",
    "later": " here; no endpoint is active, so upstream is told when one is resumed",
    "": " here; no endpoint is registered, so upstream is not told",
}
LAST = "last_decision"  # in the session: what the undo key takes back


@allow("alert.view", methods=("GET",))
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    if request.htmx:  # the reasons, when they were still being computed as the page was opened
        context = {"alert": found, **_reasons(found), **_second(request, found, asked_of(request))}
        return render(request, "alerts/_why.html", context)
    if not masked(request.user):
        record(by=request.user, action="data.read", object=found)
    return page(request, found)


@allow("alert.work", methods=("POST",))
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    verb = triage.release if "release" in request.POST else triage.claim
    try:
        verb(by=request.user, alert=found)
    except triage.Refused as refusal:
        return refused(request, found, str(refusal))
    return redirect(address_of(found, asked_of(request)))


@allow("label.write", methods=("POST",))
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    form, listing = DecisionForm(request.POST), ListingForm(request.POST, alert=found)
    if not (form.is_valid() and listing.is_valid()):
        return refused(request, found, *_sentences(form), *_sentences(listing), status=400)
    try:
        decided = triage.decide(
            by=request.user, alert=found, put=listing.wishes, **form.cleaned_data
        )
    except triage.Refused as refusal:
        return refused(request, found, str(refusal))
    return _on_to_the_next(request, decided)


@allow("list.edit", methods=("POST",))
def put_on_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody of this alert, without deciding about it."""
    found = find(request, pk)
    form = ListingForm(request.POST, alert=found)
    if not form.is_valid():
        return refused(request, found, *_sentences(form), status=400)
    if not form.wishes:
        return refused(request, found, "Tick whom to put on the list.", status=400)
    try:
        made = triage.put_on_list(by=request.user, alert=found, put=form.wishes)
    except triage.Refused as refusal:
        return refused(request, found, str(refusal))
    messages.success(request, _listed(made) or "They are on that list already.")
    return redirect(address_of(found, asked_of(request)))


@allow("label.change", methods=("POST",))
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a decision back; it is open again, where the person then is."""
    found = find(request, pk)
    try:
        undone = triage.undo(by=request.user, alert=found)
    except triage.Refused as refusal:
        return refused(request, found, str(refusal))
    request.session.pop(LAST, None)
    messages.success(request, f"{undone} is open again, as it was before.{_told(undone)}")
    return redirect(address_of(undone, asked_of(request)))


@allow("alert.work", methods=("POST",))
def note(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return refused(request, found, *_sentences(form), status=400)
    triage.comment(by=request.user, alert=found, text=form.cleaned_data["note"])
    return redirect(address_of(found, asked_of(request)))


@allow("alert.work", methods=("POST",))
def following(request: HttpRequest) -> HttpResponse:
    """The next alert that nobody has, behind the one somebody stands on if they say which."""
    asked, here = asked_of(request), request.POST.get("behind", "")
    seen = Alert.objects.visible_to(request.user)
    behind = seen.filter(pk=int(here)).first() if here.isdecimal() and len(here) < 19 else None
    found = leasing.take_next(by=request.user, asked=asked, behind=behind)
    if found is None:
        messages.warning(request, "Nothing else waits here that nobody is looking at.")
        return redirect(f"{reverse('alerts')}?{filters_of(asked)}")
    return redirect(address_of(found, asked))


@allow("alert.work", methods=("POST",))
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """The page is still open: said by it once a minute."""
    lease = leasing.renew(by=request.user, alert=find(request, pk))
    return HttpResponse(status=204 if lease else 409)


@allow("alert.work", methods=("POST",))
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """The page was closed."""
    leasing.leave(by=request.user, alert=find(request, pk))
    return HttpResponse(status=204)


def find(request: HttpRequest, pk: int) -> Alert:
    """The alert, if it lies in a queue this person sees; else it does not exist for them."""
    seen = Alert.objects.visible_to(request.user).for_the_page()
    related = ("decision__model", "decision__policy", "transaction__source")
    return get_object_or_404(seen.select_related(*related), pk=pk)


def asked_of(request: HttpRequest) -> dict[str, Any]:
    """The filters of the queue the person came from, carried along in the address."""
    queues = queues_of(request.user)
    return QueueFilter(request.GET, queues=queues, user=request.user).asked


def address_of(found: Alert, asked: dict[str, Any], page: str = "alert") -> str:
    filters = filters_of(asked)
    return reverse(page, args=[found.pk]) + (f"?{filters}" if filters else "")


def refused(request: HttpRequest, found: Alert, *sentences: str, status: int = 409) -> HttpResponse:
    """The same page with the reason on top and what was typed still in its fields."""
    fresh = find(request, found.pk)
    ticked = request.POST.getlist("list_on")
    return page(request, fresh, status=status, errors=sentences, typed=request.POST, ticked=ticked)


def page(request: HttpRequest, found: Alert, status: int = 200, **more: Any) -> HttpResponse:
    user, asked = request.user, asked_of(request)
    events, label = timeline(found), standing_label(found)
    waiting = Correction.objects.waiting().filter(label__transaction__hit__alert=found)
    corrections = list(waiting.select_related("proposed_by", "label__transaction"))
    context = {
        "alert": found,
        "payment": found.transaction,
        **_reasons(found),
        **_second(request, found, asked),
        "hits": hits_of(found, user),
        "sentence": SENTENCES.get(found.suspected, ""),
        "timed_by": timed_by(found).label,
        "timed_kind": timed_by(found).value,
        "timed_value": getattr(found.transaction, COLUMNS[timed_by(found)][1]),
        "events": events,
        "amounts": charts.amounts([_point(event) for event in reversed(events)]),
        "prior": prior_alerts(found, user),
        "likes": similar(found, user),
        "label": label,
        "corrections": corrections,
        "may_answer": user.may("label.change"),
        "may_correct": user.may("label.change") and label.is_decisive and not corrections
        if label
        else False,
        "notes": () if masked(user) else found.notes.select_related("author"),
        "cases": found.cases.all() if user.may("case.view") else (),
        "masked": masked(user),
        "currency": settings.BASE_CURRENCY,
        "may_note": user.may("alert.work"),
        "may_work": user.may("alert.work") and found.is_open,
        "may_label": user.may("label.write") and found.is_open,
        "may_list": user.may("list.edit"),
        "named": named_in(found),
        "listing_days": DAYS,
        "may_undo": triage.may_undo(user, found),
        "payment_state": resolving.standing(found.decision),
        "filters": filters_of(asked),
        "may_next": user.may("alert.work"),
        "lease": AlertLease.objects.living().filter(alert=found).select_related("person").first(),
        "typologies": Alert.Typology.choices,
    }
    context["upstream"] = UPSTREAM[heard(DECISION_UPDATED)] if context["may_undo"] else ""
    return render(request, "alerts/alert.html", context | more, status=status)


def standing_label(found: Alert) -> Label | None:
    """Of its leading payment."""
    return found.transaction.labels.standing().select_related("labeller").first()


def _reasons(found: Alert) -> dict[str, Any]:
    """What the middle column shows."""
    policy, reasons = Policy.from_dict(found.decision.policy.values), why(found.decision)
    cuts = (policy.low_below, policy.high_above, policy.critical_above)
    return {
        "decision": found.decision,
        "policy": policy,
        "why": reasons,
        "bars": [(c, charts.bar(c.value, reasons.largest)) for c in reasons.drawn],
        "scale": charts.scale(found.risk_score, *cuts),
    }


def _second(request: HttpRequest, found: Alert, asked: dict[str, Any]) -> dict[str, Any]:
    """Where the second opinion is asked for, and what it says once it was."""
    filters, wanted = filters_of(asked), "second_opinion" in request.GET
    return {
        "second": opinions.second(found.decision) if wanted else None,
        "second_asked": f"?{filters}&second_opinion=1" if filters else "?second_opinion=1",
    }


def _point(event: Event) -> charts.Point:
    payment = event.payment
    label = f"{payment.event_time:%d %b %H:%M} UTC: {payment.amount:,.2f} {payment.currency}"
    return charts.Point(payment.event_time, float(payment.amount), label, event.marked)


def _listed(entries: list[ListEntry]) -> str:
    """Who is on which list now, and who waits for a second person."""
    return " ".join(_entry_in_words(entry) for entry in entries)


def _entry_in_words(entry: ListEntry) -> str:
    if entry.state == ListEntry.State.PROPOSED:
        return f"{entry}: the {entry.entity} is proposed for the allow list; a lead approves it."
    return f"{entry}: the {entry.entity} is on the {entry.get_kind_display().lower()} list."


def _said(decided: Alert) -> str:
    """What was decided, and what became of the payment it held."""
    resolution = resolving.standing(decided.decision)
    said = f"{decided} decided: {decided.get_disposition_display().lower()}"
    if resolution is None:
        return f"{said}."
    still = "still " if resolution.state == Resolution.State.HELD else ""
    return f"{said}, payment {still}{resolution.get_state_display().lower()}."


def _told(undone: Alert) -> str:
    """What upstream hears of it."""
    if undone.decision.outcome == Outcome.APPROVE:
        return ""
    return f" Its payment is held again{UPSTREAM[heard(DECISION_UPDATED)]}."


def undoable(request: HttpRequest) -> dict[str, Any] | None:
    """This person's last decision, for the key that takes it back; None when it is too old."""
    last = request.session.get(LAST)
    fresh = last and time.time() - last["at"] < triage.UNDO_WITHIN.total_seconds()
    return last if fresh else None


def _on_to_the_next(request: HttpRequest, decided: Alert) -> HttpResponse:
    asked = asked_of(request)
    undo_it = address_of(decided, asked, "alert-undo")
    request.session[LAST] = {"name": str(decided), "address": undo_it, "at": time.time()}
    following = leasing.take_next(by=request.user, asked=asked, behind=decided)
    said = _said(decided)
    if following is None:
        messages.success(request, f"{said} Nothing else waits here.", undo_it)
        return redirect(f"{reverse('alerts')}?{filters_of(asked)}")
    messages.success(request, f"{said} Next: {following}.", undo_it)
    return redirect(address_of(following, asked))


def _sentences(form: Any) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]
