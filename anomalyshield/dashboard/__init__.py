"""The first page: what waits for this person, by what they are here for."""

import hashlib
from collections.abc import Callable, Sequence

from django.utils.translation import gettext_lazy as _

from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import ADMIN, ANALYST, ENGINEER, OWNER
from anomalyshield.dashboard import approvals, data, house, learning, work
from anomalyshield.dashboard.parts import Board, Maker
from anomalyshield.together import together

Audience = Callable[[User], bool]


def _holds(role: str) -> Audience:
    return lambda user: role in user.roles


def _leads(user: User) -> bool:
    return ANALYST in user.roles and user.is_lead


# For whom, under which heading, which figures, which lists. In this order on the page.
BOARDS: list[tuple[Audience, str, list[Maker], list[Maker]]] = [
    (
        _holds(ANALYST),
        _("My work"),
        [work.own_alerts, work.team_queue, work.late, work.decided_today, work.open_cases],
        [work.next_due, work.urgent, approvals.approvals, work.last_verdicts],
    ),
    (
        _leads,
        _("The team"),
        [work.backlog, work.throughput, work.precision],
        [work.ageing, work.by_day, work.people],
    ),
    (
        _holds(ENGINEER),
        _("Data"),
        [data.rate, data.lag, data.rejects, data.files],
        [data.sources, data.recent_files],
    ),
    (
        _holds(OWNER),
        _("Models"),
        [learning.champion, learning.labels_waiting, learning.runs_under_way],
        [approvals.approvals, learning.drift, learning.runs, learning.versions],
    ),
    (
        _holds(ADMIN),
        _("The house"),
        [house.people, house.sessions, house.trail, house.platform, learning.champion],
        [house.components, house.refusals, approvals.approvals],
    ),
]
EVERYONE: list[Maker] = [house.own_doings]


def boards(user: User) -> list[Board]:
    """One board per role held; nothing twice for those who hold several. Whatever the parts have
    to know is asked together."""
    user.queues_seen = None  # asked anew by whoever needs it first
    mine = [(title, tiles, [*panels]) for to, title, tiles, panels in BOARDS if to(user)]
    if not mine:
        return []
    mine[-1][2].extend(EVERYONE)
    makers = dict.fromkeys(make for _, tiles, panels in mine for make in (*tiles, *panels))
    made = dict(zip(makers, together(*[make(user) for make in makers]), strict=True))
    return [
        Board(
            title,
            [tile for make in tiles if (tile := made.pop(make, None)) and tile.address],
            [panel for make in panels if (panel := made.pop(make, None)) and panel.shown],
        )
        for title, tiles, panels in mine
    ]


def digest(found: Sequence[object]) -> str:
    """Changes with anything the page would show otherwise."""
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]
