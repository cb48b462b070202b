"""Files kept with a case: added, read as they were, and checked."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from alerts.guards import Refused
from anomalyshield.accounts.permissions import allow
from cases import evidence
from cases.forms import EvidenceForm
from cases.models import Evidence
from cases.views import find, page, sentences


@allow("case.work", methods=("POST",))
def add_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a file with the case."""
    found = find(request, pk)
    form = EvidenceForm(request.POST, request.FILES)
    if not form.is_valid():
        return page(request, found, status=400, errors=sentences(form), typed=request.POST)
    file = form.cleaned_data["file"]
    try:
        kept = evidence.add(
            by=request.user,
            case=found,
            name=file.name,
            content=file.read(),
            note=form.cleaned_data["evidence_note"],
        )
    except Refused as refusal:
        return page(request, found, status=409, errors=[str(refusal)], typed=request.POST)
    said = _("{kept} is kept with {found}, SHA-256 {sha256}…").format(
        kept=kept, found=found, sha256=kept.sha256[:12]
    )
    messages.success(request, f"{said} {evidence.renaming(file.name, kept)}".strip())
    return redirect("case", pk=pk)


@allow("case.view", methods=("GET",))
def read_evidence(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The file as it was added: downloaded, never shown in the page, its hash checked."""
    found = find(request, pk)
    kept = get_object_or_404(found.evidence.select_related("case"), pk=number)
    try:
        return download_of(request.user, kept)
    except evidence.Damaged as damaged:
        return page(request, found, status=409, errors=[str(damaged)])


@allow("case.view", methods=("POST",))
def check_evidence(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Whether a file is still what was added."""
    found = find(request, pk)
    kept = get_object_or_404(found.evidence.select_related("case"), pk=number)
    try:
        evidence.check(by=request.user, evidence=kept)
    except evidence.Damaged as damaged:
        return page(request, found, status=409, errors=[str(damaged)])
    messages.success(
        request,
        _("{kept} is what was added: SHA-256 {sha256}… holds.").format(
            kept=kept, sha256=kept.sha256[:12]
        ),
    )
    return redirect(reverse("case", args=[pk]) + "#evidence")


def download_of(user: Any, kept: Evidence) -> HttpResponse:
    """Its bytes in an answer that no browser shows as a page or runs. Raises Damaged."""
    content = evidence.content_of(by=user, evidence=kept)
    answer = HttpResponse(content, content_type=kept.media_type)
    answer["Content-Disposition"] = content_disposition_header(True, kept.name)
    answer["X-Content-Type-Options"] = "nosniff"
    answer.policy = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return answer
