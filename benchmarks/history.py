"""How long reading the past takes: of one payment while its sender waits, and of a chunk of a file.

python -m benchmarks.history [--rows 200000]
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

from benchmarks.stack import installation

# Sixty days in the order of time, as a file brings them: users with a card and a device of their
# own, 240 merchants of which a few take most, one payment in a hundred a fraud.
PAID = """
INSERT INTO scoring_transaction (
    source_id, external_id, event_time, amount, currency, amount_units, user_id, card_id,
    device_id, merchant_name, merchant_category, mcc, location, country, channel, timezone,
    user_key, card_key, device_key, merchant_key, place_key, category_key, digest
)
SELECT %(source)s, 'h' || number, now() - interval '60 days' * (1 - number / %(rows)s::float8),
    25, 'USD', (random() * 1e6)::int8, 'user ' || who, 'card ' || who, 'device ' || who,
    'merchant ' || shop, 'food', '', 'Delhi', 'IN', 'web', 'UTC',
    who * 7919, who * 104729, who * 1299709, shop * 15485863, shop %% 8 + 1, shop %% 6 + 1, ''
FROM (
    SELECT number, 1 + (random() * %(rows)s / 20)::int8 AS who,
        1 + (240 * random() * random())::int8 AS shop
    FROM generate_series(%(first)s + 1, %(last)s) AS number OFFSET 0
) AS drawn
"""
BLOCK, CHUNK = 5_000, 5_000


def fill(rows: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from scoring import labels
    from scoring.models import Source

    source, _ = Source.objects.get_or_create(name="history", defaults={"kind": "csv"})
    said = {"source": source.pk, "rows": rows}
    for first in range(0, rows, BLOCK):
        with connection.cursor() as cursor:
            cursor.execute(PAID, {**said, "first": first, "last": first + BLOCK})
        frauds = range(first + 100, first + BLOCK + 1, 100)
        labels.from_file(
            [(f"h{number}", "TRUE_FRAUD", timezone.now()) for number in frauds], source=source
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as autovacuum does within a minute


def milliseconds(work: Callable[[int], object], repeats: int) -> list[float]:
    spent = []
    for repeat in range(repeats):
        start = time.perf_counter()
        work(repeat)
        spent.append(1e3 * (time.perf_counter() - start))
    return sorted(spent)


def measure(rows: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from scoring import history

    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM scoring_transaction ORDER BY id DESC LIMIT 600")
        latest = history.stored_events([id for (id,) in cursor.fetchall()])
        # As a chunk is cut: all payments of some users.
        cursor.execute(
            "SELECT id FROM scoring_transaction ORDER BY user_key, event_time LIMIT %s", [CHUNK]
        )
        chunk = history.stored_events([id for (id,) in cursor.fetchall()])
    for row in range(20):
        history.read_now(latest[row : row + 1])
    one = milliseconds(lambda row: history.read_now(latest[row : row + 1]), len(latest))
    many = milliseconds(lambda _: history.read(chunk, known_at=timezone.now()), 7)
    print(f"the past of one payment, of {rows:>9,}     {median(one):>8.2f} ms median", end="")
    print(f", {one[int(len(one) * 0.99)]:.2f} ms p99")
    print(f"the past of a chunk of {len(chunk):,}, of {rows:>9,} {median(many):>8.1f} ms median")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    with installation(demo=False):
        fill(rows)
        measure(rows)


if __name__ == "__main__":
    main()
