"""How a case begins: at once, or when a second person agrees that it is opened."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield.audit.record import record
from cases import clocks
from cases.models import Case, CaseEvent
from cases.states import Refused, Verb, move
from cases.steps import locked, tell
from cases.terms import asks_for_approval

PENDING, OPEN = Case.Status.PENDING_CREATION_APPROVAL, Case.Status.OPEN


@transaction.atomic
def submit(*, by: Any, case: Case) -> Case:
    """A draft is opened; where a queue's terms ask for a second person, it waits for them."""
    return begin(by=by, case=locked(case), said=True)


def begin(*, by: Any, case: Case, said: bool) -> Case:
    """The same with the row in hand; `said`: the timeline tells it even if nobody is asked."""
    asked = asks_for_approval(list(case.alerts.all()))
    move(case, Verb.SUBMIT, by=by, to=PENDING if asked else OPEN)
    case.creation_asked, case.submitted_by, case.submitted_at = asked, by, timezone.now()
    case.save()
    if not asked:
        clocks.start(case)
    if asked or said:
        tell(case, CaseEvent.Kind.SUBMITTED, by)
        record(by=by, action="case.submitted", object=case, after={"status": case.status})
    return case


@transaction.atomic
def admit(*, by: Any, case: Case, seen: str) -> Case:
    """Agree that it is opened. `seen` is the `Case.proposal` that was read."""
    case = locked(case)
    proposal = case.proposal
    move(case, Verb.ADMIT, by=by)
    if seen != proposal:
        raise Refused(_("{case} changed while you were reading. Read it again.").format(case=case))
    case.admitted_by, case.admitted_at = by, timezone.now()
    case.save()
    clocks.start(case)
    tell(case, CaseEvent.Kind.OPENING_APPROVED, by)
    record(by=by, action="case.opening_approved", object=case, after={"status": case.status})
    return case


@transaction.atomic
def send_back(*, by: Any, case: Case, reason: str) -> Case:
    """It stays a draft until what is missing is there."""
    case = locked(case)
    move(case, Verb.SEND_BACK, by=by)
    case.save()
    tell(case, CaseEvent.Kind.OPENING_REFUSED, by, reason)
    record(by=by, action="case.opening_refused", object=case, after={"status": case.status})
    return case
