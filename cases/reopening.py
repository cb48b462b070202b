"""Going on with a closed case: one person asks and says why, another one agrees.

What was decided, labelled and told upstream stays as it is; it is changed by its own verbs only.
"""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield.audit.record import record
from cases import clocks
from cases.models import Case, CaseEvent, Reopening
from cases.states import Refused, Verb, move
from cases.steps import locked, tell

Kind = CaseEvent.Kind


@transaction.atomic
def ask(*, by: Any, case: Case, reason: str) -> Case:
    """Propose to go on with it. Where one person is enough, it is open at once."""
    case = locked(case)
    move(case, Verb.ASK_AGAIN, by=by)
    case.save(update_fields=["status"])
    asked = Reopening.objects.create(
        case=case, reason=reason, four_eyes=settings.FOUR_EYES, asked_by=by
    )
    tell(case, Kind.REOPENING_ASKED, by, reason)
    after = {"status": case.status, "four_eyes": asked.four_eyes}
    record(by=by, action="case.reopening_asked", object=case, after=after)
    return case if asked.four_eyes else _reopen(case, asked, by)


@transaction.atomic
def approve(*, by: Any, case: Case, seen: str) -> Case:
    """Open it again. `seen` is the `Case.proposal` that was read."""
    case = locked(case)
    asked = _asked(case, Verb.REOPEN)
    if seen != case.proposal:
        raise Refused(
            _("What was asked about {case} changed while you were reading. Read it again.").format(
                case=case
            )
        )
    return _reopen(case, asked, by)


@transaction.atomic
def refuse(*, by: Any, case: Case, reason: str) -> Case:
    """It stays closed; whoever asked may take it back so, too."""
    case = locked(case)
    asked = _asked(case, Verb.LEAVE_CLOSED)
    move(case, Verb.LEAVE_CLOSED, by=by)
    case.save(update_fields=["status"])
    _answer(asked, Reopening.State.REFUSED, by, reason)
    tell(case, Kind.REOPENING_REFUSED, by, reason)
    record(by=by, action="case.reopening_refused", object=case, after={"status": case.status})
    return case


def _asked(case: Case, verb: Verb) -> Reopening:
    asked = case.reopenings.filter(state=Reopening.State.ASKED).first()
    if asked is None:
        move(case, verb, by=None)  # says why not
    return asked


def _reopen(case: Case, asked: Reopening, by: Any) -> Case:
    move(case, Verb.REOPEN, by=by)
    before = {"outcome": case.outcome, "closed_by": case.closed_by.get_username()}
    case.closed_by = case.closed_at = None
    case.save(update_fields=["status", "closed_by", "closed_at"])
    clocks.start(case)
    _answer(asked, Reopening.State.APPROVED, by, "")
    tell(case, Kind.REOPENED, by)
    record(by=by, action="case.reopened", object=case, before=before, after={"status": case.status})
    return case


def _answer(asked: Reopening, state: Reopening.State, by: Any, text: str) -> None:
    asked.state, asked.answer = state, text
    asked.answered_by, asked.answered_at = by, timezone.now()
    asked.save(update_fields=["state", "answered_by", "answered_at", "answer"])
