"""Reports of a case: written, checked, agreed to, taken away as files."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import denied, record
from cases import reporting, sections
from cases.facts import facts_of
from cases.forms import DeterminationForm
from cases.models import Report
from cases.narrative import sentences as drafted
from cases.report_export import KINDS, exported
from cases.report_forms import ContentForm, DeclineForm, StepForm
from cases.report_steps import STEPS, TITLES
from cases.states import Refused
from cases.views import find, sentences
from cases.views import page as case_page

MOST_PARTS = 1000


@allow("case.work", methods=("POST",))
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Something may have to be reported."""
    found, form = find(request, pk), DeterminationForm(request.POST)
    if not form.is_valid():
        return case_page(request, found, 400, errors=sentences(form), typed=request.POST)
    try:
        made = reporting.begin(by=request.user, case=found, **form.cleaned_data)
    except Refused as refusal:
        return case_page(request, found, 409, errors=[str(refusal)], typed=request.POST)
    return redirect("case-report", pk=pk, number=made.number)


@allow("case.work")
def report(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """What it says; sent, it keeps another version."""
    found = one(request, pk, number)
    if request.method != "POST":
        record(by=request.user, action="data.read", object=found.case)
        return page(request, found)
    form = ContentForm(request.POST)
    if not form.is_valid():
        return page(request, found, 400, form=form, errors=_named(form))
    try:
        kept = reporting.save(by=request.user, report=found, content=form.content)
    except Refused as refusal:
        return page(request, found, 409, form=form, errors=[str(refusal)])
    messages.success(request, _("Version {number} is kept.").format(number=kept.number))
    answer = redirect("case-report", pk=pk, number=number)
    if "check" in request.POST:
        answer["Location"] += "?check=1"
    return answer


@allow("case.work", methods=("POST",))
def draft(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Fill what the rows say."""
    found = one(request, pk, number)
    try:
        kept = reporting.draft(by=request.user, report=found)
    except Refused as refusal:
        return page(request, found, 409, errors=[str(refusal)])
    messages.success(
        request,
        _("Version {number} is drafted from the rows of the case.").format(number=kept.number),
    )
    return redirect("case-report", pk=pk, number=number)


@allow("case.work", methods=("POST",))
def decline(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Propose not to file."""
    found, form = one(request, pk, number), DeclineForm(request.POST)
    if not form.is_valid():
        return page(request, found, 400, errors=sentences(form), typed=request.POST)
    try:
        reporting.decline(by=request.user, report=found, **form.cleaned_data)
    except Refused as refusal:
        return page(request, found, 409, errors=[str(refusal)], typed=request.POST)
    return redirect("case-report", pk=pk, number=number)


@allow("case.work", methods=("POST",))
def step(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The next step of it; a refused agreement is on the trail."""
    found, form = one(request, pk, number), StepForm(request.POST)
    if not form.is_valid():
        return page(request, found, 400, errors=sentences(form), typed=request.POST)
    name = form.cleaned_data["step"]
    try:
        reporting.step(by=request.user, report=found, **form.cleaned_data)
    except Refused as refusal:
        if STEPS[name].second:
            action = f"report.{name}"
            denied(by=request.user, action=action, object=found.case, reason=str(refusal))
        return page(request, found, 409, errors=[str(refusal)], typed=request.POST)
    told = _("Report {number} {words}.").format(number=found.number, words=_(STEPS[name].words))
    messages.success(request, told)
    return redirect("case-report", pk=pk, number=number)


@allow("case.work", methods=("GET",))
def export(request: HttpRequest, pk: int, number: int, kind: str) -> HttpResponse:
    """As a file."""
    found = one(request, pk, number)
    if kind not in KINDS:
        raise Http404
    try:
        parts = {name: _part(request.GET.get(name, "1")) for name in ("part", "of")}
        name, content = exported(by=request.user, report=found, kind=kind, **parts)
    except Refused as refusal:
        return page(request, found, 409, errors=[str(refusal)])
    return as_file(name, content, kind)


def as_file(name: str, content: bytes, kind: str) -> HttpResponse:
    """Always a download, never a page."""
    answer = HttpResponse(content, content_type=KINDS[kind])
    answer["Content-Disposition"] = content_disposition_header(True, name)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    return answer


def one(request: HttpRequest, pk: int, number: int) -> Report:
    """The report, if its case is there for this person."""
    people = ("submitted_by", "approved_by", "made_by", "continues", "case__owner")
    reports = find(request, pk).reports.select_related(*people)
    return get_object_or_404(reports, number=number)


def page(request: HttpRequest, found: Report, status: int = 200, **more: Any) -> HttpResponse:
    if status != 200:  # refused: as it is, not as it was to be
        found = one(request, found.case_id, found.number)
    versions = list(found.versions.select_related("by"))
    wanted = request.GET.get("version", "")
    newest = next(iter(versions), None)
    shown = next((one for one in versions if str(one.number) == wanted), newest)
    content = shown.content if shown else sections.empty()
    written = found.is_written and (not versions or shown is versions[0])
    today = timezone.now().date()
    form = more.pop("form", None) or ContentForm(content=content)
    context = {
        "case": found.case,
        "report": found,
        "sections": _sections(form, content, today),
        "missing": sections.missing(content, today) if "check" in request.GET else None,
        "versions": versions,
        "shown": shown,
        "writing": written,
        "rows": _rows(found, request.user),
        "steps": [(name, TITLES[name], STEPS[name]) for name in _steps(found, request.user)],
        "seen": found.proposal,
        "own": found.submitted_by_id == request.user.pk,
        "reasons": Report.NoFile.choices,
        "today": today,
    }
    return render(request, "cases/report.html", context | more, status=status)


def _sections(form: ContentForm, content: sections.Content, today: Any) -> list[Any]:
    done = sections.complete(content, today)
    return [
        (section, done[section.name], [form[f"{section.name}-{f.name}"] for f in section.fields])
        for section in sections.SECTIONS
    ]


def _steps(found: Report, user: Any) -> list[str]:
    """What leads on first, then what leads back and has to say why."""
    return sorted(reporting.steps_for(found, user), key=lambda name: "reason" in STEPS[name].needs)


def _rows(found: Report, user: Any) -> list[Any]:
    """Where each sentence of the draft comes from; nothing for whoever does not see all of it."""
    try:
        return drafted(facts_of(found.case, user)) if found.is_written else []
    except Refused:
        return []


def _named(form: ContentForm) -> list[str]:
    return [
        f"{form[name].label}: {error}" for name, errors in form.errors.items() for error in errors
    ]


def _part(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_PARTS):
        raise Refused(_("“{text}” is no part.").format(text=text[:20]))
    return int(text)
