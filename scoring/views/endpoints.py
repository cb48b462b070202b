"""Where upstream systems are told: endpoints, their secrets, and what became of each event."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.accounts.permissions import allow
from scoring.models import Delivery, Endpoint
from scoring.webhooks import endpoints as verbs
from scoring.webhooks.channels import channel_of
from scoring.webhooks.events import DECISION_UPDATED, EVENTS
from scoring.webhooks.signing import mark_of

SHOWN = 50
LOOK = ("GET", "HEAD")


class EndpointForm(forms.Form):
    """An address, what it is told, and what it holds to be final."""

    name = forms.CharField(
        max_length=80, help_text=_lazy("The system that listens there"), label=_lazy("Name")
    )
    url = forms.CharField(
        max_length=500,
        label=_lazy("Address"),
        help_text=_lazy(
            "https://… for a webhook, kafka:TOPIC for a topic of this installation's Kafka"
        ),
        widget=forms.TextInput({"placeholder": "https://core.example/hooks/decisions"}),
    )
    events = forms.MultipleChoiceField(
        choices=[(name, format_lazy("{} ({})", meaning, name)) for name, meaning in EVENTS.items()],
        initial=[DECISION_UPDATED],
        label=_lazy("It is told"),
        widget=forms.CheckboxSelectMultiple,
    )
    finality = forms.ChoiceField(
        choices=Endpoint.Finality.choices,
        required=False,
        label=_lazy("Final there"),
        help_text=_lazy("A decision that is final there cannot be undone here"),
    )


@allow("endpoint.manage", methods=LOOK)
def endpoints(request: HttpRequest) -> HttpResponse:
    return _list(request, EndpointForm())


@allow("endpoint.manage", methods=("POST",))
def make(request: HttpRequest) -> HttpResponse:
    form = EndpointForm(request.POST)
    if not form.is_valid():
        return _list(request, form, 400)
    try:
        made, secret = verbs.make(by=request.user, **form.cleaned_data)
    except verbs.Refused as refusal:
        form.add_error(refusal.field or None, str(refusal))
        return _list(request, form, 400)
    if not secret:
        messages.success(request, _("Made. Send a test to see that the topic takes it."))
        return redirect("endpoint", made.pk)
    return _shown_once(request, made, secret)


@allow("endpoint.manage")
def endpoint(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(pk)
    if request.method != "POST":
        return _page(request, found)
    form = EndpointForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form, 400)
    try:
        verbs.change(by=request.user, endpoint=found, **form.cleaned_data)
    except verbs.Refused as refusal:
        form.add_error(refusal.field or None, str(refusal))
        return _page(request, found, form, 400)
    messages.success(request, _("Changed. What is queued goes to this address too."))
    return redirect("endpoint", pk)


@allow("endpoint.manage", methods=("POST",))
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        secret = verbs.rotate(by=request.user, endpoint=_found(pk))
    except verbs.Refused as refusal:
        messages.error(request, str(refusal))
        return _page(request, _found(pk), status=409)
    return _shown_once(request, _found(pk), secret)


@allow("endpoint.manage", methods=("POST",))
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(pk)
    return _act(request, pk, "Paused.", lambda by: verbs.pause(by=by, endpoint=found))


@allow("endpoint.manage", methods=("POST",))
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    found, said = _found(pk), _("It goes on: what waited is sent now.")
    return _act(request, pk, said, lambda by: verbs.resume(by=by, endpoint=found))


@allow("endpoint.manage", methods=("POST",))
def try_out(request: HttpRequest, pk: int) -> HttpResponse:
    found, said = _found(pk), _("A test is on its way; its answer will stand below.")
    return _act(request, pk, said, lambda by: verbs.try_out(by=by, endpoint=found))


@allow("endpoint.manage", methods=("POST",))
def send_again(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    found = get_object_or_404(Delivery.objects.select_related("endpoint"), pk=delivery, endpoint=pk)
    return _act(
        request, pk, _("It is sent again."), lambda by: verbs.send_again(by=by, delivery=found)
    )


def _act(request: HttpRequest, pk: int, said: str, verb: Callable[[Any], Any]) -> HttpResponse:
    try:
        verb(request.user)
    except verbs.Refused as refusal:
        messages.error(request, str(refusal))
        return _page(request, _found(pk), status=409)
    messages.success(request, said)
    return redirect("endpoint", pk)


def _list(request: HttpRequest, form: EndpointForm, status: int = 200) -> HttpResponse:
    context = {"endpoints": Endpoint.objects.select_related("made_by"), "form": form}
    return render(request, "scoring/endpoints.html", context, status=status)


def _page(
    request: HttpRequest, found: Endpoint, form: EndpointForm | None = None, status: int = 200
) -> HttpResponse:
    now = {name: getattr(found, name) for name in verbs.CHANGEABLE}
    context = {
        "endpoint": found,
        "form": form or EndpointForm(initial=now),
        "deliveries": found.deliveries.select_related("event").order_by("-pk")[:SHOWN],
        "signs": channel_of(found.url).signs,
        "secret_lost": channel_of(found.url).signs and found.mark != mark_of(found.salt),
    }
    return render(request, "scoring/endpoint.html", context, status=status)


def _shown_once(request: HttpRequest, found: Endpoint, secret: str) -> HttpResponse:
    context = {"endpoint": found, "secret": secret}
    return render(request, "scoring/endpoint_secret.html", context)


def _found(pk: int) -> Endpoint:
    return get_object_or_404(Endpoint.objects.select_related("made_by"), pk=pk)
