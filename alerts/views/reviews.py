"""Second looks at verdicts: the list, one of them blind or compared, and what is done with it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import blind, drawing, reviews
from alerts.entity import timed_by
from alerts.guards import leads
from alerts.models import Alert, Review, ReviewPolicy, Verdict
from alerts.review_forms import AnswerForm, SharesForm
from alerts.typologies import SENTENCES
from alerts.views.alert_page import reasons_of
from alerts.views.samples import named
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import money, when, within
from scoring import charts

PAGE = 50
WORDS = 2000
SHOWS = [
    ("", _lazy("To review")),
    ("discuss", _lazy("To discuss")),
    ("answered", _lazy("Answered")),
]
TEAM = ("team", _lazy("Everybody's"))


@allow("review.view", methods=("GET",))
def list_reviews(request: HttpRequest) -> HttpResponse:
    user, show = request.user, request.GET.get("show", "")
    shows = [*SHOWS, TEAM] if leads(user) else SHOWS
    show = show if show in dict(shows) else ""
    found = narrowed(Review.objects.visible_to(user), show, user)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    order = ("due_at", "pk") if show in {"", "team"} else ("-pk",)
    rows = list(found.for_the_page().order_by(*order)[: PAGE + 1])
    older = rows[PAGE - 1].pk if len(rows) > PAGE and order == ("-pk",) else ""
    context = {
        "rows": rows[:PAGE],
        "older": older,
        "more": len(rows) > PAGE and not older,
        "show": show,
        "shows": shows,
        "policy": drawing.policy(),
        "may_set": leads(user),
        "may_work": user.may("review.work"),
        "here": "reviews",
    }
    return render(request, "alerts/reviews.html", context)


def narrowed(found: Any, show: str, user: Any) -> Any:
    """Those of one tab."""
    if show == "discuss":
        return found.filter(outcome=Review.Outcome.DISCUSS, verdict__undone_at=None)
    if show == "answered":
        return found.answered()
    if show == "team":
        return found.open()
    return found.waiting_for(user)


@allow("review.work", methods=("POST",))
def following(request: HttpRequest) -> HttpResponse:
    """The next one that is due, if one waits for this person."""
    behind = named(request, Review.objects.visible_to(request.user))
    found = reviews.take_next(by=request.user, behind=behind)
    if found is None:
        messages.success(request, _("Nothing waits for your second look."))
    return redirect("review", found.pk) if found else redirect("reviews")


@allow("review.work", methods=("GET",))
def review(request: HttpRequest, pk: int) -> HttpResponse:
    return page(request, find(request, pk))


@allow("review.work", methods=("POST",))
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """One that waits for anybody."""
    found = find(request, pk)
    try:
        reviews.take(by=request.user, review=found)
    except reviews.Refused as refusal:
        return page(request, find(request, pk), 409, errors=[str(refusal)])
    return redirect("review", pk)


@allow("review.work", methods=("POST",))
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = find(request, pk), AnswerForm(request.POST)
    if not form.is_valid():
        said = [str(error) for errors in form.errors.values() for error in errors]
        return page(request, found, 400, errors=said, typed=request.POST)
    try:
        answered = reviews.answer(by=request.user, review=found, **form.cleaned_data)
    except reviews.Refused as refusal:
        return page(request, find(request, pk), 409, errors=[str(refusal)], typed=request.POST)
    if not answered.agreed:
        return redirect("review", pk)
    said = within(answered.get_said_display())
    return _on(
        request,
        _("{answered}: you both said {said}, or as much.").format(answered=answered, said=said),
    )


@allow("review.work", methods=("POST",))
def dispute(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose that the labels say what the reviewer said."""
    return _settled(request, pk, reviews.dispute, reason=_words(request))


@allow("review.work", methods=("POST",))
def stand(request: HttpRequest, pk: int) -> HttpResponse:
    """The first verdict stands after all."""
    return _settled(request, pk, reviews.let_stand, words=_words(request))


@allow("review.work", methods=("POST",))
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """A second person answers what was proposed."""
    approve = "approve" in request.POST
    return _settled(request, pk, reviews.settle, approve=approve, words=_words(request))


@allow("alert.lead", methods=("POST",))
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    to = drawing.eligible(found.alert.queue, but=found.decided_by)
    chosen = to.filter(username=request.POST.get("to", "")).first()
    if chosen is None:
        messages.error(request, "Choose somebody else who works this queue.")
        return redirect("/reviews/?show=team")
    try:
        reviews.hand_over(by=request.user, review=found, to=chosen)
    except reviews.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("{found} waits for {chosen} now.").format(found=found, chosen=chosen)
        )
    return redirect("/reviews/?show=team")


