"""The model pages: versions, their measurements, training runs, and the two persons."""

from math import isfinite, nan
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from anomalyshield.accounts.permissions import allow
from scoring import card as cards
from scoring import (
    comparison,
    evaluated,
    figures,
    judgement,
    novelty,
    operating,
    policies,
    promotions,
    registry,
    training,
    updating,
    watching,
)
from scoring.below import below
from scoring.cost_effect import bills_of
from scoring.doubts import doubts
from scoring.model_forms import ReasonForm, TrainForm
from scoring.models import ModelVersion, PromotionRequest, TrainingRun

RUNS_SHOWN = 8


@allow("model.view", methods=("GET", "HEAD"))
def models(request: HttpRequest) -> HttpResponse:
    """Every version, the latest first, and the runs that made them."""
    return _list(request)


@allow("model.train", methods=("POST",))
def train(request: HttpRequest) -> HttpResponse:
    form = TrainForm(request.POST)
    if not form.is_valid():
        return _list(request, train_form=form, status=400)
    run = training.ask(by=request.user, **form.asked())
    return redirect("run", run.pk)


@allow("model.train", methods=("POST",))
def update(request: HttpRequest) -> HttpResponse:
    """Have the champion go on learning from the latest labels."""
    try:
        asked = updating.ask(by=request.user)
    except updating.Refused as refusal:
        messages.error(request, str(refusal))
        return _list(request, status=409)
    return redirect("run", asked.pk)


@allow("model.view", methods=("GET", "HEAD"))
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One training. While it is under way the page asks again every two seconds."""
    found = get_object_or_404(TrainingRun.objects.select_related("asked_by", "result"), pk=pk)
    template = "scoring/_run.html" if request.htmx else "scoring/run.html"
    return render(
        request,
        template,
        {"run": found, "under_way": found.under_way, "may": _rights(request.user)},
    )


@allow("model.train", methods=("POST",))
def cancel_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a training nobody wants any more."""
    if not training.cancel(by=request.user, run=get_object_or_404(TrainingRun, pk=pk)):
        messages.warning(request, _("It had ended already."))
    return redirect("run", pk)


@allow("model.view", methods=("GET", "HEAD"))
def model(request: HttpRequest, pk: int) -> HttpResponse:
    """One version: its measurements beside the champion's, and who may promote it."""
    return _page(request, pk)


@allow("model.view", methods=("GET", "HEAD"))
def card(request: HttpRequest, pk: int) -> HttpResponse:
    """The model card as a file, to be kept with an approval."""
    return card_file(_version(pk))


def card_file(version: ModelVersion) -> HttpResponse:
    answer = HttpResponse(cards.markdown(version), content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="model-{version}.md"'
    return answer


@allow("model.promote", methods=("POST",))
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    version, form = _version(pk), ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form=form, status=400)
    try:
        promotions.ask(
            by=request.user,
            version=version,
            reason=form.cleaned_data["reason"],
            despite="despite" in request.POST,
        )
    except promotions.Refused as refusal:
        return _refused(request, pk, refusal)
    comparison.renew(version)
    messages.success(
        request, _("Asked. A second model owner has to approve {version}.").format(version=version)
    )
    return redirect("model", pk)


@allow("model.promote", methods=("POST",))
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    answer = request.POST.get("reason", "").strip()[:2000]
    try:
        version = promotions.approve(by=request.user, request=_latest(pk), answer=answer)
    except promotions.Refused as refusal:
        return _refused(request, pk, refusal)
    messages.success(
        request,
        _("{version} is the champion. Every process scores with it within seconds.").format(
            version=version
        ),
    )
    return redirect("model", pk)


@allow("model.promote", methods=("POST",))
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    asked, form = _latest(pk), ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form=form, status=400)
    try:
        promotions.refuse(by=request.user, request=asked, answer=form.cleaned_data["reason"])
    except promotions.Refused as refusal:
        return _refused(request, pk, refusal)
    messages.success(request, _("The request is answered: no promotion."))
    return redirect("model", pk)


