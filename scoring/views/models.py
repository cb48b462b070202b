"""The model pages: versions, their measurements, training runs, and the two persons."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from anomalyshield.accounts.permissions import allow
from scoring import figures, registry, training
from scoring.labels import MATURITY
from scoring.models import ModelVersion, PromotionRequest, TrainingRun

RUNS_SHOWN = 8
UNDER_WAY = {TrainingRun.State.READY, TrainingRun.State.RUNNING, TrainingRun.State.WAITING}


class ReasonForm(forms.Form):
    """Why. It goes into the audit trail, so it may not be empty."""

    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write a reason: it is kept in the audit trail."},
    )


class TrainForm(forms.Form):
    """How a training treats what nobody has said, and how much people can review."""

    maturity_days = forms.IntegerField(
        min_value=0,
        max_value=365,
        initial=MATURITY.days,
        label="Silence counts as legitimate after (days)",
    )
    budget_percent = forms.FloatField(
        min_value=0.01, max_value=50, label="Alert budget (% of transactions)"
    )


@allow("model.view")
def models(request: HttpRequest) -> HttpResponse:
    """Every version, the latest first, and the runs that made them."""
    shown = {"budget_percent": round(100 * training.default_budget(), 4)}
    context = {
        "versions": ModelVersion.objects.select_related("trained_by"),
        "waiting": _open_requests(),
        "runs": TrainingRun.objects.select_related("asked_by", "result")[:RUNS_SHOWN],
        "train_form": TrainForm(initial=shown),
        "reason_form": ReasonForm(auto_id="rollback_%s"),
        "may": _rights(request.user),
    }
    return render(request, "scoring/models.html", context)


@allow("model.train", methods=("POST",))
def train(request: HttpRequest) -> HttpResponse:
    form = TrainForm(request.POST)
    if not form.is_valid():
        return _answered(request, form, "models")
    run = training.ask(
        by=request.user,
        maturity_days=form.cleaned_data["maturity_days"],
        budget=form.cleaned_data["budget_percent"] / 100,
    )
    return redirect("run", run.pk)


@allow("model.view")
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One training. While it is under way the page asks again every two seconds."""
    found = get_object_or_404(TrainingRun.objects.select_related("asked_by", "result"), pk=pk)
    template = "scoring/_run.html" if request.htmx else "scoring/run.html"
    return render(request, template, {"run": found, "under_way": found.state in UNDER_WAY})


@allow("model.view")
def model(request: HttpRequest, number: int) -> HttpResponse:
    """One version: its measurements beside the champion's, and who may promote it."""
    version = _version(number)
    requests = list(version.requests.select_related("asked_by", "answered_by"))
    waiting = next((one for one in requests if one.state == PromotionRequest.State.OPEN), None)
    context = {
        "version": version,
        "metrics": version.metrics,
        "rows": figures.table(version.metrics),
        "charts": figures.charts(version.metrics),
        "requests": requests,
        "waiting": waiting,
        "own": waiting is not None and waiting.asked_by == request.user,
        "promotable": version.state in registry.PROMOTABLE and waiting is None,
        "reason_form": ReasonForm(),
        "may": _rights(request.user),
    }
    return render(request, "scoring/model.html", context)


@allow("model.promote", methods=("POST",))
def ask(request: HttpRequest, number: int) -> HttpResponse:
    version, form = _version(number), ReasonForm(request.POST)
    return _answered(
        request,
        form,
        "model",
        number,
        act=lambda reason: registry.ask_promotion(by=request.user, version=version, reason=reason),
        done=f"Asked. A second model owner has to approve {version}.",
    )


@allow("model.promote", methods=("POST",))
def approve(request: HttpRequest, number: int) -> HttpResponse:
    waiting, form = _waiting(number), ReasonForm(request.POST)
    return _answered(
        request,
        form,
        "model",
        number,
        act=lambda reason: registry.approve(by=request.user, request=waiting, answer=reason),
        done=f"v{number} is the champion. Every process scores with it within seconds.",
    )


@allow("model.promote", methods=("POST",))
def refuse(request: HttpRequest, number: int) -> HttpResponse:
    waiting, form = _waiting(number), ReasonForm(request.POST)
    return _answered(
        request,
        form,
        "model",
        number,
        act=lambda reason: registry.refuse(by=request.user, request=waiting, answer=reason),
        done="The request is answered: no promotion.",
    )


@allow("model.rollback", methods=("POST",))
def roll_back(request: HttpRequest) -> HttpResponse:
    return _answered(
        request,
        ReasonForm(request.POST),
        "models",
        act=lambda reason: registry.roll_back(by=request.user, reason=reason),
        done="The earlier champion decides again.",
    )


def _version(number: int) -> ModelVersion:
    return get_object_or_404(ModelVersion.objects.select_related("trained_by"), number=number)


def _waiting(number: int) -> PromotionRequest:
    """The latest request; one that was answered meanwhile is the verb's to refuse in words."""
    found = PromotionRequest.objects.filter(model__number=number).first()
    return found or get_object_or_404(PromotionRequest, model__number=number)


def _open_requests() -> Any:
    waiting = PromotionRequest.objects.filter(state=PromotionRequest.State.OPEN)
    return waiting.select_related("model", "asked_by")


def _rights(user: Any) -> dict[str, bool]:
    return {
        "train": user.may("model.train"),
        "promote": user.may("model.promote"),
        "roll_back": user.may("model.rollback"),
    }


def _answered(
    request: HttpRequest,
    form: forms.Form,
    *back: Any,
    act: Any = None,
    done: str = "",
) -> HttpResponse:
    """Act if the form is whole, and say on the page what came of it, in words."""
    if not form.is_valid():
        for field, errors in form.errors.items():
            messages.error(
                request, f"{form.fields[field].label or field.capitalize()}: {errors[0]}"
            )
        return redirect(*back)
    try:
        act(form.cleaned_data["reason"])
        messages.success(request, done)
    except registry.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(*back)
