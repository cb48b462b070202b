"""Tells topics what each payment was decided on: every feature by its name, in the same commit."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from scoring.engine.features import NAMES, spec_id
from scoring.engine.scorer import Scores
from scoring.models import ModelVersion, Transaction
from scoring.webhooks import events
from scoring.webhooks.events import News


def tell(ids: Sequence[int], scores: Scores, model: ModelVersion | None, *, at: datetime) -> None:
    """Queue the vectors of these payments, in the transaction that stores their decisions."""

    def news() -> list[News]:
        columns = ("pk", "external_id", "event_time", "user_key", "source__name")
        found = Transaction.objects.select_related("source").only(*columns).in_bulk(ids)
        return [
            News(_data(found[id], place, scores, model), events.key_of(found[id]), at)
            for place, id in enumerate(ids)
        ]

    events.queue_all({events.FEATURES: news}, ring=False)  # commits would queue up for the bell


def _data(
    paid: Transaction, place: int, scores: Scores, model: ModelVersion | None
) -> dict[str, Any]:
    """No person is named. What is not known is null; `feature_set` says what the names mean."""
    values = scores.vectors[place].tolist()
    return {
        "transaction_id": paid.external_id,
        "source": paid.source.name,
        "event_time": paid.event_time.isoformat(),
        "model": model and model.pk,
        "degraded": scores.degraded[place] or None,
        "feature_set": spec_id(),
        "features": {
            name: value if math.isfinite(value) else None
            for name, value in zip(NAMES, values, strict=True)
        },
    }