@allow("alert.lead")
def shares(request: HttpRequest) -> HttpResponse:
    """Which verdicts are looked at again; for leads."""
    form = SharesForm(request.POST or None, instance=_in_force())
    status, error = 200, ""
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                said = dict(form.cleaned_data)
                reviews.set_shares(by=request.user, reason=said.pop("reason"), shares=said)
            except reviews.Refused as refusal:
                status, error = 409, str(refusal)
            else:
                messages.success(request, _("From now on these shares are drawn."))
                return redirect("reviews")
    context = {
        "form": form,
        "error": error,
        "policy": drawing.policy(),
        "past": ReviewPolicy.objects.select_related("made_by").order_by("-pk")[:10],
        "may_set": leads(request.user),
        "here": "reviews",
    }
    return render(request, "alerts/review_shares.html", context, status=status)


def find(request: HttpRequest, pk: int) -> Review:
    """The review, if it is theirs to see; else it does not exist for them."""
    seen = Review.objects.visible_to(request.user).for_the_page()
    related = ("alert__decision__explanation", "alert__decision__model", "verdict__note")
    return get_object_or_404(
        seen.select_related(*related, "alert__decision__policy", "alert__transaction__source"),
        pk=pk,
    )


def page(request: HttpRequest, found: Review, status: int = 200, **more: Any) -> HttpResponse:
    if found.is_open and not found.is_before(request.user):
        return render(request, "alerts/review_waits.html", _waits(request, found), status=status)
    told = _blind(request, found) if found.is_open else _compared(request, found)
    name = "alerts/review.html" if found.is_open else "alerts/review_compared.html"
    return render(request, name, told | {"review": found, "here": "reviews"} | more, status=status)


def _blind(request: HttpRequest, found: Review) -> dict[str, Any]:
    seen = blind.sight(found, request.user)
    alert = seen.alert
    record(by=request.user, action="data.read", object=alert)
    return {
        "sight": seen,
        "alert": alert,
        "payment": alert.transaction,
        "sentence": _(SENTENCES[alert.suspected]) if alert.suspected in SENTENCES else "",
        "timed_by": timed_by(alert).label,
        "amounts": charts.amounts(
            [
                charts.Point(
                    one.payment.event_time,
                    float(one.payment.amount),
                    f"{when(one.payment.event_time, 'short')}: {money(one.payment.amount)}",
                    one.marked,
                )
                for one in reversed(seen.events)
            ]
        ),
        **reasons_of(alert),
        "typologies": Alert.Typology.choices,
        "confidences": Verdict.Confidence.choices,
    }


def _compared(request: HttpRequest, found: Review) -> dict[str, Any]:
    user, corrections = request.user, reviews.corrections_of(found)
    waiting = [one for one in corrections if one.is_open]
    own = bool(waiting) and waiting[0].proposed_by_id == user.pk
    involved = user.pk in {found.reviewer_id, found.decided_by_id} or leads(user)
    discussed = found.outcome == Review.Outcome.DISCUSS and found.verdict.undone_at is None
    return {
        "verdict": found.verdict,
        "alert": found.alert,
        "corrections": corrections,
        "waiting": waiting,
        "may_settle": bool(waiting) and involved and user.may("label.change"),
        "own": own,
        "may_approve": bool(waiting) and not (own and waiting[0].four_eyes),
        "may_discuss": discussed and involved and not waiting,
        "typed": request.POST.get("words", ""),
    }


def _waits(request: HttpRequest, found: Review) -> dict[str, Any]:
    """Somebody else's, or nobody's yet: nothing of the alert is shown."""
    another = found.holder if found.is_held_from(request.user) else None
    context: dict[str, Any] = {"review": found, "another": another, "here": "reviews"}
    context["may_take"] = found.reviewer is None and another is None
    if leads(request.user):
        context["colleagues"] = drawing.eligible(found.alert.queue, but=found.decided_by)
    return context


def _settled(request: HttpRequest, pk: int, verb: Any, **said: Any) -> HttpResponse:
    found = find(request, pk)
    try:
        verb(by=request.user, review=found, **said)
    except reviews.Refused as refusal:
        return page(request, find(request, pk), 409, errors=[str(refusal)])
    return redirect("review", pk)


def _on(request: HttpRequest, said: str) -> HttpResponse:
    """To the next one that waits for them, most urgent first."""
    due = reviews.take_next(by=request.user)
    if due is None:
        messages.success(request, _("{said} Nothing else waits for you here.").format(said=said))
        return redirect("reviews")
    messages.success(request, _("{said} Next: {due}.").format(said=said, due=due))
    return redirect("review", due.pk)


def _in_force() -> ReviewPolicy:
    """A copy to start the form from: rows are never edited."""
    found = drawing.policy() or ReviewPolicy()
    found.pk, found.reason = None, ""
    return found


def _words(request: HttpRequest) -> str:
    return request.POST.get("words", "").replace("\x00", "")[:WORDS]
