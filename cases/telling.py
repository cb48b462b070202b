"""A case's timeline as a page shows it: each entry in words, and filters by kind."""

from collections import Counter
from dataclasses import dataclass

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop as _noop

from anomalyshield.together import Part
from cases.models import Case, CaseEvent
from scoring import retelling

K = CaseEvent.Kind
WORDS = {  # what its author did
    K.OPENED: _("opened the case"),
    K.SUBMITTED: _("asked to open it"),
    K.OPENING_APPROVED: _("approved the opening"),
    K.OPENING_REFUSED: _("sent it back"),
    K.ALERT_ADDED: pgettext_lazy("to a case", "added"),
    K.NOTE: _("noted"),
    K.EVIDENCE: _("added evidence"),
    K.TASK_ADDED: _("added to the tasks:"),
    K.TASK_CHANGED: _("changed a task:"),
    K.TASK_DONE: _("did"),
    K.TASK_UNDONE: _("took up again"),
    K.DETERMINED: _("determined that a report may be due"),
    K.REPORT: _("on reporting:"),
    K.STARTED: _("began to work on it"),
    K.SUSPENDED: _("suspended it"),
    K.RESUMED: _("resumed it"),
    K.HANDED_OVER: _("handed it over"),
    K.RESTRICTED: _("restricted it"),
    K.UNRESTRICTED: _("lifted the restriction"),
    K.CLOSURE_PROPOSED: _("proposed closure"),
    K.RETURNED: _("returned it"),
    K.CLOSED: _("closed it"),
    K.ABANDONED: _("abandoned it"),
    K.REOPENING_ASKED: _("asked to reopen it"),
    K.REOPENING_REFUSED: _("left it closed"),
    K.REOPENED: _("reopened it"),
}
TASKS = frozenset({K.TASK_ADDED, K.TASK_CHANGED, K.TASK_DONE, K.TASK_UNDONE})
REPORTS = frozenset({K.REPORT, K.DETERMINED})
STATES = frozenset(K) - TASKS - REPORTS - {K.ALERT_ADDED, K.NOTE, K.EVIDENCE}
GROUPS = {  # a filter: its title and the kinds it shows
    "notes": (_("Notes"), frozenset({K.NOTE})),
    "alerts": (_("Alerts"), frozenset({K.ALERT_ADDED})),
    "evidence": (_("Evidence"), frozenset({K.EVIDENCE})),
    "tasks": (_("Tasks"), TASKS),
    "reports": (_("Reporting"), REPORTS),
    "states": (_("Steps"), STATES),
}
# What verbs write beside an entry, in English: here found again and told to whoever reads.
PHRASES = {
    K.DETERMINED: (
        _noop("on {day}: {days} days, to the end of {end}"),
        _noop("on {day}: {days} days, to the end of {end}. {reason}"),
    ),
    K.REPORT: (
        _noop("Report {number} {words}."),
        _noop("Report {number} {words}: {text}"),
    ),
    K.TASK_ADDED: (
        _noop("{count} steps of {playbook}"),
        _noop("Playbook {typology}, version {version}"),
        _noop("Playbook {typology}"),
    ),
    K.HANDED_OVER: (_noop("To {to}. {reason}"), _noop("To {to}.")),
    K.RESTRICTED: (_noop("To {to}. {reason}"),),
    K.SUSPENDED: (_noop("Waits for {whom}: {reason}"),),
    K.CLOSURE_PROPOSED: (
        _noop("{outcome}: {findings}\nTasks not done: {left}"),
        _noop("{outcome}: {findings}"),
    ),
    K.CLOSED: (_noop("{outcome}"),),
}
SHORT = TASKS | REPORTS | {K.ALERT_ADDED}  # said in the same line


@dataclass(frozen=True)
class Entry:
    """One line of the timeline."""

    event: CaseEvent
    words: str
    short: bool
    text: str = ""


@dataclass(frozen=True)
class Told:
    """The entries shown, and the filters with how many entries each has."""

    entries: list[Entry]
    kind: str
    kinds: list[tuple[str, str, int]]
    total: int


def timeline_of(case: Case, kind: str = "") -> Part[Told]:
    """All of it, or the entries of one group; an unknown group is all of it."""
    events = yield case.timeline.select_related("author")
    counts = Counter(event.kind for event in events)
    kinds = [
        (name, title, number)
        for name, (title, members) in GROUPS.items()
        if (number := sum(counts[member] for member in members))
    ]
    known = kind if kind in {name for name, *_unused in kinds} else ""
    shown = [one for one in events if not known or one.kind in GROUPS[known][1]]
    return Told([_entry(one) for one in shown], known, kinds, len(events))


def _entry(event: CaseEvent) -> Entry:
    kind = CaseEvent.Kind(event.kind)
    text = retelling.of_phrases(event.text, PHRASES.get(kind, ()))
    if kind in TASKS:
        text = " → ".join(gettext(part) for part in text.split(" → ")) if text else ""
    return Entry(event, WORDS[kind], kind in SHORT, text)
