"""The page of one alert: who may see it, and everything to decide it on, on one screen."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts import moments, playbooks, regrouping, snoozing, suppressing, triage
from alerts.around import around
from alerts.entity import COLUMNS, Event, hits_of, notes_of, prior_alerts, timed_by, timeline
from alerts.forms import DAYS, QueueFilter, named_in
from alerts.models import Alert, AlertLease, Correction, Snooze, Verdict
from alerts.rulebook import compared
from alerts.similar import similar
from alerts.typologies import SENTENCES
from alerts.usual import timed_entity, usual
from alerts.views import undoing
from alerts.views.queue import filters_of
from alerts.visibility import masked, queues_of, remember_queues
from alerts.why import why
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import money, when
from anomalyshield.together import Part, alone, first, side_by_side, together
from scoring import charts, opinions
from scoring.engine.decision import Policy
from scoring.models import Notice
from scoring.webhooks.events import DECISION_UPDATED, heard

UPSTREAM = {  # what it hears of an undo
    "now": _(", and upstream is told"),
    "later": _(" here; no endpoint is active, so upstream is told when one is resumed"),
    "": _(" here; no endpoint is registered, so upstream is not told"),
}
SUPPRESSED_DAYS = [("7", _("7 days")), ("30", _("30 days")), ("90", _("90 days, leads")),
                   ("180", _("180 days, leads"))]  # fmt: skip
NOTICES = 20
CHOICES = {
    "listing_days": DAYS,
    "typologies": Alert.Typology.choices,
    "moments": moments.CHOICES,
    "confidences": Verdict.Confidence.choices,
}


def find(request: HttpRequest, pk: int) -> Alert:
    """The alert, if it lies in a queue this person sees; else it does not exist for them."""
    remember_queues(request.user)
    seen = Alert.objects.visible_to(request.user).for_the_page().with_what_there_is()
    related = ("decision__model", "decision__policy", "transaction__source")
    related += ("lease__person", "profile")
    return get_object_or_404(seen.select_related(*related), pk=pk)


def seen(request: HttpRequest, pk: int) -> Alert:
    """As `find`, for what acts on it and shows another page."""
    remember_queues(request.user)
    theirs = Alert.objects.visible_to(request.user)
    return get_object_or_404(theirs.select_related("transaction", "decision"), pk=pk)


def opened(request: HttpRequest, found: Alert) -> HttpResponse:
    """The page, and that they have it before their eyes."""
    if not masked(request.user):
        record(by=request.user, action="data.read", object=found)
    snoozing.looked(by=request.user, alert=found)
    return page(request, found)


def on_to(request: HttpRequest, found: Alert, asked: dict[str, Any]) -> HttpResponse:
    """The address of this alert; for a script that shows it in place its page at once."""
    address = address_of(found, asked)
    if request.headers.get("X-In-Place") != "alert" or not request.user.may("alert.view"):
        return redirect(address)
    try:
        theirs = find(request, found.pk)
    except Http404:
        return redirect(address)
    if theirs.merged_into_id:
        return redirect(address)
    answer = opened(request, theirs)
    answer["Content-Location"] = address
    return answer


def asked_of(request: HttpRequest) -> dict[str, Any]:
    """The filters of the queue the person came from, carried along in the address."""
    if not request.GET:  # as most addresses are: nothing to read the person's queues for
        return {}
    queues = queues_of(request.user)
    return QueueFilter(request.GET, queues=queues, user=request.user).asked


def address_of(found: Alert, asked: dict[str, Any], page: str = "alert") -> str:
    filters = filters_of(asked)
    return reverse(page, args=[found.pk]) + (f"?{filters}" if filters else "")


def refused(request: HttpRequest, found: Alert, *sentences: str, status: int = 409) -> HttpResponse:
    """The same page with the reason on top and what was typed still in its fields."""
    fresh = find(request, found.pk)
    ticked = request.POST.getlist("list_on")
    answer = page(
        request, fresh, status=status, errors=sentences, typed=request.POST, ticked=ticked
    )
    answer["Content-Location"] = address_of(fresh, asked_of(request))
    return answer


def page(request: HttpRequest, found: Alert, status: int = 200, **more: Any) -> HttpResponse:
    user, asked = request.user, asked_of(request)
    beside, said, reasons = together(_beside(found, user), _said_of(found, user), _reasons(found))
    context = {
        "alert": found,
        "payment": found.transaction,
        **reasons,
        **second_of(request, found, asked),
        **beside,
        **said,
        **CHOICES,
        **_may(found, user),
        "named": named_in(found),
        "filters": filters_of(asked),
        "stands": reverse("alert", args=[found.pk]),  # also where it answers a form
        "lease": _lease(found),
        "last": undoing.undoable(request),
    }
    label, waiting = context["label"], context["corrections"]
    decisive = label is not None and label.is_decisive
    context["may_correct"] = context["may_answer"] and decisive and not waiting
    if context["may_work"]:
        context["mergeable"] = regrouping.mergeable(found, context["prior"])
        context["may_split"] = found.is_group and found.status in Alert.MOVABLE
        context["suppressible"] = sorted(suppressing.reasons_of(found.decision))
        context["suppressed_days"] = SUPPRESSED_DAYS
    context["upstream"] = UPSTREAM[heard(DECISION_UPDATED)] if context["may_undo"] else ""
    return render(request, "alerts/alert.html", context | more, status=status)


def _beside(found: Alert, user: Any) -> Part[dict[str, Any]]:
    """What else there is of its entity: its payments, other alerts, what looks like it."""
    kind = timed_by(found)
    hits, events, near, book, prior, likes = yield from side_by_side(
        hits_of(found, user),
        timeline(found, found.hits.values("transaction")),
        around(found, user, with_notes=not masked(user)),
        playbooks.in_force(found.suspected),
        prior_alerts(found, user),
        similar(found, user),
    )
    return {
        "hits": hits,
        "sentence": SENTENCES.get(found.suspected, ""),
        "timed_kind": kind.value,
        "timed_value": getattr(found.transaction, COLUMNS[kind][1]),
        "around": near,
        "book": book,
        "events": events,
        "amounts": charts.amounts([_point(event) for event in reversed(events)]),
        "prior": prior,
        "likes": likes,
    }


def _said_of(found: Alert, user: Any) -> Part[dict[str, Any]]:
    """What people said of it until now; asked for as far as there is any of it."""
    hidden, decided = masked(user), not found.is_open
    told = found.is_asleep or found.boost  # why it sleeps, or what it came back from just now
    in_cases = found.in_cases and user.may("case.view")
    labels, corrections, notices, notes, cases, states, snoozes, verdicts = yield (
        _if(found.labelled, found.transaction.labels.standing().select_related("labeller")[:1]),
        _if(found.corrected, Correction.objects.of(found)),
        _if(found.noticed, _notices(found)),
        _if(found.noted and not hidden, notes_of(found)),
        _if(in_cases, found.cases.visible_to(user)),
        _if(decided, found.decision.resolutions.order_by("-pk")[:1]),
        _if(told, Snooze.objects.of(found)[:1]),
        _if(decided, found.verdicts.filter(undone_at=None)[:1]),
    )
    return {
        "label": first(labels),
        "corrections": corrections,
        "notices": notices,
        "notes": notes,
        "cases": cases,
        "masked": hidden,
        "payment_state": first(states),
        "snooze": first(snoozes),
        "verdict": first(verdicts),
    }


def _notices(found: Alert) -> "QuerySet[Notice]":
    """Chargebacks and the like about its payments, and whose word each overturned."""
    rows = Notice.objects.filter(transaction__hit__alert=found).order_by("-known_at", "-pk")
    return rows.select_related("transaction", "label__supersedes__labeller")[:NOTICES]


def _if(there_is: bool, question: "QuerySet[Any]") -> "QuerySet[Any]":
    return question if there_is else question.none()


def _may(found: Alert, user: Any) -> dict[str, bool]:
    """What this person is offered; the verbs ask again."""
    return {
        "may_answer": user.may("label.change"),
        "may_note": user.may("alert.work"),
        "may_next": user.may("alert.work"),
        "may_work": user.may("alert.work") and found.is_open,
        "may_label": user.may("label.write") and found.is_open,
        "may_list": user.may("list.edit"),
        "may_undo": triage.may_undo(user, found),
    }


def reasons_of(found: Alert) -> dict[str, Any]:
    """What the middle column shows."""
    return alone(_reasons(found))


def _reasons(found: Alert) -> Part[dict[str, Any]]:
    policy, reasons = Policy.from_dict(found.decision.policy.values), why(found.decision)
    kind = timed_by(found)
    cuts = (policy.low_below, policy.high_above, policy.critical_above)
    stands = yield from usual(found, timed_entity(found, kind))
    return {
        "decision": found.decision,
        "policy": policy,
        "why": reasons,
        "bars": [(c, charts.bar(c.value, reasons.largest)) for c in reasons.drawn],
        "scale": charts.scale(found.risk_score, *cuts),
        "usual": stands,
        "rules": compared(found.decision),
        "timed_by": kind.label,
        "currency": settings.BASE_CURRENCY,
    }


def second_of(request: HttpRequest, found: Alert, asked: dict[str, Any]) -> dict[str, Any]:
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


def _point(event: Event) -> charts.Point:
    payment = event.payment
    label = f"{when(payment.event_time, 'short')}: {money(payment.amount, payment.currency)}"
    return charts.Point(payment.event_time, float(payment.amount), label, event.marked)


def sentences(form: Any) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]
