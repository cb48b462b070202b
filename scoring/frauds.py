"""Known frauds of users, cards, devices and merchants: written with labels, read with history."""

from collections.abc import Sequence

from django.db import connection

from scoring.engine import features
from scoring.engine.history import KINDS

DAYS = 180  # a fraud of an older payment is not looked at
# Those of the kernel, which web processes import only when they make vectors.
MEDIAN_OF, MOST_UNITS = 100, 2**50

# A label adds rows only when it turns its payment into a fraud, or back: of millions of labels that
# say "genuine" none does. Every table is looked up row by row, by its index, whatever the planner
# believes of a table that a file is just filling: a subquery with OFFSET or LIMIT is never joined
# as a set, and never walks the index of all payments in time.
# The median is the kernel's `amount_over_median` of the payment: of the last amounts of its user.
REMEMBER = f"""
INSERT INTO scoring_entityfraud
    (kind, key, transaction_id, event_time, amount_units, multiple, fraud, known_at, label_id)
SELECT whose.kind, whose.key, paid.id, paid.event_time, paid.amount_units,
    paid.amount_units / 10000::float8 / nullif(usual.median, 0),
    said.value = 'TRUE_FRAUD', said.known_at, said.id
FROM unnest(%s::int8[]) WITH ORDINALITY AS given (id, place)
CROSS JOIN LATERAL (
    SELECT id, transaction_id, value, known_at, supersedes_id
    FROM scoring_label WHERE id = given.id LIMIT 1
) AS said
LEFT JOIN LATERAL (
    SELECT value FROM scoring_label WHERE id = said.supersedes_id LIMIT 1
) AS before ON true
CROSS JOIN LATERAL (
    SELECT id, event_time, amount_units, user_key, card_key, device_key, merchant_key
    FROM scoring_transaction WHERE id = said.transaction_id LIMIT 1
) AS paid
LEFT JOIN LATERAL (
    SELECT (units[(n + 1) / 2] + units[n / 2 + 1]) / 2::float8 / 10000 AS median
    FROM (
        SELECT array_agg(units ORDER BY units) AS units, count(*)::int AS n FROM (
            SELECT least(amount_units, {MOST_UNITS}) AS units FROM (
                SELECT id, event_time, amount_units FROM scoring_transaction
                WHERE user_key = paid.user_key AND event_time <= paid.event_time
                  AND event_time > paid.event_time - interval '{24 * features.DAYS} hours'
                  AND (event_time, id) < (paid.event_time, paid.id)
                OFFSET 0
            ) AS past
            ORDER BY event_time DESC, id DESC LIMIT {MEDIAN_OF}
        ) AS latest
    ) AS sorted
) AS usual ON said.value = 'TRUE_FRAUD'
CROSS JOIN LATERAL (
    VALUES ({KINDS["user"]}, paid.user_key), ({KINDS["card"]}, paid.card_key),
           ({KINDS["device"]}, paid.device_key), ({KINDS["merchant"]}, paid.merchant_key)
) AS whose (kind, key)
WHERE whose.key <> 0
  AND (said.value = 'TRUE_FRAUD') IS DISTINCT FROM (coalesce(before.value, '') = 'TRUE_FRAUD')
ORDER BY given.place, whose.kind
"""


def remember(labels: Sequence[int]) -> int:
    """Note of each entity what these new labels say; how many rows that took.

    In the labels' own transaction, and in the order they were given: the next decision of the same
    user, card, device or merchant sees it as soon as that commits, since nothing keeps a copy.
    """
    if not labels:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER, [list(labels)])
        return cursor.rowcount


# What is recorded later overrules what was said before, from its own `known_at` on: taken back, a
# label gives way to the one before it, which was known earlier. What became known only after an
# event is read too: the kernel looks at the latest so many, the same ones in any batch.
KNOWN = """
SELECT kind, key, event_time, transaction_id, amount_units, coalesce(multiple, 'NaN'),
    known_at, until
FROM (
    SELECT whose.kind, whose.key, event_time, transaction_id, amount_units, multiple, fraud,
        known_at, coalesce(min(known_at) OVER (
            PARTITION BY whose.kind, whose.key, transaction_id ORDER BY id
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        ), 'infinity') AS until
    FROM {whose} AS whose (kind, key)
    CROSS JOIN LATERAL (
        SELECT id, event_time, transaction_id, amount_units, multiple, fraud, known_at
        FROM scoring_entityfraud AS one
        WHERE one.kind = whose.kind AND one.key = whose.key
          AND event_time > %(long_ago)s::timestamptz AND event_time <= %(last)s::timestamptz
          AND recorded_at <= {known}
        OFFSET 0
    ) AS said
    WHERE whose.key <> 0
) AS stood
WHERE fraud AND known_at < until
"""
