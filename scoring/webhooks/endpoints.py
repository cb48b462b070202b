"""Endpoints of upstream systems: made, changed, paused, tried out; what failed is sent again."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield import bell, leases
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import within
from scoring.models import Delivery, Endpoint
from scoring.webhooks import addresses, events, signing
from scoring.webhooks.channels import channel_of

FORMER_HOLDS = timedelta(hours=24)  # both secrets sign, so that a receiver can change over
State, Waits = Endpoint.State, Delivery.State
LIVING = {"failures": 0, "failing_since": None, "rest_until": None, "stopped_because": ""}
CHANGEABLE = ("name", "url", "events", "finality")


class Refused(ValueError):
    """Why not: a sentence for the person, and the field it is about if there is one."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def make(
    *, by: Any, name: str, url: str, events: list[str], finality: str = ""
) -> tuple[Endpoint, str]:
    """The endpoint and its secret, which is shown to nobody again; a topic has none."""
    said = {"name": name, "url": url, "events": events, "finality": finality}
    _check(said)
    with transaction.atomic():
        salt = signing.new_salt()
        made = Endpoint.objects.create(
            **said, salt=salt, mark=signing.mark_of(salt), made_by=by, made_at=timezone.now()
        )
        record(by=by, action="endpoint.made", object=made, after=_told(made))
    return made, signing.shown(salt) if channel_of(made.url).signs else ""


def change(*, by: Any, endpoint: Endpoint, **said: Any) -> Endpoint:
    """What is said changes; the rest stays. What is queued goes to the new address."""
    _check(said, but=endpoint)
    with transaction.atomic():
        endpoint = _locked(endpoint)
        before = _told(endpoint)
        for name in CHANGEABLE:
            setattr(endpoint, name, said.get(name, getattr(endpoint, name)))
        endpoint.save(update_fields=list(CHANGEABLE))
        if (after := _told(endpoint)) != before:
            record(by=by, action="endpoint.changed", object=endpoint, before=before, after=after)
    return endpoint


@transaction.atomic
def rotate(*, by: Any, endpoint: Endpoint) -> str:
    """A new secret, shown once. For a day both sign, so that the receiver can change over."""
    endpoint = _locked(endpoint)
    if not channel_of(endpoint.url).signs:
        raise Refused("Nothing is signed for a topic, so it has no secret.")
    if endpoint.mark == signing.mark_of(endpoint.salt):  # else the former can sign no more
        endpoint.former_salt, endpoint.former_until = endpoint.salt, timezone.now() + FORMER_HOLDS
    else:
        endpoint.former_salt, endpoint.former_until = None, None
    endpoint.salt = signing.new_salt()
    endpoint.mark = signing.mark_of(endpoint.salt)
    endpoint.save(update_fields=["salt", "mark", "former_salt", "former_until"])
    record(by=by, action="endpoint.rotated", object=endpoint)
    return signing.shown(endpoint.salt)


@transaction.atomic
def pause(*, by: Any, endpoint: Endpoint) -> Endpoint:
    """Send nothing there for now; what happens meanwhile waits."""
    endpoint = _locked(endpoint)
    if endpoint.state != State.ACTIVE:
        raise Refused(
            _("{endpoint} is {state} already.").format(
                endpoint=endpoint, state=within(endpoint.get_state_display())
            )
        )
    endpoint.state = State.PAUSED
    endpoint.save(update_fields=["state"])
    endpoint.deliveries.filter(state=Waits.READY).update(state=Waits.WAITING)
    record(by=by, action="endpoint.paused", object=endpoint)
    return endpoint


@transaction.atomic
def resume(*, by: Any, endpoint: Endpoint) -> Endpoint:
    """Go on, also after the platform stopped it: what waited is sent now."""
    endpoint = _locked(endpoint)
    if endpoint.state == State.ACTIVE:
        raise Refused(_("{endpoint} is active already.").format(endpoint=endpoint))
    before = {"state": endpoint.state, "because": endpoint.stopped_because}
    endpoint.state = State.ACTIVE
    for name, value in LIVING.items():
        setattr(endpoint, name, value)
    endpoint.save(update_fields=["state", *LIVING])
    waiting = endpoint.deliveries.filter(state=Waits.WAITING)
    waiting.update(state=Waits.READY, due_at=Now())
    record(by=by, action="endpoint.resumed", object=endpoint, before=before)
    bell.leave("delivery")
    return endpoint


@transaction.atomic
def try_out(*, by: Any, endpoint: Endpoint) -> Delivery:
    """Send a harmless event, to see that address and secret fit."""
    endpoint = _locked(endpoint)
    if endpoint.state != State.ACTIVE:
        raise Refused(
            _("{endpoint} is {state}: resume it first.").format(
                endpoint=endpoint, state=within(endpoint.get_state_display())
            )
        )
    event = events.tested(endpoint)
    record(by=by, action="endpoint.tested", object=endpoint)
    return Delivery.objects.get(event=event, endpoint=endpoint)


@transaction.atomic
def send_again(*, by: Any, delivery: Delivery) -> Delivery:
    """Try what was given up once more from the start, with the same id."""
    endpoint = _locked(delivery.endpoint)
    if endpoint.state != State.ACTIVE:
        raise Refused(
            _("{endpoint} is {state}: resume it first.").format(
                endpoint=endpoint, state=within(endpoint.get_state_display())
            )
        )
    given_up = Delivery.objects.filter(pk=delivery.pk, state=Waits.QUARANTINED)
    if not leases.revive(given_up, work="delivery"):
        raise Refused(_("Only what was given up is sent again."))
    Delivery.objects.filter(pk=delivery.pk).update(tries=0)
    record(by=by, action="delivery.sent_again", object=delivery)
    return Delivery.objects.select_related("event", "endpoint").get(pk=delivery.pk)


def _check(said: dict[str, Any], but: Endpoint | None = None) -> None:
    """Names are looked up here, before anything is locked: that can take seconds."""
    same = Endpoint.objects.filter(name__iexact=said.get("name", "")).exclude(pk=but and but.pk)
    if same.exists():
        raise Refused(
            _("There is an endpoint called {name} already.").format(name=said["name"]), "name"
        )
    if "url" in said:
        try:
            channel_of(said["url"]).module.checked(said["url"])
        except addresses.Refused as refusal:
            sentence = str(refusal)
            raise Refused(f"{sentence[0].upper()}{sentence[1:]}.", "url") from None
    if "events" in said and not (said["events"] and set(said["events"]) <= set(events.EVENTS)):
        raise Refused(_("Choose among {events}.").format(events=", ".join(events.EVENTS)), "events")
    url, wanted = (said.get(name, getattr(but, name, "")) for name in ("url", "events"))
    if events.FEATURES in wanted and channel_of(url).signs:
        sentence = _("The features of every payment are told to topics only: kafka:NAME.")
        raise Refused(sentence, "events")


def _locked(endpoint: Endpoint) -> Endpoint:
    return Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)


def _told(endpoint: Endpoint) -> dict[str, Any]:
    """For the trail. The path of an address often holds a token, so it is not told."""
    host = endpoint.url.partition("://")[2].partition("/")[0] or endpoint.url
    told = {"name": endpoint.name, "host": host, "events": endpoint.events}
    return told | {"finality": endpoint.finality, "state": endpoint.state}
