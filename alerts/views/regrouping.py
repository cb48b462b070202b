"""Alerts put together, taken apart, and closed as duplicates, from the page of one of them."""

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts import duplicates
from alerts import regrouping as verbs
from alerts.forms import NOTE_LENGTH
from alerts.guards import Refused
from alerts.models import Alert, Regrouping
from alerts.views import undoing
from alerts.views.alert import go_on
from alerts.views.alert_page import address_of, asked_of, find, refused
from anomalyshield.accounts.permissions import allow

NAMED = re.compile(r"\s*(?:[Aa]-?)?(\d{1,18})\s*")


@allow("alert.work", methods=("POST",))
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """The ticked alerts into the one of this page."""
    found = find(request, pk)
    others = list(Alert.objects.visible_to(request.user).filter(pk__in=_numbers(request, "other")))
    try:
        done = verbs.merge(by=request.user, into=found, alerts=others)
    except Refused as refusal:
        return refused(request, found, str(refusal))
    names = ", ".join(str(one) for one in others)
    return _told(
        request, found, done, _("{names} merged into {found}.").format(names=names, found=found)
    )


@allow("alert.work", methods=("POST",))
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """The ticked payments into an alert of their own."""
    found = find(request, pk)
    try:
        done = verbs.split(by=request.user, alert=found, payments=_numbers(request, "payment"))
    except Refused as refusal:
        return refused(request, found, str(refusal))
    many = done.into.hit_count
    said = ngettext(
        "{many} payment split off into {into}.", "{many} payments split off into {into}.", many
    ).format(many=many, into=done.into)
    return _told(request, found, done, said)


@allow("alert.work", methods=("POST",))
def undo(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Every payment back in the alert that had it."""
    found = find(request, pk)
    done = get_object_or_404(Regrouping, pk=number, into__queue=found.queue_id)
    try:
        verbs.undo(by=request.user, regrouping=done)
    except Refused as refusal:
        return refused(request, found, str(refusal))
    undoing.forget(request)
    messages.success(request, _("Taken back: every payment is in the alert that had it."))
    return redirect(address_of(find(request, pk), asked_of(request)))


@allow("label.write", methods=("POST",))
def duplicate(request: HttpRequest, pk: int) -> HttpResponse:
    """Closed as a duplicate of the alert that is named, and on to the next one."""
    found, named = find(request, pk), NAMED.fullmatch(request.POST.get("of", ""))
    note = request.POST.get("note", "").strip()
    if named is None or len(note) > NOTE_LENGTH or "\x00" in note:
        return refused(
            request, found, _("Name the other alert by its number, like A-12."), status=400
        )
    of = Alert.objects.visible_to(request.user).filter(pk=int(named[1])).first()
    if of is None:
        return refused(
            request,
            found,
            _("There is no A-{named} in your queues.").format(named=named[1]),
            status=400,
        )
    try:
        done = duplicates.close_as_duplicate(by=request.user, alert=found, of=of, note=note)
    except Refused as refusal:
        return refused(request, found, str(refusal))
    return go_on(
        request,
        done,
        _("{done} closed as a duplicate of {of}.").format(done=done, of=of),
        "alert-undo",
    )


def _numbers(request: HttpRequest, name: str) -> list[int]:
    return [int(one) for one in request.POST.getlist(name) if one.isdecimal() and len(one) < 19]


def _told(request: HttpRequest, found: Alert, done: Regrouping, said: str) -> HttpResponse:
    asked: dict[str, Any] = asked_of(request)
    undo_it = reverse("alert-regrouping-undo", args=[found.pk, done.pk])
    undoing.remember(request, str(done), undo_it)
    messages.success(request, said, undo_it)
    return redirect(address_of(found, asked))
