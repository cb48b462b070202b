"""How queues are: what comes, what is decided, what waits and how long, what is late, how fast."""

from collections import defaultdict
from datetime import date
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from alerts.analytics import arithmetic
from alerts.analytics.drawing import Step, steps
from alerts.analytics.section import Section
from alerts.analytics.trends import starts
from alerts.analytics.window import Window, ask
from anomalyshield.exports import Column
from anomalyshield.templatetags.words import upto

# Each half by its own index: what came by (queue, created_at), what went by (queue, closed_at).
MOVED = """
SELECT queue_id, begins, sum(came), sum(went), sum(late), sum(frauds) FROM (
    SELECT queue_id, date_trunc(%(step)s, created_at AT TIME ZONE %(zone)s)::date AS begins,
           count(*) AS came, 0 AS went, 0 AS late, 0 AS frauds
    FROM alerts_alert
    WHERE queue_id = ANY(%(queues)s) AND created_at >= %(since)s AND NOT (status = 'MERGED')
    GROUP BY 1, 2
    UNION ALL
    SELECT queue_id, date_trunc(%(step)s, closed_at AT TIME ZONE %(zone)s)::date,
           0, count(*), count(*) FILTER (WHERE closed_at > due_at),
           count(*) FILTER (WHERE disposition = 'TRUE_POSITIVE_FRAUD')
    FROM alerts_alert
    WHERE queue_id = ANY(%(queues)s) AND status = 'CLOSED' AND closed_at >= %(since)s
    GROUP BY 1, 2
) AS moved GROUP BY queue_id, begins
"""
PACE = """
SELECT queue_id, count(*), count(DISTINCT (closed_by_id, date_trunc('hour', closed_at))),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - created_at))
FROM alerts_alert
WHERE queue_id = ANY(%(queues)s) AND status = 'CLOSED' AND closed_at >= %(since)s
GROUP BY queue_id
"""
WAITING = """
SELECT queue_id, count(*), count(*) FILTER (WHERE due_at < %(now)s),
       count(*) FILTER (WHERE due_at >= %(now)s AND due_at < %(now)s + interval '4 hours'),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM %(now)s - created_at)),
       extract(epoch FROM %(now)s - min(created_at)), sum(expected_loss)
FROM alerts_alert
WHERE queue_id = ANY(%(queues)s) AND NOT (status = 'CLOSED') AND NOT (status = 'MERGED')
GROUP BY queue_id
"""
Moved = dict[tuple[int, date], tuple[int, int, int, int]]


def sections(window: Window) -> list[Section]:
    moved: Moved = {
        (queue, begins): (int(came), int(went), int(late), int(frauds))
        for queue, begins, came, went, late, frauds in ask(MOVED, window.params)
    }
    waiting = {queue: rest for queue, *rest in ask(WAITING, window.params)}
    pace = {queue: rest for queue, *rest in ask(PACE, window.params)}
    opened = sum(row[0] for row in waiting.values())
    return [_by_step(window, moved, opened), _queues(window, moved, waiting, pace)]


def _by_step(window: Window, moved: Moved, opened: int) -> Section:
    sums: dict[date, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (_queue, begins), row in moved.items():
        sums[begins] = [a + b for a, b in zip(sums[begins], row, strict=True)]
    days = starts(window)
    pairs = [(sums[day][0], sums[day][1]) for day in days]
    later = [row for day, row in sums.items() if day not in set(days)]
    after = (sum(row[0] for row in later), sum(row[1] for row in later))
    ends = arithmetic.backlogs(opened, pairs, after)
    rows = [
        (day, came, went, end, sums[day][2], sums[day][3])
        for day, (came, went), end in zip(days, pairs, ends, strict=True)
    ]
    drawn = [
        Step(
            f"{day}",
            came,
            _("{day}: {came} came, {went} decided, {end} wait").format(
                day=day, came=upto(came), went=upto(went), end=upto(end)
            ),
        )
        for day, came, went, end, *_rest in rows
    ]
    return Section(
        "flow",
        _("What comes and what is decided"),
        _("Alerts by {step}: columns are what came, the line is what was decided.").format(
            step=window.step_in_words
        ),
        [
            Column(capfirst(window.step_in_words), "day"),
            Column(_("Came"), "number"),
            Column(_("Decided"), "number"),
            Column(_("Wait at its end"), "number"),
            Column(_("Decided late"), "number"),
            Column(_("Frauds"), "number"),
        ],
        rows,
        chart=steps(
            drawn,
            _("Alerts by {step}").format(step=window.step_in_words),
            [float(went) for _day, _came, went, *_rest in rows],
        ),
        bars=1,
    )


def _queues(
    window: Window, moved: Moved, waiting: dict[int, list[Any]], pace: dict[int, list[Any]]
) -> Section:
    rows = []
    for queue, name in window.names:
        came, went, late, frauds = (
            sum(row[place] for (one, _), row in moved.items() if one == queue) for place in range(4)
        )
        opened, overdue, soon, age, oldest, risk = waiting.get(queue, [0, 0, 0, None, None, 0])
        _count, hours, median = pace.get(queue, [0, 0, None])
        rows.append(
            (
                name, came, went, opened, overdue, soon, _hours(age), _hours(oldest), risk,
                late / went if went else None, frauds / went if went else None,
                went / hours if hours else None, _hours(median),
            )
        )  # fmt: skip
    return Section(
        "queues",
        _("Each queue"),
        _("What waits is of this moment; the rest is of the time above."),
        [
            Column(_("Queue")),
            Column(_("Came"), "number"),
            Column(_("Decided"), "number"),
            Column(_("Wait"), "number"),
            Column(_("Overdue"), "number"),
            Column(_("Due within 4 h"), "number"),
            Column(_("Median age, h"), "number"),
            Column(_("Oldest, h"), "number"),
            Column(_("Expected loss waiting"), "money"),
            Column(_("Decided late"), "share"),
            Column(_("Frauds"), "share"),
            Column(_("Decisions an hour"), "number"),
            Column(_("Median to decide, h"), "number"),
        ],
        rows,
        note=_("Decisions an hour: for each hour in which a person decided something."),
        empty=_("You work no queue. A lead or an admin gives you one."),
        bars=3,
        open=True,
    )


def _hours(seconds: Any) -> float | None:
    return None if seconds is None else round(float(seconds) / 3600, 1)
