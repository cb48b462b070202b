"""Setting an alert aside and taking it up again, from its page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from alerts import snoozing
from alerts.forms import SnoozeForm
from alerts.guards import Refused
from alerts.models import Alert
from alerts.views import undoing
from alerts.views.alert import go_on
from alerts.views.alert_page import asked_of, on_to, refused, seen, sentences
from anomalyshield.accounts.permissions import allow
from anomalyshield.templatetags.words import when_shown


@allow("alert.work", methods=("POST",))
def snooze(request: HttpRequest, pk: int) -> HttpResponse:
    """Until later, and on to the next one."""
    found, form = seen(request, pk), SnoozeForm(request.POST)
    if not form.is_valid():
        return refused(request, found, *sentences(form), status=400)
    try:
        done = snoozing.snooze(by=request.user, alert=found, **form.said)
    except Refused as refusal:
        return refused(request, found, str(refusal))
    return go_on(request, done, _said(done), "alert-wake")


@allow("alert.work", methods=("POST",))
def wake(request: HttpRequest, pk: int) -> HttpResponse:
    """At work again now; the key that undoes comes here too."""
    found = seen(request, pk)
    try:
        woken = snoozing.wake(by=request.user, alert=found)
    except Refused as refusal:
        return refused(request, found, str(refusal))
    undoing.forget(request)
    messages.success(request, _("{woken} is at work again.").format(woken=woken))
    return on_to(request, woken, asked_of(request))


def _said(done: Alert) -> str:
    late = not done.due_at > (done.snoozed_until or done.due_at)
    runs = done.status == Alert.Status.SNOOZED and late
    warned = _(" Its clock runs on, and will have run out by then.") if runs else ""
    return format_html(
        _("{done} is snoozed until {snoozed_until}.{warned}"),
        done=done,
        snoozed_until=when_shown(done.snoozed_until),
        warned=warned,
    )
