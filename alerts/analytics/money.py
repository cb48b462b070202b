"""What fraud and the work against it cost: each day by the cost model of its time."""

from collections import defaultdict
from datetime import date
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from alerts.analytics.arithmetic import Day, Sum, by_step, sum_of
from alerts.analytics.drawing import Step, steps
from alerts.analytics.section import Section
from alerts.analytics.trends import starts
from alerts.analytics.window import DAYS, Window, ask
from anomalyshield.exports import Column
from anomalyshield.templatetags.words import figure
from scoring import costs
from scoring.engine.costs import Costs, Counted

# The era of a moment: how many cost models began before it, the first not counted.
ERA = "width_bucket(extract(epoch FROM {})::float8, %(eras)s::float8[])"
# Labelled payments: stopped when they were held or blocked and nobody let them go since.
KNOWN = f"""
WITH said AS (
    SELECT label.transaction_id, label.value FROM scoring_label AS label
    WHERE label.known_at >= %(since)s AND label.value <> 'INCONCLUSIVE' AND NOT EXISTS (
        SELECT 1 FROM scoring_label AS later WHERE later.supersedes_id = label.id
    )
)
SELECT (paid.event_time AT TIME ZONE %(zone)s)::date AS day,
       {ERA.format("decided.decided_at")} AS era,
       count(*) FILTER (WHERE fraud AND NOT passed),
       coalesce(sum(paid.amount_units) FILTER (WHERE fraud AND NOT passed), 0) / 10000.0,
       count(*) FILTER (WHERE fraud AND passed),
       coalesce(sum(paid.amount_units) FILTER (WHERE fraud AND passed), 0) / 10000.0,
       count(*) FILTER (WHERE NOT fraud AND decided.outcome = 'REVIEW'),
       count(*) FILTER (WHERE NOT fraud AND decided.outcome = 'BLOCK')
FROM said
JOIN scoring_transaction AS paid ON paid.id = said.transaction_id
JOIN scoring_decision AS decided ON decided.transaction_id = paid.id
LEFT JOIN alerts_alerthit AS hit ON hit.transaction_id = paid.id
LEFT JOIN alerts_alert AS alert ON alert.id = hit.alert_id
LEFT JOIN scoring_resolution AS stands ON stands.decision_id = decided.id AND NOT EXISTS (
    SELECT 1 FROM scoring_resolution AS next WHERE next.follows_id = stands.id
)
CROSS JOIN LATERAL (
    SELECT said.value = 'TRUE_FRAUD' AS fraud,
           decided.outcome = 'APPROVE' OR coalesce(stands.state, '') = 'RELEASED' AS passed
) AS what
WHERE paid.event_time >= %(since)s AND paid.event_time < %(until)s
  AND (alert.id IS NULL OR alert.queue_id = ANY(%(queues)s))
GROUP BY day, era
"""
REVIEWED = f"""
SELECT (closed_at AT TIME ZONE %(zone)s)::date AS day, {ERA.format("closed_at")} AS era,
       count(*), count(*) FILTER (WHERE disposition = 'TRUE_POSITIVE_FRAUD')
FROM alerts_alert
WHERE queue_id = ANY(%(queues)s) AND status = 'CLOSED'
  AND closed_at >= %(since)s AND closed_at < %(until)s
GROUP BY day, era
"""


def sections(window: Window) -> list[Section]:
    eras = costs.eras()
    figures = [era.costs for era in eras]
    found = days(window, [era.since.timestamp() for era in eras if era.since])
    return [_whole(sum_of(found, figures), window), _by_step(found, figures, window)]


def days(window: Window, eras: list[float]) -> list[Day]:
    """What happened, by day and cost model; payments on their own day, reviews on theirs."""
    params = {**window.params, "eras": eras}
    counts: dict[tuple[date, int], dict[str, Any]] = defaultdict(dict)
    for day, era, stopped, saved, missed, lost, held, blocked in ask(KNOWN, params):
        counts[day, era] |= {
            "stopped": stopped, "stopped_amount": float(saved), "missed": missed,
            "missed_amount": float(lost), "held": held, "blocked": blocked,
        }  # fmt: skip
    decided: dict[tuple[date, int], tuple[int, int]] = {}
    for day, era, closed, frauds in ask(REVIEWED, params):
        counts[day, era] |= {"alerts": closed}
        decided[day, era] = (closed, frauds)
    return [
        Day(day, era, Counted(**found), *decided.get((day, era), (0, 0)))
        for (day, era), found in sorted(counts.items())
    ]


def _whole(total: Sum, window: Window) -> Section:
    bill, counted = total.bill, total.counted
    rows: list[tuple[str, Any, Any]] = [
        (_("Loss prevented"), counted.stopped, bill.prevented),
        (_("Missed: known frauds that passed"), counted.missed, bill.missed),
        (_("Reviews"), counted.alerts, bill.review),
        (_("Friction: genuine payments held"), counted.held + counted.blocked, bill.friction),
        (_("Saved against doing nothing"), None, bill.saved),
        (_("For each alert decided"), total.decided, total.per_alert),
        (_("For each fraud found"), total.frauds, total.per_fraud),
    ]
    share = total.stopped_share
    note = _("Only what is known counts: labels of the last days are still to come.")
    if share is not None:
        note = _("Of the money of all known frauds {share} % was stopped. {note}").format(
            share=figure(f"{100 * share:.0f}"), note=note
        )
    return Section(
        "money",
        _("Money"),
        _("{length}, by the cost model in force at the time.").format(
            length=capfirst(DAYS[window.last])
        ),
        [Column(_("What")), Column(_("Number"), "number"), Column(_("Money"), "money")],
        rows,
        note=note,
        bars=2,
        open=True,
    )


def _by_step(found: list[Day], figures: list[Costs], window: Window) -> Section:
    parts = by_step(found, figures, starts(window))
    rows = [
        (
            begins, one.bill.prevented, one.bill.missed, one.bill.review, one.bill.friction,
            one.bill.saved, one.decided, one.per_alert,
        )
        for begins, one in parts
    ]  # fmt: skip
    drawn = [
        Step(
            f"{row[0]}",
            row[1],
            _("{row}: {row_2} prevented, {row_3} missed").format(
                row=row[0], row_2=figure(f"{row[1]:,.0f}"), row_3=figure(f"{row[2]:,.0f}")
            ),
        )
        for row in rows
    ]
    return Section(
        "by-day",
        _("By {step}").format(step=window.step_in_words),
        _("Columns are loss prevented, the line is known loss that was missed."),
        [
            Column(window.step_in_words.capitalize(), "day"),
            Column(_("Prevented"), "money"),
            Column(_("Missed"), "money"),
            Column(_("Reviews"), "money"),
            Column(_("Friction"), "money"),
            Column(_("Saved"), "money"),
            Column(_("Alerts decided"), "number"),
            Column(_("Cost per alert"), "money"),
        ],
        rows,
        chart=steps(
            drawn,
            _("Loss prevented by {step}").format(step=window.step_in_words),
            [row[2] for row in rows],
        ),
        note=_("Payments count on their day, reviews on the day of the decision."),
        bars=1,
    )
