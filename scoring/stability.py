"""Whether what comes in still looks like what the champion learnt from, feature by feature."""

from datetime import timedelta

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from scoring.engine import moving
from scoring.engine.features import NAMES, widened, widths
from scoring.models import FeatureDrift, ModelVersion, Snapshot

DAYS = 7
PER_DAY = 3_000  # vectors looked at of each day, spread evenly over it
ENOUGH = 500  # fewer move by chance: ten bars of 500 rows differ by 0.02 from the same ten of many

# By the primary key, one probe for each place: the same few thousand reads on a day of millions.
SPREAD = """
WITH ends AS (
    SELECT min(transaction_id) AS first, max(transaction_id) AS last
    FROM scoring_snapshot WHERE day = %(day)s
)
SELECT DISTINCT ON (found.transaction_id) found.spec, found.vector
FROM ends, generate_series(0, %(most)s - 1) AS place
CROSS JOIN LATERAL (
    SELECT transaction_id, spec, vector FROM scoring_snapshot
    WHERE day = %(day)s
      AND transaction_id >= ends.first + (ends.last - ends.first) * place / (%(most)s - 1)
    ORDER BY transaction_id LIMIT 1
) AS found
ORDER BY found.transaction_id
"""


def remember(version: ModelVersion, vectors: np.ndarray) -> FeatureDrift:
    """Keep how the values lay that a version has learnt from."""
    kept = moving.reference(vectors, NAMES)
    return FeatureDrift.objects.create(version=version, learnt=len(vectors), reference=kept)


def of_champion() -> FeatureDrift | None:
    """What is known of the champion's features; None for one that kept no reference."""
    champion = ModelVersion.State.CHAMPION
    found = FeatureDrift.objects.select_related("version").filter(version__state=champion)
    return found.defer("reference").first()


@transaction.atomic
def measure() -> None:
    """Hold the vectors of the latest seven days against the champion's; a job does it hourly."""
    drift = FeatureDrift.objects.filter(version__state=ModelVersion.State.CHAMPION).first()
    newest = Snapshot.objects.order_by("-day").values_list("day", flat=True).first()
    if drift is None or newest is None:
        return
    first = newest - timedelta(days=DAYS - 1)
    rows = np.concatenate([_of_day(first + timedelta(days=n)) for n in range(DAYS)])
    indices = moving.moved(drift.reference, rows, NAMES) if len(rows) >= ENOUGH else {}
    FeatureDrift.objects.filter(pk=drift.pk).update(
        since=first,
        until=newest,
        rows=len(rows),
        moved={name: round(index, 4) for name, index in indices.items()},
        measured_at=timezone.now(),
    )


def _of_day(day: object) -> np.ndarray:
    with connection.cursor() as cursor:
        cursor.execute(SPREAD, {"day": day, "most": PER_DAY})
        known = widths()
        kept = [
            widened(np.frombuffer(bytes(vector), "<f8"))
            for spec, vector in cursor.fetchall()
            if spec in known
        ]
    return np.array(kept).reshape(-1, len(NAMES))
