"""When a source was last heard of, written down at most twice a minute whatever its traffic."""

import time
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from scoring.models import Source

EVERY = 30.0  # seconds
_noted: dict[int, float] = {}


def note(source: Source) -> None:
    """Something came from it now, good or bad."""
    now = time.monotonic()
    if now - _noted.get(source.pk, -EVERY) < EVERY:
        return
    _noted[source.pk] = now
    stale = Q(heard_at=None) | Q(heard_at__lt=Now() - timedelta(seconds=EVERY))
    Source.objects.filter(stale, pk=source.pk).update(heard_at=Now())


def forget() -> None:
    """Drop what this process remembers; tests use it."""
    _noted.clear()
