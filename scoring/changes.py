"""Values that stand as versions and change whole: asked for by one person, put into force by a
second. What is in force is never edited; the next version replaces it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.asking import Asked, Refused, answered, attempt, held, second
from anomalyshield.audit.record import record
from anomalyshield.locks import one_at_a_time

State = Asked.State
Values = dict[str, Any]
OWN = _lazy("You asked for this change; a second person must put it into force.")


@dataclass(frozen=True)
class Kind:
    """Something that is changed so: its rows, the right, and how people and trail call it."""

    requests: type[Asked]  # with base, values, four_eyes
    versions: type[models.Model]  # with version, values, active, created_by, reason
    became: str  # the field of a request with the version that came of it
    active: Callable[[], Any]
    changes: Callable[[Values, Values], list[tuple[str, Any, Any]]]
    right: str
    turn: str
    # Sentences for whoever is refused.
    nothing: str  # of {base}
    lost: str  # of {by}
    others: str
    # Actions of the audit trail.
    ask_action: str
    approve_action: str
    refuse_action: str
    withdraw_action: str


@transaction.atomic
def ask(kind: Kind, *, by: Any, values: Values, reason: str) -> Any:
    """Ask that these values be put into force. One change at a time: the next builds on it."""
    one_at_a_time(kind.turn)
    base = kind.active()
    if not kind.changes(base.values, values):
        raise Refused(kind.nothing.format(base=base))
    _nobody_waits(kind)
    request = kind.requests(base=base, values=values, reason=reason, asked_by=by)
    request.save()
    before = base.values
    record(
        by=by, action=kind.ask_action, object=request, before=before, after=values, reason=reason
    )
    return request


def approve(kind: Kind, *, by: Any, request: Any, answer: str) -> Any:
    """Put into force what was asked for, as a second person: the new version."""
    with attempt(by, kind.approve_action, request):
        return _approved(kind, by=by, request=request, answer=answer)


@transaction.atomic
def _approved(kind: Kind, *, by: Any, request: Any, answer: str) -> Any:
    one_at_a_time(kind.turn)
    request = held(request, "base")
    second(by, request, right=kind.right, lost=kind.lost.format(by=by), own=OWN)
    base = kind.active()
    if base != request.base:
        raise Refused(
            _("{base} came into force since {asked_by} asked: ask anew.").format(
                base=base, asked_by=request.asked_by
            )
        )
    made = _replaced(kind, base, request)
    four_eyes = settings.FOUR_EYES
    answered(request, by, State.APPROVED, answer, four_eyes=four_eyes, **{kind.became: made})
    record(
        by=by,
        action=kind.approve_action,
        object=made,
        before=base.values,
        after={**made.values, "four_eyes": four_eyes},
        reason=answer or request.reason,
    )
    return made


@transaction.atomic
def refuse(kind: Kind, *, by: Any, request: Any, answer: str) -> Any:
    """Answer with no. Who asked withdraws it; others need the right to put it into force."""
    request = held(request, "base")
    withdrawn = by == request.asked_by
    if not withdrawn and not by.may(kind.right):
        raise Refused(kind.others)
    answered(request, by, State.REFUSED, answer, four_eyes=settings.FOUR_EYES)
    action = kind.withdraw_action if withdrawn else kind.refuse_action
    record(by=by, action=action, object=request, reason=answer)
    return request


def _nobody_waits(kind: Kind) -> None:
    waiting = kind.requests._default_manager.filter(state=State.OPEN).select_related("asked_by")
    if first := waiting.first():
        raise Refused(
            _("A change that {asked_by} asked for waits. Answer that one first.").format(
                asked_by=first.asked_by
            )
        )


def _replaced(kind: Kind, base: Any, request: Any) -> Any:
    """The next version; the one in force goes first, as the database allows one."""
    rows = kind.versions._default_manager
    rows.filter(active=True).update(active=False)
    return rows.create(
        version=base.version + 1,
        values=request.values,
        active=True,
        created_by=request.asked_by,
        reason=request.reason,
    )
