"""One alert: everything to decide it on one screen, and what can be done with it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from alerts import leasing, moments, playbooks, regrouping, snoozing, suppressing, triage
from alerts.around import around
from alerts.entity import COLUMNS, Event, hits_of, notes_of, prior_alerts, timed_by, timeline
from alerts.forms import DAYS, DecisionForm, ListingForm, NoteForm, QueueFilter, named_in
from alerts.models import Alert, AlertLease, Correction, Review, Snooze, Verdict
from alerts.rulebook import compared
from alerts.similar import similar
from alerts.typologies import SENTENCES
from alerts.usual import timed_entity, usual
from alerts.views import undoing
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
SUPPRESSED_DAYS = [("7", "7 days"), ("30", "30 days"), ("90", "90 days, leads"),
                   ("180", "180 days, leads")]  # fmt: skip


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
        messages.warning(request, f"{found} was merged into this one.")
        return redirect(address_of(Alert(pk=found.merged_into_id), asked_of(request)))
    if request.htmx:  # the reasons, when they were still being computed as the page was opened
        context = {
            "alert": found,
            **reasons_of(found),
            **_second(request, found, asked_of(request)),
        }
        return render(request, "alerts/_why.html", context)
    if not masked(request.user):
        record(by=request.user, action="data.read", object=found)
    snoozing.looked(by=request.user, alert=found)
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
        return refused(request, found, *sentences(form), *sentences(listing), status=400)
    try:
        decided = triage.decide(
            by=request.user, alert=found, put=listing.wishes, **form.cleaned_data
        )
    except triage.Refused as refusal:
        return refused(request, found, str(refusal))
    return go_on(request, decided, _said(decided), "alert-undo")


@allow("list.edit", methods=("POST",))
def put_on_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody of this alert, without deciding about it."""
    found = find(request, pk)
    form = ListingForm(request.POST, alert=found)
    if not form.is_valid():
        return refused(request, found, *sentences(form), status=400)
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
    undoing.forget(request)
    messages.success(request, f"{undone} is open again, as it was before.{_told(undone)}")
    return redirect(address_of(undone, asked_of(request)))


@allow("alert.work", methods=("POST",))
def note(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return refused(request, found, *sentences(form), status=400)
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
    related += ("lease__person", "profile")
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
    hits = hits_of(found, user)
    events, label = timeline(found, {hit.transaction_id for hit in hits}), standing_label(found)
    prior, lease = prior_alerts(found, user), _lease(found)
    waiting = Correction.objects.waiting().filter(label__transaction__hit__alert=found)
    corrections = list(waiting.select_related("proposed_by", "label__transaction"))
    context = {
        "alert": found,
        "payment": found.transaction,
        **reasons_of(found),
        **_second(request, found, asked),
        "hits": hits,
        "sentence": SENTENCES.get(found.suspected, ""),
        "timed_kind": timed_by(found).value,
        "timed_value": getattr(found.transaction, COLUMNS[timed_by(found)][1]),
        "around": around(found, with_notes=not masked(user)),
        "book": playbooks.standing(found.suspected),
        "events": events,
        "amounts": charts.amounts([_point(event) for event in reversed(events)]),
        "prior": prior,
        "likes": similar(found, user),
        "label": label,
        "corrections": corrections,
        "may_answer": user.may("label.change"),
        "may_correct": user.may("label.change") and label.is_decisive and not corrections
        if label
        else False,
        "notes": () if masked(user) else notes_of(found),
        "cases": found.cases.visible_to(user) if user.may("case.view") else (),
        "masked": masked(user),
        "may_note": user.may("alert.work"),
        "may_work": user.may("alert.work") and found.is_open,
        "may_label": user.may("label.write") and found.is_open,
        "may_list": user.may("list.edit"),
        "named": named_in(found),
        "listing_days": DAYS,
        "may_undo": triage.may_undo(user, found),
        "payment_state": None if found.is_open else resolving.standing(found.decision),
        "filters": filters_of(asked),
        "may_next": user.may("alert.work"),
        "lease": lease,
        "typologies": Alert.Typology.choices,
        "snooze": _snooze(found),
        "last": undoing.undoable(request),
        "moments": moments.CHOICES,
        "confidences": Verdict.Confidence.choices,
        "verdict": None if found.is_open else found.verdicts.filter(undone_at=None).first(),
    }
    if context["may_work"]:
        context["mergeable"] = regrouping.mergeable(found, prior)
        context["may_split"] = found.is_group and found.status in Alert.MOVABLE
        context["suppressible"] = sorted(suppressing.reasons_of(found.decision))
        context["suppressed_days"] = SUPPRESSED_DAYS
    context["upstream"] = UPSTREAM[heard(DECISION_UPDATED)] if context["may_undo"] else ""
    return render(request, "alerts/alert.html", context | more, status=status)


def standing_label(found: Alert) -> Label | None:
    """Of its leading payment."""
    return found.transaction.labels.standing().select_related("labeller").first()


def reasons_of(found: Alert) -> dict[str, Any]:
    """What the middle column shows."""
    policy, reasons = Policy.from_dict(found.decision.policy.values), why(found.decision)
    kind = timed_by(found)
    cuts = (policy.low_below, policy.high_above, policy.critical_above)
    return {
        "decision": found.decision,
        "policy": policy,
        "why": reasons,
        "bars": [(c, charts.bar(c.value, reasons.largest)) for c in reasons.drawn],
        "scale": charts.scale(found.risk_score, *cuts),
        "usual": usual(found, timed_entity(found, kind)),
        "rules": compared(found.decision),
        "timed_by": kind.label,
        "currency": settings.BASE_CURRENCY,
    }


def _second(request: HttpRequest, found: Alert, asked: dict[str, Any]) -> dict[str, Any]:
    """Where the second opinion is asked for, and what it says once it was."""
    filters, wanted = filters_of(asked), "second_opinion" in request.GET
    return {
        "second": opinions.second(found.decision) if wanted else None,
        "second_asked": f"?{filters}&second_opinion=1" if filters else "?second_opinion=1",
    }


def _lease(found: Alert) -> AlertLease | None:
    """Who was given it and looks at it now."""
    lease = getattr(found, "lease", None)
    return lease if lease and lease.until > timezone.now() else None


def _snooze(found: Alert) -> Snooze | None:
    """Why it sleeps, or what it came back from just now."""
    told = found.is_asleep or found.boost
    return Snooze.objects.latest_of(found) if told else None


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


def go_on(request: HttpRequest, done: Alert, said: str, undo: str) -> HttpResponse:
    """To the next alert, with what was done to this one and the page that takes it back."""
    asked = asked_of(request)
    undo_it = address_of(done, asked, undo)
    undoing.remember(request, str(done), undo_it)
    following = leasing.take_next(by=request.user, asked=asked, behind=done)
    if following is None:
        messages.success(request, f"{said} Nothing else waits here.", undo_it)
        return redirect(f"{reverse('alerts')}?{filters_of(asked)}")
    messages.success(request, f"{said} Next: {following}.", undo_it)
    return redirect(address_of(following, asked))


def sentences(form: Any) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]
