"""Shows and reads signs of life: what `manage.py doctor` and /health/deep look at.

`ticker`: the ticker goes round. `queue:<name>`: a worker process asks the database for that
queue's work. `bell:<name>`: a bell came all the way through ticker, broker and worker.
`stream:<number>`: somebody reads the broker of that source; its details say what is in the way
(`trouble`), and why the reader ended (`ended`).
"""

import time
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from anomalyshield.models import Heartbeat

SHOW_SECONDS = 1.0  # a process shows each sign at most this often
STALE_SECONDS = 15.0
_shown: dict[str, float] = {}


def show(name: str, **details: Any) -> None:
    if time.monotonic() - _shown.get(name, 0) < SHOW_SECONDS:
        return
    _shown[name] = time.monotonic()
    # One statement: two tickers may write the first sign at the same moment.
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=Now(), details=details)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at", "details"],
    )


def last(name: str, **details: Any) -> None:
    """The last sign of one that ends, however soon after the one before."""
    _shown.pop(name, None)
    show(name, **details)


def is_fresh(sign: Heartbeat | None) -> bool:
    """Whether whoever shows it is at work now, as far as can be known."""
    if sign is None or "ended" in sign.details:
        return False
    return (timezone.now() - sign.at).total_seconds() <= STALE_SECONDS


def signs() -> "QuerySet[Heartbeat]":
    """Each sign of life with its age by the database's clock."""
    age = ExpressionWrapper(Now() - F("at"), output_field=DurationField())
    return Heartbeat.objects.annotate(age=age)


def ages() -> dict[str, float]:
    """Seconds since each sign of life."""
    return {sign.name: sign.age.total_seconds() for sign in signs()}


def stale(expected: list[str], known: dict[str, float] | None = None) -> list[str]:
    """Those of the expected signs that are missing or too old."""
    known = ages() if known is None else known
    return [name for name in expected if known.get(name, STALE_SECONDS) >= STALE_SECONDS]
