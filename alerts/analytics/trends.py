"""How often payments are held or blocked, and how often wrongly; labels come late."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from alerts.analytics import arithmetic
from alerts.analytics.drawing import Step, steps
from alerts.analytics.payments import Counts, capped, counted
from alerts.analytics.section import Section
from alerts.analytics.window import Window, ask
from anomalyshield.exports import Column
from anomalyshield.templatetags.words import figure, percent, zone_named

BY_STEP = "date_trunc(%(step)s, event_time AT TIME ZONE %(zone)s)::date AS begins"
GROUPED = "GROUP BY begins ORDER BY begins"
LONGEST = 180  # days of label delay that are looked at
# First labels by their delay and by the age of their payment, of the last half year.
DELAYS = """
SELECT floor(extract(epoch FROM label.known_at - paid.event_time) / 86400)::int AS delay,
       floor(extract(epoch FROM %(now)s - paid.event_time) / 86400)::int AS age, count(*)
FROM scoring_label AS label JOIN scoring_transaction AS paid ON paid.id = label.transaction_id
WHERE label.known_at >= %(oldest)s AND label.supersedes_id IS NULL
  AND paid.event_time >= %(oldest)s AND label.known_at >= paid.event_time
GROUP BY delay, age
"""


@dataclass(frozen=True)
class Trend:
    """One step of time: its counts, and the share of its labels that have come."""

    begins: date
    counts: Counts
    arrived: float | None

    @property
    def ripe(self) -> bool:
        return (self.arrived or 0.0) >= arithmetic.RIPE

    @property
    def judged(self) -> int:
        """Held payments of which somebody knows what they were."""
        return self.held_frauds + self.counts.genuine

    held_frauds: int = 0

    @property
    def wrong(self) -> float | None:
        """Of the held ones that are known, those that were genuine."""
        return self.counts.genuine / self.judged if self.judged else None


def sections(window: Window) -> list[Section]:
    shares = arrival(window)
    found = trends(window, shares)
    ripe = arithmetic.days_until_ripe(shares)
    late = (
        _(
            "fewer than {ripe} of the labels of that time have come, as usual only after "
            "{ripe_2} days."
        ).format(ripe=percent(arithmetic.RIPE, 0), ripe_2=ripe)
        if ripe is not None
        else _("no label has come yet.")
    )
    more = capped(window, sum(one.counts.payments for one in found))
    return [
        _rates(
            found,
            window,
            _("Known frauds of marked rows may still turn: {late} {more}")
            .format(late=late, more=more)
            .strip(),
        ),
        _wrong(
            found,
            window,
            _("Pale and dashed may still turn: {late} {more}").format(late=late, more=more).strip(),
        ),
        _arrivals(shares),
    ]


def arrival(window: Window) -> list[float]:
    """By day of delay, the share of labels that come within it, as seen in the last half year."""
    oldest = window.now - timedelta(days=LONGEST)
    return arithmetic.arrival(ask(DELAYS, {**window.params, "oldest": oldest}))


def trends(window: Window, shares: list[float]) -> list[Trend]:
    more = "count(*) FILTER (WHERE reviewable AND value = 'TRUE_FRAUD')"
    rows = counted(f"{BY_STEP}, {more}", GROUPED, window)
    found = {begins: (frauds, counts) for begins, frauds, counts in rows}
    empty = (0, Counts(0, 0, 0, 0, 0))
    return [
        Trend(begins, found.get(begins, empty)[1], _arrived(begins, window, shares), frauds)
        for begins in starts(window)
        for frauds in [found.get(begins, empty)[0]]
    ]


def starts(window: Window) -> list[date]:
    """The days or weeks of the window, each by its first date."""
    zone = zone_named(window.zone)
    first, last = (moment.astimezone(zone).date() for moment in (window.since, window.until))
    if window.step == "week":
        first -= timedelta(days=first.weekday())
    width = 7 if window.step == "week" else 1
    return [first + timedelta(days=day) for day in range(0, (last - first).days + 1, width)]


def _arrived(begins: date, window: Window, shares: list[float]) -> float | None:
    """Of the youngest payment of the step: a step is ripe when all of it is."""
    width = timedelta(days=7 if window.step == "week" else 1)
    ends = datetime.combine(begins, datetime.min.time(), zone_named(window.zone)) + width
    age = (window.now - ends).total_seconds() / 86_400
    return arithmetic.ripeness(shares, age)


def _rates(found: list[Trend], window: Window, note: str) -> Section:
    drawn = [
        Step(f"{one.begins}", one.counts.rate, f"{one.begins}: {percent(one.counts.rate, 2)}")
        for one in found
    ]
    return Section(
        "rates",
        _("Anomaly rate"),
        _("Of all payments, those held or blocked, by {step}.").format(step=window.step_in_words),
        [
            Column(window.step_in_words.capitalize(), "day"),
            Column(_("Payments"), "number"),
            Column(_("Held or blocked"), "number"),
            Column(_("Anomaly rate"), "share"),
            Column(_("Known frauds"), "number"),
            Column(_("Labels come"), "share"),
        ],
        [_row(one) for one in found if one.counts.payments],
        chart=steps(drawn, _("Anomaly rate by {step}").format(step=window.step_in_words)),
        faint=_young([one for one in found if one.counts.payments]),
        note=note,
        bars=3,
    )


def _row(one: Trend) -> tuple[Any, ...]:
    counts = one.counts
    return (
        one.begins, counts.payments, counts.anomalies, counts.rate, counts.frauds, one.arrived,
    )  # fmt: skip


def _young(found: list[Trend]) -> frozenset[int]:
    return frozenset(place for place, one in enumerate(found) if not one.ripe)


def _wrong(found: list[Trend], window: Window, note: str) -> Section:
    drawn = [
        Step(
            f"{one.begins}",
            one.wrong,
            _("{begins}: {wrong} of {judged} known").format(
                begins=one.begins, wrong=percent(one.wrong), judged=figure(f"{one.judged:,}")
            )
            + ("" if one.ripe else _(", may still turn")),
            not one.ripe,
        )
        for one in found
    ]
    held = [one for one in found if one.counts.anomalies]
    return Section(
        "wrong",
        _("Held although genuine"),
        _("Of the held or blocked payments that are known, the genuine ones, by {step}.").format(
            step=window.step_in_words
        ),
        [
            Column(window.step_in_words.capitalize(), "day"),
            Column(_("Held or blocked"), "number"),
            Column(_("Known"), "number"),
            Column(_("Frauds"), "number"),
            Column(_("Genuine"), "number"),
            Column(_("False positive rate"), "share"),
            Column(_("Labels come"), "share"),
        ],
        [
            (
                one.begins, one.counts.anomalies, one.judged, one.held_frauds,
                one.counts.genuine, one.wrong, one.arrived,
            )
            for one in held
        ],
        chart=steps(
            drawn,
            _("Share of held payments that were genuine, by {step}").format(
                step=window.step_in_words
            ),
        ),
        faint=_young(held),
        note=note,
        bars=5,
    )  # fmt: skip


def _arrivals(shares: list[float]) -> Section:
    drawn = [
        Step(
            _("{day} days").format(day=day),
            share,
            _("within {day} days: {share}").format(day=day, share=percent(share)),
            share < arithmetic.RIPE,
        )
        for day, share in enumerate(shares)
    ]
    return Section(
        "arrival",
        _("How late labels come"),
        _("Of the labels a payment will get, those that come within so many days of it."),
        [Column(_("Days"), "number"), Column(_("Labels come"), "share")],
        list(enumerate(shares)),
        chart=steps(drawn, _("Share of labels by days after the payment")),
        note=_(
            "From the first labels of the last half year; what is too young to show a long delay "
            "is reckoned for."
        ),
        empty=_("No label has come yet."),
        bars=1,
    )
