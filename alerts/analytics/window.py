"""Which time a page of figures looks at, for whom, and in which steps."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from alerts.visibility import queues_of
from anomalyshield.templatetags.words import zone_named

HOURS = {"1h": _("last hour"), "6h": _("last 6 hours"), "24h": _("last 24 hours")}
DAYS = {"7d": _("last 7 days"), "30d": _("last 30 days"), "90d": _("last 90 days")}
LENGTHS = {name: timedelta(hours=int(name[:-1])) for name in HOURS} | {
    name: timedelta(days=int(name[:-1])) for name in DAYS
}
MOST = 300_000  # payments that one page counts, the latest ones: about half a second
WEEKLY = timedelta(days=60)  # longer windows are told by the week


@dataclass(frozen=True)
class Window:
    """From `since` until before `until`; `zone` is the reader's, in which days begin.

    `queues` are the ids of those the reader sees: what is said of alerts is of these alone.
    """

    since: datetime
    until: datetime
    now: datetime
    queues: tuple[int, ...]
    names: tuple[tuple[int, str], ...] = ()
    zone: str = "UTC"
    last: str = "30d"

    @property
    def step(self) -> str:
        return "week" if self.until - self.since > WEEKLY else "day"

    @property
    def step_in_words(self) -> str:
        return gettext("week") if self.step == "week" else gettext("day")

    @property
    def params(self) -> dict[str, Any]:
        """What statements are given."""
        return {
            "since": self.since,
            "until": self.until,
            "now": self.now,
            "queues": list(self.queues),
            "zone": self.zone,
            "step": self.step,
            "most": MOST,
        }

    @property
    def told(self) -> dict[str, str]:
        """As the audit trail keeps it."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}


def window_of(user: Any, last: str, *, zone: str, now: datetime | None = None) -> Window:
    """The last so many hours or days, for this reader.

    Days are whole ones of the reader's zone and end with today. Where no payment is that new (an
    installation that only read a file of the past), the window ends with the latest payment.
    """
    now = now or timezone.now()
    queues = list(queues_of(user).values_list("pk", "name"))
    until, since = now, now - LENGTHS[last]
    if last in DAYS:
        latest = _latest()
        if latest is not None and latest < since:
            until, since = latest + timedelta(microseconds=1), latest - LENGTHS[last]
        since = _midnight(since, zone)
    ids = tuple(pk for pk, _ in queues)
    return Window(since, until, now, ids, tuple(queues), zone, last)


def _midnight(moment: datetime, zone: str) -> datetime:
    local = moment.astimezone(zone_named(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _latest() -> datetime | None:
    rows = ask("SELECT max(event_time) FROM scoring_transaction", {})
    return rows[0][0]


def ask(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
