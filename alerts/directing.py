"""Routes are drafted in order, tried on past alerts, proposed, and put into force by a second
person. What is in force is never edited: a new version replaces it whole."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts import routing as raising
from alerts.guards import leads
from alerts.models import Queue, Route, Routing
from anomalyshield.audit.record import record
from anomalyshield.locks import one_at_a_time

State = Routing.State


class Refused(Exception):
    """The routes do not allow this now; the message is a sentence for the person who asked."""


@dataclass(frozen=True)
class Said:
    """What a route says; its place is a matter of its own."""

    name: str
    queue: Queue
    conditions: dict[str, Any] = field(default_factory=dict)
    grouping: str = Route.Grouping.TYPOLOGY
    window_hours: int = 24
    sla_minutes: int | None = None


@transaction.atomic
def draft(*, by: Any) -> Routing:
    """The one draft: that which is there already, else a copy of what is in force."""
    _may(by)
    one_at_a_time("routing draft")
    if proposed := Routing.objects.filter(state=State.PROPOSED).first():
        raise Refused(
            _("Version {number} waits for approval. Approve or refuse it first.").format(
                number=proposed.number
            )
        )
    if known := Routing.objects.filter(state=State.DRAFT).first():
        return known
    in_force = raising.active_routes()
    made = Routing.objects.create(number=raising.next_number(), drafted_by=by)
    for route in in_force:
        route.pk, route.routing, route._state.adding = None, made, True
        route.save()
    record(by=by, action="routing.drafted", object=made, after={"number": made.number})
    return made


@transaction.atomic
def add(*, by: Any, routing: Routing, said: Said) -> Route:
    """One route more, at the end: just before the default."""
    routing = _draft(routing, by)
    route = Route(routing=routing, position=routing.routes.count())
    return _write(route, said, by)


@transaction.atomic
def change(*, by: Any, route: Route, said: Said) -> Route:
    """Say something else. The default takes everything, whatever is asked."""
    route = _of_a_draft(route, by)
    return _write(route, said, by)


@transaction.atomic
def move(*, by: Any, route: Route, up: bool) -> Route:
    """One place up or down among those before the default; at the end nothing happens."""
    route = _of_a_draft(route, by)
    others = list(route.routing.routes.filter(is_default=False))
    if route.is_default:
        raise Refused(_("The default stays last: it takes what no other route takes."))
    at = others.index(route)
    others.insert(max(at - 1, 0) if up else at + 1, others.pop(at))
    for position, one in enumerate(others):
        one.position = position
    Route.objects.bulk_update(others, ["position"])
    record(
        by=by,
        action="routing.changed",
        object=route.routing,
        after={"order": [one.name for one in others]},
    )
    return route


@transaction.atomic
def remove(*, by: Any, route: Route) -> Routing:
    """Take it out of the draft."""
    route = _of_a_draft(route, by)
    if route.is_default:
        raise Refused(_("The default cannot be removed: every alert goes somewhere."))
    record(by=by, action="routing.changed", object=route.routing, before=route.content)
    route.delete()
    return route.routing


@transaction.atomic
def discard(*, by: Any, routing: Routing) -> None:
    """Throw the draft away."""
    routing = _draft(routing, by)
    record(by=by, action="routing.discarded", object=routing, before=_told(routing))
    routing.delete()


@transaction.atomic
def propose(*, by: Any, routing: Routing, reason: str) -> Routing:
    """Ask a second person for it. Where one person is enough it is in force at once."""
    routing = _draft(routing, by)
    in_force = Routing.objects.filter(state=State.ACTIVE).first()
    if in_force is not None and _told(in_force) == _told(routing):
        raise Refused(_("This draft says what is in force already."))
    routing.state, routing.reason, routing.proposed_by = State.PROPOSED, reason, by
    routing.four_eyes = settings.FOUR_EYES
    routing.save()
    after = _told(routing) | {"digest": routing.digest}
    record(by=by, action="routing.proposed", object=routing, after=after, reason=reason)
    return routing if routing.four_eyes else _put_in_force(routing, by)


@transaction.atomic
def approve(*, by: Any, routing: Routing, seen: str) -> Routing:
    """Put it into force. `seen` is the digest of what the approver read."""
    routing = _proposed(routing, by)
    if routing.four_eyes and routing.proposed_by_id == by.pk:
        raise Refused(
            _("You proposed version {number}. A second person has to approve it.").format(
                number=routing.number
            )
        )
    if seen != routing.digest:
        raise Refused(
            _("Version {number} is not what you read. Read it again.").format(number=routing.number)
        )
    return _put_in_force(routing, by)


@transaction.atomic
def refuse(*, by: Any, routing: Routing, reason: str) -> Routing:
    """Say no, or withdraw one's own. It stays to be read, and a new draft can be made."""
    routing = _proposed(routing, by)
    _answer(routing, State.REFUSED, by, reason)
    record(by=by, action="routing.refused", object=routing, reason=reason)
    return routing


def _put_in_force(routing: Routing, by: Any) -> Routing:
    before = Routing.objects.select_for_update().filter(state=State.ACTIVE).first()
    if before is not None:
        before.state = State.RETIRED
        before.save(update_fields=["state"])
    _answer(routing, State.ACTIVE, by)
    record(
        by=by,
        action="routing.activated",
        object=routing,
        before=_told(before) if before else None,
        after=_told(routing),
        reason=routing.reason,
    )
    return routing


def _answer(routing: Routing, state: State, by: Any, words: str = "") -> None:
    routing.state, routing.answer = state, words
    routing.answered_by, routing.answered_at = by, timezone.now()
    routing.save()


def _write(route: Route, said: Said, by: Any) -> Route:
    before = route.content if route.pk else None
    route.name, route.queue, route.grouping = said.name, said.queue, said.grouping
    route.conditions = {} if route.is_default else said.conditions
    route.window_hours, route.sla_minutes = said.window_hours, said.sla_minutes
    if not (route.conditions or route.is_default):
        raise Refused(_("Say what it takes. Without a condition it would take everything."))
    route.save()
    record(
        by=by, action="routing.changed", object=route.routing, before=before, after=route.content
    )
    return route


def _told(routing: Routing) -> dict[str, Any]:
    return {"routes": [route.content for route in routing.routes.select_related("queue")]}


def _may(by: Any) -> None:
    if not leads(by):
        raise Refused(_("A lead or an admin says where alerts go."))


def _locked(routing: Routing, by: Any) -> Routing:
    _may(by)
    found = Routing.objects.select_for_update(of=("self",)).filter(pk=routing.pk).first()
    if found is None:
        raise Refused(_("This draft was thrown away meanwhile."))
    return found


def _draft(routing: Routing, by: Any) -> Routing:
    found = _locked(routing, by)
    if found.state != State.DRAFT:
        raise Refused(
            _("Version {number} is no draft any more. Make a new draft.").format(
                number=found.number
            )
        )
    return found


def _proposed(routing: Routing, by: Any) -> Routing:
    found = _locked(routing, by)
    if found.state != State.PROPOSED:
        raise Refused(_("Version {number} does not wait for approval.").format(number=found.number))
    return found


def _of_a_draft(route: Route, by: Any) -> Route:
    _draft(route.routing, by)
    found = Route.objects.select_related("routing", "queue").filter(pk=route.pk).first()
    if found is None:
        raise Refused(_("This route was removed meanwhile."))
    return found
