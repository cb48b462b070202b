"""How far two people agree who look at the same alert, and how often the first word is overturned.

Of persons only counts with their intervals, by name, for who leads them, and none of fewer than
twenty reviews: what so few say of somebody is chance. Nobody else's figures are read with names:
page, file and API tell from here.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.dispositions import LABEL_OF
from alerts.guards import leads
from alerts.models import Alert, Consequence, Review
from alerts.visibility import queues_of
from anomalyshield.accounts.models import User
from anomalyshield.templatetags.words import label_in_words
from scoring.engine.agreement import Agreement, cohen
from scoring.engine.sampling import Share, counted, weighted_share
from scoring.models import Label, Notice

DAYS = (30, 90, 365)
USUAL = 90
LEAST = 20  # reviews of one person, below which nothing is said of them
MOST = 20_000  # the latest; more change no figure
LABELS = [Label.Value.TRUE_FRAUD, Label.Value.FALSE_POSITIVE, Label.Value.INCONCLUSIVE]
READ = (
    "why", "chance", "verdict__disposition", "said", "outcome", "alert__typology",
    "alert__queue__name", "decided_by",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """Answered reviews that have all of this in common, and how many of them there are."""

    why: str
    chance: float
    first: str
    then: str
    outcome: str
    typology: str
    queue: str
    person: int  # who decided; by name only in `figures`
    many: int = 1

    @cached_property
    def labels(self) -> tuple[str, str]:
        first, then = (LABEL_OF[Alert.Disposition(one)] for one in (self.first, self.then))
        return first, then

    @property
    def agreed(self) -> bool:
        first, then = self.labels
        return first == then

    @property
    def settled(self) -> bool:
        return self.outcome != Review.Outcome.DISCUSS

    @property
    def overturned(self) -> bool:
        return self.outcome == Review.Outcome.OVERTURNED


@dataclass(frozen=True)
class Line:
    """One group of reviews: how many agreed, how many settled ones were overturned."""

    name: str
    agreed: Share
    overturned: Share


@dataclass(frozen=True)
class Figures:
    """What the page shows, the API tells and the export holds."""

    days: int
    reviews: int
    settled: int  # of these; the others are still under discussion
    at_random: Agreement
    all: Agreement
    table: list[tuple[str, list[int]]]  # first said → how often each was said then
    heads: list[str]
    overturned: tuple[float, float, float]  # of all verdicts, estimated; NaN without a review
    outside: Share  # payments called genuine: frauds by reports from outside
    groups: dict[str, list[Line]] = field(default_factory=dict)
    by_person: str = ""  # the name of the group of persons, where one is shown
    hidden: int = 0  # persons with too few reviews


def figures(asker: Any, days: int = USUAL) -> Figures:
    """Of the queues this person sees, over reviews answered in so many days."""
    rows = read(asker, days)
    at_random = [row for row in rows if row.why == Review.Why.RANDOM]
    settled = [row for row in rows if row.settled]
    groups = {
        _("Disposition"): lines(rows, lambda row: str(Alert.Disposition(row.first).label)),
        _("How it was drawn"): lines(rows, lambda row: str(Review.Why(row.why).label)),
        _("Typology"): lines(rows, lambda row: _typology(row.typology)),
        _("Queue"): lines(rows, lambda row: row.queue),
    }
    names = names_of({row.person for row in rows}) if leads(asker) else {}
    persons = lines(rows, lambda row: names[row.person]) if names else []
    told = [line for line in persons if line.agreed.of >= LEAST]
    if told:
        groups[_("Who decided")] = told
    return Figures(
        days=days,
        reviews=sum(row.many for row in rows),
        settled=sum(row.many for row in settled),
        at_random=cohen(table(at_random)),
        all=cohen(table(rows)),
        table=list(zip(_heads(), table(rows), strict=True)),
        heads=_heads(),
        overturned=weighted_share(
            [row.overturned for row in settled for _ in range(row.many)],
            [row.chance for row in settled for _ in range(row.many)],
        ),
        outside=overturned_outside(asker, days),
        groups={name: found for name, found in groups.items() if found},
        by_person=_("Who decided") if told else "",
        hidden=len(persons) - len(told),
    )


def read(asker: Any, days: int) -> list[Row]:
    """The answered reviews of standing verdicts, the latest so many, alike ones together."""
    since = timezone.now() - timedelta(days=days)
    found = Review.objects.standing().answered().filter(answered_at__gte=since)
    seen = found.filter(alert__queue__in=queues_of(asker)).order_by("-answered_at", "-pk")
    alike = Counter(seen.values_list(*READ)[:MOST])
    return [Row(*values, many) for values, many in alike.items()]


def names_of(people: Iterable[int]) -> dict[int, str]:
    """As pages call them; of two who are called alike, with the user name."""
    found = User.objects.in_bulk(list(people))
    alike = Counter(map(str, found.values()))
    return {
        pk: str(one) if alike[str(one)] == 1 else f"{one} ({one.get_username()})"
        for pk, one in found.items()
    }


def overturned_outside(asker: Any, days: int) -> Share:
    """Of the payments that verdicts of so many days called genuine, those that a chargeback or
    another report from outside calls fraud by now. What nobody disputes says nothing."""
    since = timezone.now() - timedelta(days=days)
    said = Consequence.objects.filter(
        verdict__undone_at=None,
        verdict__at__gte=since,
        verdict__alert__queue__in=queues_of(asker),
        label__value=Label.Value.FALSE_POSITIVE,
    )
    later = Notice.objects.filter(
        transaction=OuterRef("hit__transaction"), label__value=Label.Value.TRUE_FRAUD
    ).overturning()
    latest = said.order_by("-verdict__at").annotate(overturned=Exists(later))[:MOST]
    found = list(latest.values_list("overturned", flat=True))
    return Share(sum(found), len(found))


def table(rows: Iterable[Row]) -> list[list[int]]:
    """Rows: the label that was given first; columns: the one of the second person."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        counts[row.labels] += row.many
    return [[counts[first, then] for then in LABELS] for first in LABELS]


def lines(rows: list[Row], name_of: Any) -> list[Line]:
    """By name, never by figure: this is no ranking."""
    agreed = counted((name_of(row), row.agreed, row.many) for row in rows)
    overturned = counted((name_of(row), row.overturned, row.many) for row in rows if row.settled)
    return [
        Line(name, share, overturned.get(name, Share(0, 0)))
        for name, share in sorted(agreed.items())
    ]


def _heads() -> list[str]:
    return [label_in_words(label) for label in LABELS]


def _typology(value: str) -> str:
    return str(Alert.Typology(value).label) if value else _("Not said")
