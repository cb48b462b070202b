"""Work on a case between its opening and its closure: begun, waiting, given to others, given up."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _noop

from alerts import guards
from alerts.given_back import give_back
from anomalyshield.audit.record import record
from cases import clocks
from cases.models import Case, CaseEvent, Clock
from cases.states import Refused, Verb, move, still_open
from cases.steps import locked, tell
from scoring.retelling import in_english


@transaction.atomic
def start(*, by: Any, case: Case) -> Case:
    """Somebody works on it from now on."""
    case = locked(case)
    move(case, Verb.START, by=by)
    return _moved(case, by, CaseEvent.Kind.STARTED, "case.started")


@transaction.atomic
def suspend(
    *, by: Any, case: Case, waits_for: str, reason: str, until: datetime | None = None
) -> Case:
    """It waits for somebody outside: its own clock stands still, the regulator's never does."""
    case = locked(case)
    move(case, Verb.SUSPEND, by=by)
    if until is not None and until <= timezone.now():
        raise Refused(_("Say a moment that is still to come, or none."))
    case.waits_for, case.waits_until = Case.Waiting(waits_for), until
    words = f"Waits for {in_english(Case.Waiting(waits_for).label)}: {reason}"
    clocks.pause(case, by=by, reason=words)
    return _moved(case, by, CaseEvent.Kind.SUSPENDED, "case.suspended", words)


@transaction.atomic
def resume(*, by: Any, case: Case, why: str = "") -> Case:
    """What it waited for has come, or nobody waits any longer."""
    case = locked(case)
    move(case, Verb.RESUME, by=by)
    case.waits_for, case.waits_until = "", None
    clocks.go_on(case)
    return _moved(case, by, CaseEvent.Kind.RESUMED, "case.resumed", why)


@transaction.atomic
def hand_over(*, by: Any, case: Case, to: Any, reason: str = "") -> Case:
    """Give it to somebody who sees it. Others' cases: for leads."""
    case = locked(case)
    still_open(case)
    if by.pk != case.owner_id and not guards.leads(by):
        raise Refused(
            _("{case} is {owner}'s. Ask them, or a lead, to hand it over.").format(
                case=case, owner=case.owner
            )
        )
    if not (to.may("case.work") and Case.objects.visible_to(to).filter(pk=case.pk).exists()):
        raise Refused(_("{to} does not work cases of these queues.").format(to=to))
    if to.pk == case.owner_id:
        return case
    before, case.owner = {"owner": case.owner.get_username()}, to
    case.save(update_fields=["owner"])
    tell(case, CaseEvent.Kind.HANDED_OVER, by, f"To {to}. {reason}".strip())
    after = {"owner": to.get_username()}
    record(by=by, action="case.handed_over", object=case, before=before, after=after)
    return case


@transaction.atomic
def abandon(*, by: Any, case: Case, reason: str) -> Case:
    """It was no case. Its undecided alerts go back to their queues: nobody has judged them."""
    case = locked(case)
    clocks.nothing_owed(case)
    move(case, Verb.ABANDON, by=by)
    case.closed_by, case.closed_at = by, timezone.now()
    for alert in case.alerts.open().order_by("pk"):
        if not alert.cases.open().exclude(pk=case.pk).exists():  # another one investigates it
            give_back(by=by, alert=alert, why=_noop("the case was abandoned"))
    clocks.stop(case, *Clock.Kind)
    return _moved(case, by, CaseEvent.Kind.ABANDONED, "case.abandoned", reason)


def _moved(case: Case, by: Any, kind: CaseEvent.Kind, action: str, text: str = "") -> Case:
    case.save()
    tell(case, kind, by, text)
    record(by=by, action=action, object=case, after={"status": case.status})
    return case
