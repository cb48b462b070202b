"""What came in the last hours: anomalies in the reader's queues, as they joined alerts."""

from datetime import UTC, datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from alerts.analytics.drawing import Step, steps
from alerts.analytics.section import Section
from alerts.analytics.window import Window, ask
from alerts.models import AlertHit
from anomalyshield.exports import Column
from anomalyshield.templatetags.words import when
from scoring.payment_words import country_alone

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
        [
            Step(when(at, "short"), n, _("{at}: {n} anomalies").format(at=when(at, "short"), n=n))
            for at, n, _unused, _unused in rows
        ],
        _("Anomalies in steps of {minutes} minutes").format(
            minutes=int(width.total_seconds() // 60)
        ),
    )
    return Section(
        "stream",
        _("Anomalies as they come"),
        _("Payments that were held or blocked and joined an alert of your queues."),
        [
            Column(_("From"), "moment"),
            Column(_("Anomalies"), "number"),
            Column("CRITICAL", "number"),
            Column(_("Amount"), "money"),
        ],
        rows,
        chart=drawn,
        empty=_("Nothing was held or blocked in this time."),
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
        _("The latest"),
        _("The last {latest} of them, the newest first.").format(latest=LATEST),
        [
            Column(_("Alert")),
            Column(_("At"), "moment"),
            Column(_("Customer"), personal=True),
            Column(_("Amount"), "money"),
            Column(_("Currency")),
            Column(_("Score"), "score"),
            Column(_("Level")),
            Column(_("Merchant category")),
            Column(_("Place")),
            Column(_("Reasons")),
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
                hit.transaction.location or country_alone(hit.transaction.country),
                ", ".join(hit.decision.reason_codes),
            )
            for hit in found
        ],
        links=[reverse("alert", args=[hit.alert_id]) for hit in found],
        own_currency=True,
        empty=_("Nothing was held or blocked in this time. Ask for a longer one above."),
        open=True,
    )
