"""Playbooks: read by everybody, written by leads."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from alerts import playbooks as verbs
from alerts.guards import Refused, leads
from alerts.models import Alert, Playbook
from anomalyshield.accounts.permissions import allow


@allow("alert.view", methods=("GET",))
def playbooks(request: HttpRequest) -> HttpResponse:
    """One per kind of fraud, each in force."""
    return render(request, "alerts/playbooks.html", {"books": verbs.all_standing()})


@allow("alert.view", methods=("GET",))
def playbook(request: HttpRequest, typology: str) -> HttpResponse:
    return _page(request, _known(typology))


@allow("alert.lead", methods=("POST",))
def write(request: HttpRequest, typology: str) -> HttpResponse:
    """A new version, in force at once."""
    _known(typology)
    said = {name: request.POST.get(name, "")[:10_000] for name in ("text", "steps", "reason")}
    seen = request.POST.get("seen", "")
    try:
        made = verbs.write(
            by=request.user,
            typology=typology,
            text=said["text"],
            steps=said["steps"].splitlines(),
            reason=said["reason"],
            seen=int(seen) if seen.isdecimal() and len(seen) < 9 else -1,
        )
    except Refused as refusal:
        return _page(request, typology, errors=[str(refusal)], typed=said, status=409)
    messages.success(request, _("Version {version} is in force.").format(version=made.version))
    return redirect("playbook", typology)


def _known(typology: str) -> str:
    if typology not in Alert.Typology.values:
        raise Http404
    return typology


def _page(request: HttpRequest, typology: str, *, status: int = 200, **more: Any) -> HttpResponse:
    versions = list(Playbook.objects.filter(typology=typology).select_related("by"))
    context = {
        "book": versions[0] if versions else verbs.default(typology),
        "versions": versions,
        "may_write": request.user.may("alert.lead") and leads(request.user),
        "most": verbs.MOST_STEPS,
    }
    return render(request, "alerts/playbook.html", context | more, status=status)
