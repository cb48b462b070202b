"""What the alerts miss, from the sample below the line: frauds missed and recall, with intervals.

Beside them what labels alone would say, which is too good: of what nobody looked at only reported
frauds are known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from alerts.dispositions import LABEL_OF
from alerts.models import Alert, Sample, SampleDraw
from anomalyshield.together import HowMany, answered
from scoring.below import Below
from scoring.engine.sampling import Estimate, bands, estimated, recall, strata_of
from scoring.models import Decision, Label, ModelVersion

DAYS = (7, 30, 90)


@dataclass(frozen=True)
class Band:
    """One band of the risk score in the draws of these days."""

    low: float
    high: float
    population: int
    drawn: int
    answered: int  # one way or the other
    undecided: int  # answered: inconclusive
    found: int


@dataclass(frozen=True)
class Recall:
    """What the page shows and the API tells. None: nobody has answered anything yet."""

    days: int
    draws: int
    bands: list[Band]
    waiting: int
    caught: int  # alerted and confirmed
    open: int  # alerted, and nobody has said yet what it was
    reported: int  # not alerted, and called fraud all the same
    missed: Estimate | None
    recall: tuple[float, float, float] | None
    naive: float | None  # of what is labelled


def measured(days: int = 30) -> Recall:
    """Over the draws of so many days, of all decisions they were drawn from."""
    return _over(list(_drawn_in(days)), days)


def of_version(version: ModelVersion) -> Below | None:
    """The same over the days of the last ninety on which this version decided everything."""
    draws = list(_decided_by(version, _drawn_in(DAYS[-1])))
    if not draws:
        return None
    found = _over(draws, DAYS[-1])
    return Below(
        since=min(one.day for one in draws),
        until=max(one.day for one in draws),
        draws=found.draws,
        population=sum(band.population for band in found.bands),
        drawn=sum(band.drawn for band in found.bands),
        answered=sum(band.answered for band in found.bands),
        caught=found.caught,
        missed=found.missed,
        recall=found.recall,
        naive=found.naive,
    )


def _drawn_in(days: int) -> QuerySet[SampleDraw]:
    since = timezone.now().date() - timedelta(days=days)
    return SampleDraw.objects.filter(day__gte=since)


def _decided_by(version: ModelVersion, draws: QuerySet[SampleDraw]) -> QuerySet[SampleDraw]:
    """Those whose first, last and sampled decisions are of this version: it did not change then."""
    within = Decision.objects.filter(pk__gt=OuterRef("after"), pk__lte=OuterRef("until"))
    first, last = (within.order_by(order).values("model")[:1] for order in ("pk", "-pk"))
    whole = draws.annotate(first=Subquery(first), last=Subquery(last))
    others = Sample.objects.filter(draw=OuterRef("pk")).exclude(
        transaction__decision__model=version
    )
    return whole.filter(~Exists(others), first=version.pk, last=version.pk)


def _over(draws: list[SampleDraw], days: int) -> Recall:
    rows = list(_answers(draws))
    populations = _populations(draws)
    missed = estimated(strata_of(populations, [(b, c, f) for b, c, f in rows if f is not None]))
    caught, undecided, reported = _known(draws)
    known = caught + reported
    return Recall(
        days=days,
        draws=len(draws),
        bands=_bands(draws, populations, rows),
        waiting=Sample.objects.waiting().filter(draw__in=draws).count(),
        caught=caught,
        open=undecided,
        reported=reported,
        missed=missed,
        recall=recall(caught, missed) if missed and caught + missed.high else None,
        naive=caught / known if known else None,
    )


def _answers(draws: list[SampleDraw]) -> Iterable[tuple[int, float, bool | None]]:
    """Band, chance and whether it was fraud of each answer; None where it is inconclusive.

    The last word counts, whoever said it: a chargeback knows more than who looked.
    """
    standing = Label.objects.filter(transaction=OuterRef("transaction")).standing().decisive()
    answered = Sample.objects.answered().filter(draw__in=draws)
    found = answered.annotate(word=Subquery(standing.values("value")[:1]))
    for band, chance, said, word in found.values_list("band", "chance", "said", "word"):
        value = word or LABEL_OF[Alert.Disposition(said)]
        undecided = value == Label.Value.INCONCLUSIVE
        yield band, chance, None if undecided else value == Label.Value.TRUE_FRAUD


def _populations(draws: list[SampleDraw]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for one in draws:
        for band, stratum in enumerate(one.strata):
            sizes[band] = sizes.get(band, 0) + stratum["population"]
    return sizes


def _known(draws: list[SampleDraw]) -> tuple[int, int, int]:
    """Frauds among what was raised, what of it is undecided, and frauds among what was not."""
    if not draws:
        return 0, 0, 0
    of = Decision.objects.filter(
        pk__gt=min(one.after for one in draws), pk__lte=max(one.until for one in draws)
    )
    standing = Label.objects.filter(transaction=OuterRef("transaction")).standing()
    fraud = Exists(standing.filter(value=Label.Value.TRUE_FRAUD))
    raised = of.reviewable()
    labelled = Label.objects.standing().filter(value=Label.Value.TRUE_FRAUD)
    reported = labelled.filter(transaction__decision__in=of.filter(reviewable=False))
    undecided = raised.exclude(Exists(standing.decisive()))
    caught, open_, said = answered(
        (HowMany(raised.filter(fraud)), HowMany(undecided), HowMany(reported))
    )
    return caught, open_, said


def _bands(draws: list[SampleDraw], sizes: dict[int, int], rows: list[Any]) -> list[Band]:
    edges = draws[0].edges if draws else ()
    return [
        Band(
            low=low,
            high=min(high, 1.0),
            population=sizes.get(band, 0),
            drawn=sum(one.strata[band]["drawn"] for one in draws),
            answered=sum(b == band and f is not None for b, _, f in rows),
            undecided=sum(b == band and f is None for b, _, f in rows),
            found=sum(b == band and f is True for b, _, f in rows),
        )
        for band, (low, high) in enumerate(bands(edges) if draws else [])
    ]
