"""The quarantine: what was refused at the doors, by reason; mended, replayed, let go."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from anomalyshield import strictjson
from anomalyshield.accounts.permissions import allow
from anomalyshield.problems import Problem
from scoring import mending
from scoring.models import RejectedRecord, Source
from scoring.source_health import reasons_of

SHOWN = 50
RIGHT = "quarantine.work"


@allow(RIGHT, methods=("GET", "HEAD"))
def quarantine(request: HttpRequest) -> HttpResponse:
    """What waits, latest first, and what it is refused for."""
    kept = Source.objects.visible_to(request.user)
    source = kept.filter(name=_name(request.GET.get("source", ""))).first()
    reason = _reason(request.GET)
    rows = (
        RejectedRecord.objects.visible_to(request.user).waiting().select_related("source", "upload")
    )
    if source is not None:
        rows = rows.filter(source=source)
    if reason:
        rows = rows.filter(reasons__contains={reason[0]: reason[1]})
    if (before := request.GET.get("before", "")).isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.order_by("-pk")[: SHOWN + 1])
    numbers = [source.pk] if source else list(kept.order_by().values_list("pk", flat=True))
    context = {
        "rejects": [(one, mending.masked(one)) for one in found[:SHOWN]],
        "reasons": reasons_of(numbers),
        "sources": kept,
        "source": source,
        "reason": reason,
        "asked": urlencode(_asked(source, reason)),
        "more": found[SHOWN - 1].pk if len(found) > SHOWN else None,
    }
    return render(request, "scoring/quarantine.html", context)


@allow(RIGHT, methods=("GET", "HEAD"))
def rejected(request: HttpRequest, pk: int) -> HttpResponse:
    """One refused record, to be mended."""
    found = _found(request, pk)
    return _page(request, found, json.dumps(mending.masked(found), indent=2, ensure_ascii=False))


@allow(RIGHT, methods=("POST",))
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the record as it is written now, or say what is still wrong."""
    found, text = _found(request, pk), request.POST.get("record", "")
    try:
        record = strictjson.loads(text.encode("utf-8", "replace")) if text.strip() else None
        mending.replay(by=request.user, reject=found, record=record)
    except Problem as problem:
        return _page(request, found, text, refusal=problem.text, status=400)
    except mending.StillWrong as wrong:
        return _page(request, found, text, reasons=wrong.reasons, status=400)
    except mending.Refused as refusal:
        return _page(request, found, text, refusal=str(refusal), status=409)
    messages.success(request, _("The record is taken; its decision follows."))
    return redirect(_list(found.source))


@allow(RIGHT, methods=("POST",))
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it go, with the reason."""
    found = _found(request, pk)
    try:
        mending.drop(by=request.user, reject=found, reason=request.POST.get("reason", ""))
    except mending.Refused as refusal:
        shown = json.dumps(mending.masked(found), indent=2, ensure_ascii=False)
        return _page(request, found, shown, refusal=str(refusal), status=409)
    messages.success(request, _("The record is let go."))
    return redirect(_list(found.source))


@allow(RIGHT, methods=("POST",))
def all_of(request: HttpRequest) -> HttpResponse:
    """Replay or let go all that wait of one source, or those of one reason."""
    kept = Source.objects.visible_to(request.user)
    source = get_object_or_404(kept, name=_name(request.POST.get("source", "")))
    reason = _reason(request.POST)
    back = redirect(f"{reverse('quarantine')}?{urlencode(_asked(source, None))}")
    if request.POST.get("do") == "drop":
        why = request.POST.get("because", "")
        try:
            count = mending.drop_all(by=request.user, source=source, reason=why, because=reason)
        except mending.Refused as refusal:
            messages.error(request, str(refusal))
            return back
        messages.success(request, _("{n} records are let go.").format(n=count))
        return back
    made = mending.replay_all(by=request.user, source=source, reason=reason)
    said = _("{taken} records are taken, {still} are still refused.")
    more = _("{left} were not tried yet: replay again.").format(left=made.left) if made.left else ""
    told = said.format(taken=made.taken, still=made.still)
    messages.success(request, f"{told} {more}".strip())
    return back


def _found(request: HttpRequest, pk: int) -> RejectedRecord:
    rows = RejectedRecord.objects.visible_to(request.user).select_related("source", "upload")
    found: RejectedRecord = get_object_or_404(rows, pk=pk)
    return found


def _page(
    request: HttpRequest,
    found: RejectedRecord,
    text: str,
    *,
    reasons: dict[str, str] | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "reject": found,
        "text": text,
        "reasons": found.reasons if reasons is None else reasons,
        "again": reasons is not None,
        "refusal": refusal,
    }
    return render(request, "scoring/rejected.html", context, status=status)


def _reason(asked: Any) -> tuple[str, str] | None:
    field, why = _name(asked.get("field", "")), _name(asked.get("why", ""))
    return (field, why) if field and why else None


def _name(text: str) -> str:
    """PostgreSQL holds no NUL, and nothing here is that long."""
    return text.replace("\x00", "")[:500].encode("utf-8", "replace").decode()


def _asked(source: Source | None, reason: tuple[str, str] | None) -> dict[str, str]:
    asked = {"source": source.name} if source else {}
    return asked | ({"field": reason[0], "why": reason[1]} if reason else {})


def _list(source: Source) -> str:
    return f"{reverse('quarantine')}?{urlencode(_asked(source, None))}"
