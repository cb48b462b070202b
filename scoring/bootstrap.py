"""A first model where there is none: learnt from what is stored, before it is scored.

Without one every decision is a REVIEW: a first file of a million rows would be a million alerts.
"""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from scoring import current, history, promotions, registry, stability, training
from scoring.engine import features
from scoring.engine.history import Rows
from scoring.engine.training import fit
from scoring.models import ModelVersion

log = logging.getLogger(__name__)
LEAST = 1_000  # fewer show neither what is usual nor what is rare
MOST = 50_000  # more teach an isolation forest nothing
# Whole users, so that each has the past it has; by their hashed keys, so that they are any users.
SAMPLE = "SELECT id FROM scoring_transaction ORDER BY user_key, event_time LIMIT %s"
# The turn is held while the model is learnt. That takes a slow machine longer than the minute after
# which an idle transaction is ended; then every payment of a first file would be for review.
PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '30min'"
TURN = "SELECT pg_try_advisory_xact_lock(hashtext('scoring.first_model'))"


@transaction.atomic
def first_model() -> ModelVersion | None:
    """Learn one and put it into service; None if there is one, or too little to learn from."""
    if ModelVersion.objects.filter(state=ModelVersion.State.CHAMPION).exists():
        return None
    with connection.cursor() as cursor:
        cursor.execute(TURN)
        if not cursor.fetchone()[0]:  # somebody else is at it
            return None
        cursor.execute(PATIENCE)
        cursor.execute(SAMPLE, [MOST])
        ids = [id for (id,) in cursor.fetchall()]
    if len(ids) < LEAST:
        return None
    return _learnt(history.stored_events(ids))


def _learnt(events: Rows) -> ModelVersion:
    vectors = features.compute(events, history.read(events, known_at=timezone.now()))
    budget = training.default_budget()
    bundle = fit(vectors, None, events["time"], budget=budget)
    note = "Made by itself from the first transactions, for want of any model."
    version = registry.register(
        bundle,
        by="worker",
        kind=bundle.kind,
        metrics={"budget": budget, "note": note},
        cutoff=_moment(events),
        trained_rows=len(events),
    )
    stability.remember(version, vectors)
    version = promotions.install_first(version=version, by="worker")
    transaction.on_commit(current.forget)
    log.info("%s is the first model, from %d transactions", version, len(events))
    return version


def _moment(events: Rows) -> datetime:
    return history.EPOCH + timedelta(microseconds=int(events["time"].max()))
