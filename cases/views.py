"""Cases: the list, one case, and what two people do with it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from alerts import guards, staffing
from alerts.guards import Refused
from alerts.models import Alert
from alerts.visibility import masked
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import denied, record
from anomalyshield.templatetags.words import within
from anomalyshield.together import Part, first, rows, side_by_side, together
from cases import workflow
from cases.clockfaces import breaches, clocks_of
from cases.contents import contents_of, others_of
from cases.evidence import MOST_BYTES
from cases.filekinds import TAKEN
from cases.forms import AlertForm, EscalationForm, ProposalForm, ReturnForm, TextForm
from cases.listing import PEOPLE, VIEWS, board, narrowed, shown
from cases.models import Case, Report
from cases.models.case import WAITING
from cases.restricting import may_restrict
from cases.states import proposer_of, verbs_for
from cases.telling import timeline_of

PAGE = 50
FILTERS = ("show", "status", "owner", "outcome")


@allow("case.view", methods=("GET",))
def cases(request: HttpRequest) -> HttpResponse:
    """Those of a view, narrowed, latest first."""
    asked = {name: request.GET.get(name, "")[:150].replace("\0", "") for name in FILTERS}
    before, seen = request.GET.get("before", ""), Case.objects.visible_to(request.user)
    found = narrowed(shown(seen, asked["show"], request.user), asked)
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    page = list(found.with_counts().select_related("owner", "proposed_by")[: PAGE + 1])
    context = {
        "cases": page[:PAGE],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "views": VIEWS,
        "asked": asked,
        "show": asked["show"],
        "filtered": any(asked[name] for name in FILTERS[1:]),
        "query": urlencode({name: value for name, value in asked.items() if value}),
        "statuses": Case.Status.choices,
        "outcomes": Case.Outcome.choices,
        "owners": staffing.analysts(),
        "forecast": breaches(seen) if not asked["show"] and not before else None,
        "currency": settings.BASE_CURRENCY,
        "terms": request.user.may("user.manage"),
        "masked": masked(request.user),
    }
    return render(request, "cases/cases.html", context)


@allow("case.view", methods=("GET",))
def on_board(request: HttpRequest) -> HttpResponse:
    """Open cases and those of the last days, in columns by where they stand."""
    owner = request.GET.get("owner", "")[:150].replace("\0", "")
    seen = narrowed(Case.objects.visible_to(request.user), {"owner": owner})
    context = {
        "columns": board(seen, request.user),
        "owners": staffing.analysts(),
        "owner": owner,
        "currency": settings.BASE_CURRENCY,
        "masked": masked(request.user),
    }
    return render(request, "cases/board.html", context)


@allow("case.view", methods=("GET",))
def case(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    record(by=request.user, action="data.read", object=found)
    return page(request, found)


@allow("case.work", methods=("POST",))
def escalate(request: HttpRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(Alert.objects.visible_to(request.user), pk=pk)
    form = EscalationForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused(" ".join(sentences(form)))
        opened = workflow.escalate(by=request.user, alert=alert, note=form.cleaned_data["note"])
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("alert", pk=alert.pk)
    messages.success(request, _("{alert} is in {opened}.").format(alert=alert, opened=opened))
    return redirect("case", pk=opened.pk)


@allow("case.work", methods=("POST",))
def bring_in(request: HttpRequest, pk: int) -> HttpResponse:
    """One more alert of the same subject."""
    found, form = find(request, pk), AlertForm(request.POST)
    form.fields["alert"].queryset = Alert.objects.visible_to(request.user)
    if not form.is_valid():
        return page(request, found, status=400, errors=sentences(form))
    try:
        workflow.add_alert(by=request.user, case=found, alert=form.cleaned_data["alert"])
    except Refused as refusal:
        return page(request, found, status=409, errors=[str(refusal)])
    return redirect("case", pk=pk)


@allow("case.work", methods=("POST",))
def note(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, TextForm, workflow.add_note)


@allow("case.close", methods=("POST",))
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, ProposalForm, workflow.propose_closure)


@allow("case.close", methods=("POST",))
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    found, seen = find(request, pk), request.POST.get("seen", "")
    try:
        closed = workflow.approve_closure(by=request.user, case=found, seen=seen)
    except Refused as refusal:
        denied(by=request.user, action="case.close", object=found, reason=str(refusal))
        return page(request, found, status=409, errors=[str(refusal)])
    messages.success(
        request,
        _("{closed} is closed: {get_outcome_display}.").format(
            closed=closed, get_outcome_display=within(closed.get_outcome_display())
        ),
    )
    return redirect("case", pk=pk)


@allow("case.close", methods=("POST",))
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    return act(request, pk, ReturnForm, workflow.return_case)


def act(
    request: HttpRequest, pk: int, form_class: type[Form], verb: Callable[..., Any], place: str = ""
) -> HttpResponse:
    """Find, check, act, answer at this place of the page."""
    found = find(request, pk)
    form = form_class(request.POST)
    if not form.is_valid():
        return page(request, found, status=400, errors=sentences(form), typed=request.POST)
    try:
        verb(by=request.user, case=found, **form.cleaned_data)
    except Refused as refusal:
        return page(request, found, status=409, errors=[str(refusal)], typed=request.POST)
    if request.POST.get("next") == "board":
        return redirect("case-board")
    return redirect(reverse("case", args=[pk]) + (f"#{place}" if place else ""))


def find(request: HttpRequest, pk: int) -> Case:
    """The case, if one of its alerts lies in a queue of this person; else there is none."""
    seen = Case.objects.visible_to(request.user).select_related(*PEOPLE)
    return get_object_or_404(seen, pk=pk)


def page(request: HttpRequest, found: Case, status: int = 200, **more: Any) -> HttpResponse:
    fresh = Case.objects.select_related(*PEOPLE).get(pk=found.pk) if status != 200 else found
    inside, moves, told, tasks, due = together(
        _inside(fresh, request.user),
        _moves(fresh, request.user),
        timeline_of(found, request.GET.get("kind", "")),
        _tasks(found),
        _due(found),
    )
    context = {
        "case": fresh,
        "told": told,
        "taken": TAKEN,
        "most": MOST_BYTES,
        "currency": settings.BASE_CURRENCY,
        "outcomes": Case.Outcome.choices,
        **inside,
        **moves,
        **tasks,
        **due,
    }
    return render(request, "cases/case.html", context | more, status=status)


def _inside(found: Case, user: Any) -> Part[dict[str, Any]]:
    """What lies in it, as far as this person sees it, and what could."""
    alerts, kept, others = yield (
        found.alerts.visible_to(user).for_the_page().order_by("-pk"),
        found.evidence.select_related("added_by"),
        others_of(found, user),
    )
    contents = yield from contents_of(alerts)
    return {"alerts": alerts, "evidence": kept, "others": others, "contents": contents}


def _due(found: Case) -> Part[dict[str, Any]]:
    """What is due, and the reports some of it is about."""
    faces, reports = yield from side_by_side(
        clocks_of(found), rows(found.reports.select_related("made_by", "approved_by"))
    )
    over = {Report.State.NO_FILE, Report.State.ACKNOWLEDGED, Report.State.CONTINUING}
    under_way = any(one.state not in over for one in reports)
    return {
        "clocks": faces,
        "determined": any(face.clock.kind == "REG_FILING" and not face.over for face in faces),
        "reports": reports,
        "may_report": not under_way and found.status not in ("DRAFT", "ABANDONED"),
    }


def _tasks(found: Case) -> Part[dict[str, Any]]:
    tasks = yield found.tasks.select_related("owner", "done_by")
    return {
        "tasks": tasks,
        "tasks_done": sum(task.done_at is not None for task in tasks),
        "left_open": sum(task.required and task.done_at is None for task in tasks),
    }


def _moves(found: Case, user: Any) -> Part[dict[str, Any]]:
    """What this person may do to its state now, and what a form for it needs."""
    reopenings = found.reopenings.select_related("asked_by").order_by("-pk")[:1]
    asked, colleagues, insiders = yield (
        reopenings if found.status in WAITING else reopenings.none(),
        staffing.analysts(),
        found.access.select_related("person") if found.restricted else found.access.none(),
    )
    may = {verb.name.lower() for verb in verbs_for(found, user)}
    waiting = found.status in WAITING
    return {
        "may": may,
        "seen": found.proposal if waiting else "",
        "own_proposal": waiting and proposer_of(found) == user.pk,
        "reopening": first(asked),
        "waits": Case.Waiting.choices,
        "colleagues": colleagues,
        "may_restrict": may_restrict(found, user),
        "insiders": insiders,
        "may_hand_over": found.is_open and (found.owner_id == user.pk or guards.leads(user)),
    }


def sentences(form: Form) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]
