"""Which cases a page or a program asks for, and the board of them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.models import Case, CaseQuerySet
from cases.models.case import ENDED
from cases.states import Verb, verbs_for

S = Case.Status
VIEWS = [
    (_("Open"), ""),
    (_("Mine"), "mine"),
    (_("Waiting for your approval"), "approval"),
    (_("Late"), "late"),
    (_("Closed"), "closed"),
    (_("All"), "all"),
]
PEOPLE = ("owner", "opened_by", "submitted_by", "admitted_by", "proposed_by", "closed_by")
LATELY = timedelta(days=7)
CARDS = 40  # in one column
COLUMNS = [  # a board: title, states, what an empty one says
    (_("New"), (S.DRAFT, S.PENDING_CREATION_APPROVAL, S.OPEN), _("Nothing new.")),
    (_("In progress"), (S.IN_PROGRESS, S.RETURNED), _("Nobody works on a case.")),
    (_("Waiting for somebody"), (S.SUSPENDED,), _("No case waits for an answer.")),
    (
        _("Waiting for approval"),
        (S.PENDING_CLOSURE_APPROVAL, S.PENDING_REOPEN_APPROVAL),
        _("Nothing waits for a second person."),
    ),
    (_("Done in the last 7 days"), (S.CLOSED, S.ABANDONED), _("No case was closed this week.")),
]
ON_THE_BOARD = {Verb.SUBMIT, Verb.START, Verb.RESUME}  # need no words


def shown(cases: CaseQuerySet, show: str, user: Any) -> CaseQuerySet:
    """The cases of a view; an unknown one is that of open cases."""
    match show:
        case "closed":
            return cases.filter(status__in=ENDED)
        case "mine":
            return cases.open().filter(owner=user)
        case "approval":
            return cases.awaiting(user)
        case "late":
            return cases.late()
        case "all":
            return cases
    return cases.open()


def narrowed(cases: CaseQuerySet, asked: dict[str, Any]) -> CaseQuerySet:
    """Those in a state, of an owner (by user name), with an outcome; what is not asked is any."""
    if status := asked.get("status"):
        cases = cases.filter(status=status)
    if owner := asked.get("owner"):
        cases = cases.filter(owner__username=owner)
    if outcome := asked.get("outcome"):
        cases = cases.filter(outcome=outcome, status__in=(S.CLOSED, S.PENDING_REOPEN_APPROVAL))
    return cases


@dataclass(frozen=True)
class Card:
    """A case on the board, and what one button does to it."""

    case: Case
    verbs: frozenset[str]


@dataclass(frozen=True)
class Column:
    """States that belong together, the most urgent first."""

    title: str
    cards: list[Card]
    total: int
    nothing: str


def board(cases: CaseQuerySet, user: Any) -> list[Column]:
    """One query, whatever the number of columns: the rest of a full one is said as a number."""
    since = timezone.now() - LATELY
    recent = cases.filter(status__in=(S.CLOSED, S.ABANDONED), closed_at__gte=since)
    rows = list(
        (cases.exclude(status__in=(S.CLOSED, S.ABANDONED)) | recent)
        .with_counts()
        .select_related("owner", "submitted_by", "proposed_by")
        .order_by(F("due_at").asc(nulls_last=True), "-pk")[: len(COLUMNS) * CARDS * 5]
    )
    return [_column(title, states, nothing, rows, user) for title, states, nothing in COLUMNS]


def _column(
    title: str, states: tuple[Case.Status, ...], nothing: str, rows: list[Case], user: Any
) -> Column:
    found = [case for case in rows if case.status in states]
    cards = [Card(case, _buttons(case, user)) for case in found[:CARDS]]
    return Column(title, cards, len(found), nothing)


def _buttons(case: Case, user: Any) -> frozenset[str]:
    if case.status not in (S.DRAFT, S.OPEN, S.RETURNED, S.SUSPENDED):
        return frozenset()
    return frozenset(verb.name.lower() for verb in verbs_for(case, user) & ON_THE_BOARD)
