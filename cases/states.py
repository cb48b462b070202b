"""Which verb takes a case from which state to which, and who may: said here and nowhere else.

The states are those the field uses. What a table cannot say is refused with a sentence for the
person who asked; the database repeats the rule of the second person (`cases/models/case.py`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop

from alerts import guards, triage
from anomalyshield.templatetags.words import within
from cases.models import Case
from cases.models.case import ENDED

S = Case.Status


class Refused(triage.Refused):
    """The case does not allow this now; the message is a sentence for the person who asked."""


class Verb(StrEnum):
    """What is done to a case that changes its state."""

    SUBMIT = gettext_noop("submit")
    ADMIT = gettext_noop("approve the opening of")
    SEND_BACK = gettext_noop("send back")
    START = gettext_noop("start")
    SUSPEND = gettext_noop("suspend")
    RESUME = gettext_noop("resume")
    PROPOSE = gettext_noop("propose to close")
    CLOSE = gettext_noop("close")
    RETURN = gettext_noop("return")
    ABANDON = gettext_noop("abandon")
    ASK_AGAIN = gettext_noop("ask to reopen")
    REOPEN = gettext_noop("reopen")
    LEAVE_CLOSED = gettext_noop("leave closed")


class Who(StrEnum):
    """Who may, among those who may work cases at all."""

    WORKER = "whoever works the case"
    KEEPER = "who opened or owns it, or a lead"
    SECOND = "a second person, never the one who proposed it"


@dataclass(frozen=True)
class Transition:
    """One row of the table."""

    source: Case.Status
    verb: Verb
    target: Case.Status
    who: Who = Who.WORKER


WORKABLE = (S.OPEN, S.IN_PROGRESS, S.RETURNED)
TABLE = (
    Transition(S.DRAFT, Verb.SUBMIT, S.PENDING_CREATION_APPROVAL),
    Transition(S.DRAFT, Verb.SUBMIT, S.OPEN),  # where no queue asks for a second person
    Transition(S.PENDING_CREATION_APPROVAL, Verb.ADMIT, S.OPEN, Who.SECOND),
    Transition(S.PENDING_CREATION_APPROVAL, Verb.SEND_BACK, S.DRAFT),
    Transition(S.OPEN, Verb.START, S.IN_PROGRESS),
    Transition(S.RETURNED, Verb.START, S.IN_PROGRESS),
    *(Transition(state, Verb.SUSPEND, S.SUSPENDED) for state in WORKABLE),
    Transition(S.SUSPENDED, Verb.RESUME, S.IN_PROGRESS),
    *(Transition(state, Verb.PROPOSE, S.PENDING_CLOSURE_APPROVAL) for state in WORKABLE),
    Transition(S.PENDING_CLOSURE_APPROVAL, Verb.CLOSE, S.CLOSED, Who.SECOND),
    Transition(S.PENDING_CLOSURE_APPROVAL, Verb.RETURN, S.RETURNED),
    Transition(S.CLOSED, Verb.ASK_AGAIN, S.PENDING_REOPEN_APPROVAL),
    Transition(S.PENDING_REOPEN_APPROVAL, Verb.REOPEN, S.IN_PROGRESS, Who.SECOND),
    Transition(S.PENDING_REOPEN_APPROVAL, Verb.LEAVE_CLOSED, S.CLOSED),
    *(
        Transition(state, Verb.ABANDON, S.ABANDONED, Who.KEEPER)
        for state in (S.DRAFT, S.PENDING_CREATION_APPROVAL, S.OPEN)
    ),
)
# What is missing when a verb answers something that nobody has asked.
ANSWERS = {
    Verb.ADMIT: _lazy("Nobody has asked to open {}."),
    Verb.SEND_BACK: _lazy("Nobody has asked to open {}."),
    Verb.CLOSE: _lazy("Nobody has proposed to close {}."),
    Verb.RETURN: _lazy("Nobody has proposed to close {}."),
    Verb.REOPEN: _lazy("Nobody has asked to reopen {}."),
    Verb.LEAVE_CLOSED: _lazy("Nobody has asked to reopen {}."),
}
STANDS = {
    S.DRAFT: _lazy("{case} is a draft. Submit it first."),
    S.PENDING_CREATION_APPROVAL: _lazy(
        "{case} waits for the approval of its opening. Send it back first."
    ),
    S.SUSPENDED: _lazy("{case} is suspended. Resume it first."),
    S.PENDING_CLOSURE_APPROVAL: _lazy(
        "{case} waits for the approval of its closure. Return it first."
    ),
    S.CLOSED: _lazy("{case} was closed by {case.closed_by}."),
    S.PENDING_REOPEN_APPROVAL: _lazy(
        "{case} was closed by {case.closed_by}; that it is reopened waits for approval."
    ),
    S.ABANDONED: _lazy("{case} was abandoned by {case.closed_by}."),
}
OWN = {
    S.PENDING_CREATION_APPROVAL: _lazy("You asked to open {}. A second person has to approve it."),
    S.PENDING_CLOSURE_APPROVAL: _lazy(
        "You proposed to close {}. A second person has to approve it."
    ),
    S.PENDING_REOPEN_APPROVAL: _lazy("You asked to reopen {}. A second person has to approve it."),
}


def move(case: Case, verb: Verb, *, by: Any, to: Case.Status | None = None) -> None:
    """Give the case the state this verb leads to; the caller holds its row and saves it.

    `to` says which, where the table has two. Refused, with a sentence, if the table has none from
    the state it is in, or none for this person.
    """
    found = [one for one in TABLE if one.source == case.status and one.verb == verb]
    row = next((one for one in found if to in (None, one.target)), None)
    if row is None:
        raise Refused(why_not(case, verb))
    _may(case, row.who, by)
    case.status = row.target


def verbs_for(case: Case, by: Any) -> set[Verb]:
    """What this person may do to it now; the verb looks again."""
    return {one.verb for one in TABLE if one.source == case.status and _fits(case, one.who, by)}


def why_not(case: Case, verb: Verb) -> str:
    """The sentence for a verb that does not fit the state."""
    if verb in ANSWERS and case.is_open is not (verb in (Verb.REOPEN, Verb.LEAVE_CLOSED)):
        return ANSWERS[verb].format(case)
    if case.status in STANDS:
        return STANDS[Case.Status(case.status)].format(case=case)
    return _("{case} is {get_status_display}: you cannot {verb} it now.").format(
        case=case, get_status_display=within(case.get_status_display()), verb=_(verb)
    )


def still_open(case: Case) -> None:
    """Words may be added to it."""
    if case.status in ENDED:
        raise Refused(STANDS[Case.Status(case.status)].format(case=case))


def takes_content(case: Case) -> None:
    """Alerts, files and tasks may be added to it."""
    if not case.takes_content:
        raise Refused(STANDS[Case.Status(case.status)].format(case=case))


def proposer_of(case: Case) -> int | None:
    """Whoever may not be the one to approve what waits; nobody, where one person is enough."""
    match case.status:
        case S.PENDING_CREATION_APPROVAL:
            return case.submitted_by_id
        case S.PENDING_CLOSURE_APPROVAL:
            return case.proposed_by_id if case.four_eyes else None
        case S.PENDING_REOPEN_APPROVAL:
            asked = case.reopenings.get(state="ASKED")
            return asked.asked_by_id if asked.four_eyes else None
    return None


def _may(case: Case, who: Who, by: Any) -> None:
    if _fits(case, who, by):
        return
    if who == Who.SECOND:
        raise Refused(OWN[Case.Status(case.status)].format(case))
    raise Refused(
        _("{case} is {owner}'s. Ask them, or a lead.").format(case=case, owner=case.owner)
    )


def _fits(case: Case, who: Who, by: Any) -> bool:
    if who == Who.SECOND:
        return by.pk != proposer_of(case)
    if who == Who.KEEPER:
        return by.pk in (case.opened_by_id, case.owner_id) or guards.leads(by)
    return True