@allow("model.train", methods=("POST",))
def shadow(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a candidate score along without deciding, or end that."""
    version = _version(pk)
    try:
        promotions.set_shadow(by=request.user, version=version, on="on" in request.POST)
    except promotions.Refused as refusal:
        return _refused(request, pk, refusal)
    return redirect("model", pk)


@allow("model.rollback", methods=("POST",))
def roll_back(request: HttpRequest) -> HttpResponse:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _list(request, reason_form=form, status=400)
    try:
        former = promotions.roll_back(by=request.user, reason=form.cleaned_data["reason"])
    except promotions.Refused as refusal:
        messages.error(request, str(refusal))
        return _list(request, status=409)
    messages.success(request, _("{former} decides again.").format(former=former))
    return redirect("models")


def _list(request: HttpRequest, *, status: int = 200, **forms_given: forms.Form) -> HttpResponse:
    shown = {
        "budget_percent": round(100 * training.default_budget(), 4),
        "novelty_percent": round(100 * training.default_novelty(), 4),
    }
    context = {
        "versions": ModelVersion.objects.select_related("trained_by", "update_of"),
        "waiting": _waiting(),
        "runs": TrainingRun.objects.select_related("asked_by", "result")[:RUNS_SHOWN],
        "former": registry.former_champions().first(),
        "updatable": updating.updatable(),
        "train_form": TrainForm(initial=shown),
        "reason_form": ReasonForm(),
        "may": _rights(request.user),
    } | forms_given
    return render(request, "scoring/models.html", context, status=status)


def _page(
    request: HttpRequest, pk: int, *, form: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    version = _version(pk)
    requests = list(version.requests.select_related("asked_by", "answered_by"))
    open_ = PromotionRequest.State.OPEN
    waiting = next((one for one in requests if one.state == open_), None)
    bills = bills_of(version.metrics)
    cut = float(policies.active().values["high_above"])
    context = {
        "version": version,
        "metrics": version.metrics,
        "rows": figures.table(version.metrics),
        "evaluated": evaluated.told(version.metrics),
        "doubts": doubts(version.metrics),
        **_drawn(version.metrics, request.GET.get("cut", ""), bills, cut),
        "important": figures.important(version.metrics),
        "families": figures.important_families(version.metrics),
        "moved_rows": (version.metrics.get("importance") or {}).get("rows"),
        "card": cards.card(version, bills),
        "requests": requests,
        "watched": _watched(version, cut),
        "lane": novelty.followed(version),
        "below": below(version),
        "online": judgement.told(version),
        "waiting": waiting,
        "own": waiting is not None and waiting.asked_by == request.user,
        "four_eyes": settings.FOUR_EYES,
        "promotable": version.state in promotions.PROMOTABLE and waiting is None,
        "reason_form": form or ReasonForm(),
        "may": _rights(request.user),
        "may_sample": request.user.may("review.view"),
    }
    return render(request, "scoring/model.html", context, status=status)


def _watched(version: ModelVersion, cut: float) -> watching.Watched | None:
    """Of a shadow, and of what was one: whoever approves it wants to know what it said."""
    found = watching.watched(version, cut=cut)
    return found if found.rows or version.state == ModelVersion.State.SHADOW else None


def _drawn(metrics: dict[str, Any], asked: str, bills: figures.Bills, cut: float) -> dict[str, Any]:
    """The charts, and every threshold in words for the slider, one of them chosen."""
    found = operating.points(metrics)
    chosen = operating.nearest(found, _number(asked, cut))
    bill, best = dict(bills), operating.cheapest(list(bills))
    return {
        "policy_cut": cut,
        "charts": figures.charts(metrics, chosen, bills),
        "chosen": figures.said(chosen, bill[chosen]) if chosen else None,
        "cheapest": figures.said(*best) if best else None,
        "currency": settings.BASE_CURRENCY,
        "thresholds": [
            {"said": figures.said(at, sums), "places": figures.places(at, sums)}
            for at, sums in bills
        ],
    }


def _number(asked: str, otherwise: float) -> float:
    """What was asked for; the other for anything that is no number."""
    try:
        number = float(asked)
    except ValueError:
        number = nan
    return number if isfinite(number) else otherwise


def _refused(request: HttpRequest, pk: int, refusal: promotions.Refused) -> HttpResponse:
    """The page again, as it stands now, with the sentence on top."""
    messages.error(request, str(refusal))
    return _page(request, pk, status=409)


def _version(pk: int) -> ModelVersion:
    named = ModelVersion.objects.select_related("trained_by", "pipeline", "update_of")
    return get_object_or_404(named, pk=pk)


def _latest(pk: int) -> PromotionRequest:
    """The latest request for it; one answered meanwhile is the verb's to refuse in words."""
    found = PromotionRequest.objects.filter(model=pk).first()
    if found is None:
        raise Http404
    return found


def _waiting() -> QuerySet[PromotionRequest]:
    waiting = PromotionRequest.objects.filter(state=PromotionRequest.State.OPEN)
    return waiting.select_related("model", "asked_by")


def _rights(user: Any) -> dict[str, bool]:
    return {
        "train": user.may("model.train"),
        "promote": user.may("model.promote"),
        "roll_back": user.may("model.rollback"),
    }
