"""A sample of what raised no alert: drawn each day, looked at by analysts, labelled.

Only what is raised is looked at, so labels alone cannot say what is missed. A few of the others,
drawn with known chances, can (`alerts/recall.py`).
"""

from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts import holding
from alerts.dispositions import FOUND, LABEL_OF
from alerts.drawing import policy
from alerts.models import Alert, Sample, SampleDraw, Verdict
from anomalyshield.audit.record import record
from anomalyshield.keyed import fingerprint, key_for
from scoring import labels
from scoring.engine import sampling
from scoring.models import Decision, Label

Refused = labels.Refused
EDGES = (0.1, 0.3, 0.5)  # of the risk score: the review cut is above, at 0.7
SETTLED = timedelta(hours=1)  # decisions younger than that may still be committing
FIRST = timedelta(days=7)  # how far the first draw looks back


def daily() -> None:
    """Once a day, if a lead has set a budget."""
    shares = policy()
    if shares is not None and shares.sample_budget:
        draw(budget=shares.sample_budget)


@transaction.atomic
def draw(
    *, budget: int, by: Any = "draw", day: date | None = None, settled: timedelta = SETTLED
) -> SampleDraw | None:
    """Draw of all decisions since the last draw that raised nothing. Once a day, and never again:
    None if that was done, or if there is nothing to draw of."""
    now = timezone.now()
    day = day or now.date()
    after, until = _range(now - settled)
    if until <= after or SampleDraw.objects.filter(day=day).exists():
        return None
    drawn = _drawn(day, after, until, EDGES, budget)
    try:
        with transaction.atomic():
            made = SampleDraw.objects.create(
                day=day,
                after=after,
                until=until,
                budget=budget,
                edges=list(EDGES),
                strata=[{"population": d.population, "drawn": len(d.ids)} for d in drawn],
                key_check=fingerprint(_key(day)),
            )
    except IntegrityError:  # another ticker drew in the same moment
        return None
    rows = [
        Sample(draw=made, transaction_id=number, band=band, chance=one.chance)
        for band, one in enumerate(drawn)
        for number in one.ids
    ]
    # They are looked at in this order: what is left undone is of no band more than of another.
    key = _key(day)
    rows.sort(key=lambda one: sampling.share(key, f"order:{one.transaction_id}"))
    Sample.objects.bulk_create(rows)
    record(by=by, action="sample.drawn", object=made, after={"strata": made.strata})
    return made


def redrawn(done: SampleDraw) -> bool:
    """Whether drawing again comes to the same payments. ValueError if the key is another by now."""
    if fingerprint(_key(done.day)) != done.key_check:
        raise ValueError(
            _("The key of {done} is not the one of today: SECRET_KEY was changed.").format(
                done=done
            )
        )
    again = _drawn(done.day, done.after, done.until, done.edges, done.budget)
    stored: dict[int, set[int]] = {}
    for band, number in done.samples.values_list("band", "transaction_id"):
        stored.setdefault(band, set()).add(number)
    return stored == {band: set(one.ids) for band, one in enumerate(again) if one.ids}


def take_next(*, by: Any, behind: Sample | None = None) -> Sample | None:
    """Give them one that waits and nobody else looks at, for a quarter of an hour: the first behind
    that one, else the first of all."""
    return holding.take_first(Sample.objects.waiting(), by=by, behind=behind)


@transaction.atomic
def answer(
    *,
    by: Any,
    sample: Sample,
    disposition: str,
    typology: str = "",
    confidence: str = "",
    note: str = "",
) -> Sample:
    """Say what it was; its payment is labelled. What somebody else has said of it stays said."""
    sample = Sample.objects.select_for_update(of=("self",)).get(pk=sample.pk)
    _free(by, sample)
    meant = Alert.Disposition(disposition)
    sample.said, sample.by, sample.note = meant, by, note
    sample.confidence = confidence or Verdict.Confidence.FAIRLY
    sample.answered_at, sample.held_until = timezone.now(), None
    sample.label = _label(by, sample, typology if meant in FOUND else "")
    sample.save()
    after = {"said": meant.value, "transaction": sample.transaction_id}
    record(by=by, action="sample.answered", object=sample, after=after)
    return sample


def _label(by: Any, sample: Sample, typology: str) -> Label | None:
    """None where a label stands that one person may not change: the estimate reads that one."""
    try:
        return labels.give(
            by=by,
            transaction=sample.transaction,
            value=LABEL_OF[Alert.Disposition(sample.said)],
            origin=Label.Origin.SAMPLE,
            typology=typology,
            note=str(sample),
        )
    except labels.Refused:
        return None


def _free(by: Any, sample: Sample) -> None:
    if sample.answered_at is not None:
        raise Refused(_("{by} has answered {sample} already.").format(by=sample.by, sample=sample))
    holding.refuse_if_another_looks(sample, by)
    if not by.may("review.work"):
        raise Refused(_("Analysts answer samples."))


def _range(before: Any) -> tuple[int, int]:
    """The decisions behind the last draw, as far as none can still be committing."""
    last = SampleDraw.objects.aggregate(until=Max("until"))["until"]
    settled = Decision.objects.filter(decided_at__lt=before)
    until = settled.order_by("-pk").values_list("pk", flat=True).first() or 0
    if last is None:
        early = Decision.objects.filter(decided_at__lt=before - FIRST)
        last = early.order_by("-pk").values_list("pk", flat=True).first() or 0
    return last, until


def _drawn(day: date, after: int, until: int, edges: Any, budget: int) -> list[sampling.Drawn]:
    below = Decision.objects.filter(pk__gt=after, pk__lte=until, reviewable=False)
    rows = below.order_by("pk").values_list("transaction_id", "risk_score").iterator()
    return sampling.stratified(rows, tuple(edges), budget, _key(day))


def _key(day: date) -> bytes:
    return key_for(f"alerts.sample:{day.isoformat()}")
