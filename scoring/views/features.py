"""The feature page: what each number means, who answers for it, how often it is unknown."""

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.accounts.models import User
from anomalyshield.accounts.permissions import allow
from scoring import feature_facts, feature_pipelines, importance, stability
from scoring.engine.families import FAMILIES
from scoring.engine.features import FEATURES
from scoring.models import Ablation, FeatureDay


class OwnerForm(forms.Form):
    """One of the people who may draft pipelines."""

    owner = forms.ModelChoiceField(
        User.objects.none(),
        empty_label=_lazy("Choose …"),
        error_messages={"required": _lazy("Choose who answers for it.")},
        label=_lazy("Owner"),
    )

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, auto_id=False, **more)  # it stands on the page once per family
        self.fields["owner"].queryset = possible_owners()


def possible_owners() -> "QuerySet[User]":
    """Whoever may draft pipelines."""
    people = User.objects.filter(is_active=True, groups__name__in=("engineer", "owner"))
    return people.distinct().order_by("username")


@allow("feature.view", methods=("GET", "HEAD"))
def features(request: HttpRequest) -> HttpResponse:
    return _page(request)


@allow("pipeline.edit", methods=("POST",))
def own(request: HttpRequest, family: str) -> HttpResponse:
    """Hand a family over to somebody."""
    if family not in FAMILIES:
        raise Http404
    form = OwnerForm(request.POST)
    if not form.is_valid():
        return _page(request, status=400, refused=family, form=form)
    person = form.cleaned_data["owner"]
    feature_facts.hand_over(by=request.user, family=family, to=person)
    messages.success(
        request,
        _("{person} answers for “{title}”.").format(person=person, title=FAMILIES[family].title),
    )
    return redirect("features")


def _page(
    request: HttpRequest, *, status: int = 200, refused: str = "", form: OwnerForm | None = None
) -> HttpResponse:
    form, may_edit = form or OwnerForm(), request.user.may("pipeline.edit")
    versions, drift = importance.in_use(), stability.of_champion()
    families = feature_facts.families(versions, drift)
    known = [one for family in families for one in family.features]
    context = {
        "families": families,
        "drift": drift,
        "moved": [one for one in known if one.moved.startswith("moved")],
        "versions": versions,
        "columns": 6 + len(versions),
        "count": len(FEATURES),
        "day": FeatureDay.objects.first(),
        "ablation": Ablation.objects.first(),
        "pipeline": feature_pipelines.active(),
        "may_edit": may_edit,
        "owner_choice": str(form["owner"]) if may_edit else "",  # asked of the database once
        "owner_errors": form.errors.get("owner", ""),
        "refused": refused,
    }
    return render(request, "scoring/features.html", context, status=status)
