"""Labels by the day of their payment: how many of which source say what. See `daycounts.py`."""

LAST = 2**63 - 1  # an id that no row has: all there are


def signed(above: str, most: str) -> str:
    """Labels with an id above one, and the words they took the place of: +1 and -1.

    In the order of ids, so that the index of ids is walked whatever the planner believes of a
    number it does not know yet; what was superseded is looked up row by row.
    """
    return f"""
    SELECT new.transaction_id, said.event_time, said.origin, said.value, said.sign
    FROM (
        SELECT transaction_id, event_time, origin, value, supersedes_id FROM scoring_label
        WHERE id > {above} AND id <= {most} ORDER BY id
    ) AS new
    CROSS JOIN LATERAL (
        SELECT new.event_time, new.origin, new.value, 1 AS sign
        UNION ALL
        SELECT event_time, origin, value, -1 FROM scoring_label
        WHERE id = new.supersedes_id AND new.supersedes_id IS NOT NULL
    ) AS said
    """


DAY = "(event_time AT TIME ZONE 'UTC')::date"
COUNT = f"""
INSERT INTO scoring_labelday AS kept (day, origin, value, count)
SELECT {DAY}, origin, value, sum(sign)
FROM ({signed("%(above)s", "%(most)s")}) AS signed
GROUP BY 1, 2, 3 HAVING sum(sign) <> 0
ON CONFLICT (day, origin, value) DO UPDATE SET count = kept.count + excluded.count
"""
# `day`, `origin`, `value` and `count` of all labels that stand; several rows of one day are added.
LABELS = f"""
SELECT day, origin, value, count FROM scoring_labelday
UNION ALL
SELECT {DAY}, origin, value, sign FROM (
    SELECT coalesce(max(through), 0) AS through FROM scoring_countedthrough
    WHERE "table" = 'scoring_label'
) AS counted
CROSS JOIN LATERAL ({signed("counted.through", f"{LAST}")}) AS since
"""
