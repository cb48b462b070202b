"""What came in the last hours: anomalies in the reader's queues, as they joined alerts."""

from datetime import UTC, datetime, timedelta

from django.urls import reverse

from alerts.analytics.drawing import Step, steps
from alerts.analytics.section import Section
from alerts.analytics.window import Window, ask
from alerts.models import AlertHit
from anomalyshield.exports import Column
from anomalyshield.templatetags.words import when

LATEST = 40
COUNTED = """
SELECT date_bin(%(bin)s, hit.at, %(since)s) AS begins, count(*),
       count(*) FILTER (WHERE decided.level = 'CRITICAL'), sum(paid.amount_units) / 10000.0
FROM alerts_alerthit AS hit
JOIN alerts_alert AS alert ON alert.id = hit.alert_id
JOIN scoring_decision AS decided ON decided.id = hit.decision_id
JOIN scoring_transaction AS paid ON paid.id = hit.transaction_id
WHERE hit.at >= %(since)s AND alert.queue_id = ANY(%(queues)s)
GROUP BY begins ORDER BY begins
"""
BINS = {"1h": timedelta(minutes=2), "6h": timedelta(minutes=10), "24h": timedelta(minutes=30)}


def sections(window: Window) -> list[Section]:
    return [_stream(window), _latest(window)]


def _stream(window: Window) -> Section:
    """In steps of some minutes, empty ones too, so that the drawing never jumps."""
    width = BINS[window.last]
    asked = {**window.params, "bin": width, "since": _starts(window, width)[0]}
    found = {
        begins: (count, critical, amount) for begins, count, critical, amount in ask(COUNTED, asked)
    }
    rows = [(at, *found.get(at, (0, 0, 0))) for at in _starts(window, width)]
    drawn = steps(
        [Step(when(at, "short"), n, f"{when(at, 'short')}: {n} anomalies") for at, n, _, _ in rows],
        f"Anomalies in steps of {int(width.total_seconds() // 60)} minutes",
    )
    return Section(
        "stream",
        "Anomalies as they come",
        "Payments that were held or blocked and joined an alert of your queues.",
        [
            Column("From", "moment"),
            Column("Anomalies", "number"),
            Column("CRITICAL", "number"),
            Column("Amount", "money"),
        ],
        rows,
        chart=drawn,
        empty="Nothing was held or blocked in this time.",
        bars=1,
    )


def _starts(window: Window, width: timedelta) -> list[datetime]:
    """On round minutes, so that a step stays the same step when the page asks again."""
    step = width.total_seconds()
    first = datetime.fromtimestamp(window.since.timestamp() // step * step, tz=UTC)
    count = int((window.until - first) / width) + 1
    return [first + width * place for place in range(count)]


def _latest(window: Window) -> Section:
    hits = (
        AlertHit.objects.filter(at__gte=window.since, alert__queue__in=window.queues)
        .select_related("alert", "decision", "transaction")
        .defer("decision__hits", "transaction__extra", "transaction__digest")
        .order_by("-at", "-id")[:LATEST]
    )
    found = list(hits)
    return Section(
        "latest",
        "The latest",
        f"The last {LATEST} of them, the newest first.",
        [
            Column("Alert"),
            Column("At", "moment"),
            Column("Customer", personal=True),
            Column("Amount", "money"),
            Column("Currency"),
            Column("Score", "score"),
            Column("Level"),
            Column("Merchant category"),
            Column("Place"),
            Column("Reasons"),
        ],
        [
            (
                str(hit.alert),
                hit.at,
                hit.user_id,
                hit.amount,
                hit.transaction.currency,
                round(hit.score, 3),
                hit.decision.level,
                hit.transaction.merchant_category,
                hit.transaction.location or hit.transaction.country,
                ", ".join(hit.decision.reason_codes),
            )
            for hit in found
        ],
        links=[reverse("alert", args=[hit.alert_id]) for hit in found],
        empty="Nothing was held or blocked in this time. Ask for a longer one above.",
        open=True,
    )
