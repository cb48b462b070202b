"""Tells topics what each payment was decided on: every feature by its name, in the same commit."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from scoring import arrays
from scoring.engine.features import NAMES, spec_id
from scoring.engine.scorer import Scores
from scoring.models import ModelVersion
from scoring.webhooks import events
from scoring.webhooks.events import News


class Told(NamedTuple):
    """What is told of a payment beside its features. No person is named."""

    external_id: str
    source: str
    event_time: datetime
    user_key: int


PAID = """
SELECT paid.external_id, source.name, paid.event_time, paid.user_key
FROM unnest(%s::int8[]) WITH ORDINALITY AS wanted (id, place)
JOIN scoring_transaction AS paid USING (id)
JOIN scoring_source AS source ON source.id = paid.source_id
ORDER BY wanted.place
"""


def tell(ids: Sequence[int], scores: Scores, model: ModelVersion | None, *, at: datetime) -> None:
    """Queue the vectors of these payments, in the transaction that stores their decisions."""

    def news() -> Iterator[News]:
        number, names = model and model.pk, spec_id()
        for place, paid in enumerate(_paid(ids)):
            data = {**_about(paid), "model": number, "degraded": scores.degraded[place] or None}
            features = _features(scores.vectors[place].tolist())
            data |= {"feature_set": names, "features": features}
            yield News(data, events.key_of(paid.user_key), at)

    events.queue_all({events.FEATURES: news}, ring=False)  # commits would queue up for the bell


def _paid(ids: Sequence[int]) -> list[Told]:
    """In the order of the ids: that of the scores."""
    with connection.cursor() as cursor:
        cursor.execute(PAID, [arrays.literal(ids)])
        return [Told(*row) for row in cursor.fetchall()]


def _about(paid: Told) -> dict[str, Any]:
    return {
        "transaction_id": paid.external_id,
        "source": paid.source,
        "event_time": paid.event_time.isoformat(),
    }


def _features(values: list[float]) -> dict[str, float | None]:
    """What is not known is null; `feature_set` says what the names mean."""
    told = (value if math.isfinite(value) else None for value in values)
    return dict(zip(NAMES, told, strict=True))
