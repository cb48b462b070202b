"""The pipeline pages: versions, a new one tried on a sample, and which one trainings use."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.accounts.permissions import allow
from scoring import feature_pipelines, plan_preview, plans, proposing
from scoring.engine.families import FAMILIES
from scoring.models import FeaturePipeline, ModelVersion

SHOWN = 50


class PipelineForm(forms.Form):
    """The document and why it is written."""

    text = forms.CharField(
        max_length=plans.MOST,
        label="YAML",
        strip=False,
        widget=forms.Textarea({"rows": 16, "class": "mono", "spellcheck": "false"}),
        error_messages={"required": _lazy("Write the pipeline first.")},
    )
    reason = forms.CharField(
        max_length=500,
        required=False,
        label=_lazy("Reason"),
        help_text=_lazy("Needed to keep it: it stays with the version"),
    )


class ReasonForm(forms.Form):
    """Why the next trainings should use it."""

    reason = forms.CharField(
        max_length=500,
        error_messages={"required": _lazy("Write a reason: it is kept in the audit trail.")},
        label=_lazy("Reason"),
    )


@allow("feature.view", methods=("GET", "HEAD"))
def pipelines(request: HttpRequest) -> HttpResponse:
    text = feature_pipelines.active().text
    if request.GET.get("from", "").isdigit():
        text = get_object_or_404(FeaturePipeline, number=int(request.GET["from"][:9])).text
    if "propose" in request.GET and request.user.may("pipeline.edit"):
        return _proposed(request)
    return _list(request, PipelineForm(initial={"text": text}))


def _proposed(request: HttpRequest) -> HttpResponse:
    """The form with a document made of what the latest decisions look like; nothing is kept."""
    try:
        proposal = proposing.propose()
    except proposing.TooFew as few:
        messages.warning(request, str(few))
        return redirect("pipelines")
    groups = [(proposing.step_in_words(one.step), one) for one in proposal.advice]
    form = PipelineForm(initial={"text": proposal.text})
    return _list(request, form, proposal=proposal, groups=groups)


@allow("pipeline.edit", methods=("POST",))
def make(request: HttpRequest) -> HttpResponse:
    """Try a document on the latest vectors, or keep it as the next version."""
    form = PipelineForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=400)
    try:
        plan = plans.read(form.cleaned_data["text"])
    except plans.Unreadable as unreadable:
        return _list(request, form, problems=unreadable.problems, status=400)
    if request.POST.get("do") != "save":
        return _list(request, form, preview=plan_preview.preview(plan))
    if not form.cleaned_data["reason"]:
        form.add_error("reason", _("Write a reason: it stays with the version."))
        return _list(request, form, status=400)
    try:
        made = feature_pipelines.save(by=request.user, **form.cleaned_data)
    except feature_pipelines.Refused as refusal:
        form.add_error("text", str(refusal))
        return _list(request, form, status=409)
    messages.success(
        request,
        _("{made} is kept. No training uses it until a model owner says so.").format(made=made),
    )
    return redirect("pipeline", made.pk)


@allow("feature.view", methods=("GET", "HEAD"))
def pipeline(request: HttpRequest, pk: int) -> HttpResponse:
    return _one(request, pk)


@allow("pipeline.activate", methods=("POST",))
def activate(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = get_object_or_404(FeaturePipeline, pk=pk), ReasonForm(request.POST)
    if not form.is_valid():
        return _one(request, pk, form=form, status=400)
    try:
        feature_pipelines.activate(by=request.user, pipeline=found, **form.cleaned_data)
    except feature_pipelines.Refused as refusal:
        messages.error(request, str(refusal))
        return _one(request, pk, status=409)
    messages.success(
        request,
        _("The next trainings use {found}. Models in service keep theirs.").format(found=found),
    )
    return redirect("pipeline", pk)


def _list(
    request: HttpRequest, form: PipelineForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    feature_pipelines.active()  # the first version is there before the first visit
    context = {
        "pipelines": FeaturePipeline.objects.select_related("made_by")[:SHOWN],
        "form": form,
        "families": list(FAMILIES),
        "may_edit": request.user.may("pipeline.edit"),
        **more,
    }
    return render(request, "scoring/pipelines.html", context, status=status)


def _one(
    request: HttpRequest, pk: int, *, form: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    found = get_object_or_404(FeaturePipeline.objects.select_related("made_by"), pk=pk)
    try:
        preview, problems = plan_preview.preview(feature_pipelines.plan_of(found)), []
    except plans.Unreadable as unreadable:
        preview, problems = None, unreadable.problems
    context = {
        "pipeline": found,
        "preview": preview,
        "problems": problems,
        "versions": ModelVersion.objects.filter(pipeline=found)[:SHOWN],
        "form": form or ReasonForm(),
        "may_edit": request.user.may("pipeline.edit"),
        "may_activate": request.user.may("pipeline.activate") and not found.active,
    }
    return render(request, "scoring/pipeline.html", context, status=status)
