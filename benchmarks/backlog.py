"""A desk with a past: as many alerts as asked for, their payments, decisions, hits and reasons."""

from typing import Any

QUEUES = ("cards", "transfers", "merchants", "devices", "night", "overflow")
UNTIL = [0.45, 0.7, 0.85, 0.95, 0.999]  # share up to which each takes; the last is all but empty
STAFF = 20
COUNTRIES = "AR AU BR CA CH CL CN DE ES FR GB ID IN IT JP KE MX NG PE PL SE TR US ZA".split()
# Users by a product of dice: some have hundreds of alerts, most a handful. Amounts are log-normal.
PAYMENTS = """
INSERT INTO scoring_transaction (source_id, external_id, event_time, recorded_at, amount, currency,
    amount_units, user_id, card_id, device_id, merchant_name, merchant_category, mcc, location,
    country, channel, timezone, user_key, card_key, device_key, merchant_key, place_key,
    category_key, digest)
SELECT %(source)s, 'q' || n, at, at, units / 10000.0, 'USD', units, 'u' || who, 'c' || who,
    'd' || who, 'shop ' || n %% 4000, 'electronics', '5732',
    'city ' || n %% 240, (%(countries)s::text[])[1 + n %% 24], '', '', who, who, who,
    0, 0, 0, '\\x00'
FROM (
    SELECT n, now() - interval '400 days' * (1 - n / %(payments)s::float) AS at,
        (10000 * exp(4 + sqrt(-2 * ln(1 - random())) * cos(6.2832 * random())))::bigint AS units,
        1 + (random() * random() * %(payments)s / 20)::bigint AS who
    FROM generate_series(1, %(payments)s) AS n
) AS made
"""
DECISIONS = """
INSERT INTO scoring_decision (transaction_id, policy_id, risk_score, level, outcome, reason_codes,
    hits, degraded, reviewable, known_at, decided_at, routed_at)
SELECT id, %(policy)s, score,
    CASE WHEN score > 0.9 THEN 'CRITICAL' WHEN score > 0.7 THEN 'HIGH'
         WHEN score > 0.3002 THEN 'MEDIUM' ELSE 'LOW' END,
    'REVIEW',
    CASE WHEN id %% 50000 = 0 THEN '{DENY_CARD}' WHEN id %% 3 = 0 THEN '{HIGH_AMOUNT}'
         WHEN id %% 7 = 0 THEN '{UNUSUAL_HOUR,HIGH_RISK_MCC}' ELSE '{}' END::varchar[],
    '[]', '', true, event_time, event_time, event_time
FROM (SELECT id, event_time, 0.3 + 0.69 * random() AS score FROM scoring_transaction) AS paid
ORDER BY id
"""
# The older an alert, the surer it is decided; of those left one in a hundred is somebody's.
ALERTS = """
INSERT INTO alerts_alert (decision_id, transaction_id, queue_id, entity_kind, entity, suspected,
    group_key, hit_count, total, first_event, last_event, last_hit_at, status, level, risk_score,
    expected_loss, amount, currency, user_id, reason_codes, created_at, due_at, assignee_id,
    disposition, typology, closed_at, closed_by_id, boost)
SELECT d.id, t.id, (%(queues)s::bigint[])[1 + width_bucket(t.lot, %(until)s::float[])], 'user',
    t.user_id,
    CASE WHEN t.id %% 20000 = 1 THEN 'BUST_OUT' WHEN t.id %% 4 = 0 THEN 'STOLEN_CARD'
         WHEN t.id %% 5 = 0 THEN 'CARD_TESTING' ELSE '' END,
    t.id, CASE WHEN t.id %% 10 = 0 THEN 2 ELSE 1 END, t.amount, t.event_time, t.event_time,
    t.event_time,
    CASE WHEN t.closed THEN 'CLOSED' WHEN t.held THEN 'ASSIGNED' ELSE 'NEW' END,
    d.level, d.risk_score, t.amount * d.risk_score, t.amount, 'USD', t.user_id, d.reason_codes,
    t.event_time, t.event_time + interval '1 day' * (30 + 300 * t.patience),
    CASE WHEN t.closed OR t.held THEN (%(people)s::bigint[])[1 + t.id %% %(staff)s] END,
    CASE WHEN NOT t.closed THEN '' WHEN t.id %% 5 < 2 THEN 'TRUE_POSITIVE_FRAUD'
         WHEN t.id %% 5 < 4 THEN 'FALSE_POSITIVE' ELSE 'BENIGN_POSITIVE' END, '',
    CASE WHEN t.closed THEN least(now(), t.event_time + interval '2 days' * t.patience) END,
    CASE WHEN t.closed THEN (%(people)s::bigint[])[1 + t.id %% %(staff)s] END, 0
FROM (
    SELECT *, random() AS lot, random() AS patience, random() < 0.01 AS held,
        random() > 2 * %(open)s * row_number() OVER (ORDER BY id) / %(alerts)s AS closed
    FROM scoring_transaction ORDER BY id LIMIT %(alerts)s
) AS t
JOIN scoring_decision AS d ON d.transaction_id = t.id
ORDER BY t.id
"""
LEADING = """
INSERT INTO alerts_alerthit (alert_id, decision_id, transaction_id, user_id, score, amount, at)
SELECT id, decision_id, transaction_id, user_id, risk_score, amount, created_at
FROM alerts_alert ORDER BY id
"""
# The payments left over join every tenth alert.
JOINED = """
INSERT INTO alerts_alerthit (alert_id, decision_id, transaction_id, user_id, score, amount, at)
SELECT a.id, d.id, t.id, t.user_id, d.risk_score, t.amount, t.event_time
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM alerts_alert
      WHERE hit_count > 1) AS a
JOIN (SELECT *, row_number() OVER (ORDER BY id) AS place FROM
      (SELECT * FROM scoring_transaction ORDER BY id OFFSET %(alerts)s) AS left_over) AS t
    USING (place)
JOIN scoring_decision AS d ON d.transaction_id = t.id
"""
REASONS = """
INSERT INTO scoring_explanation (decision_id, model_id, sentences, state, due_at, attempts, error)
SELECT decision_id, %(model)s, '[{"sentence": "Four times the usual amount.", "contribution": 1}]',
    'DONE', now(), 1, ''
FROM alerts_alert WHERE status <> 'CLOSED'
"""
LOOKED = """
INSERT INTO alerts_look (alert_id, person_id, hits, behind)
SELECT id, %(looker)s, hit_count - (id %% 20 = 0)::int, id %% 20 = 0 FROM alerts_alert
WHERE status <> 'CLOSED' ORDER BY random() LIMIT 2000
"""
# One in twenty is a fraud; what files and chargebacks say comes weeks late. One in a hundred was
# corrected. The word on a payment of today may be of today only.
LABELS = """
INSERT INTO scoring_label (transaction_id, event_time, value, origin, known_at, typology, note)
SELECT id, event_time,
    CASE WHEN id %% 20 = 0 THEN 'TRUE_FRAUD' WHEN id %% 20 = 1 THEN 'INCONCLUSIVE'
         ELSE 'FALSE_POSITIVE' END,
    CASE WHEN id %% 4 = 0 THEN 'DISPOSITION' WHEN id %% 4 = 1 THEN 'CHARGEBACK' ELSE 'FILE' END,
    least(now(), event_time + interval '60 days' * random() * random()), '', ''
FROM scoring_transaction ORDER BY id LIMIT %(labels)s
"""
CORRECTED = """
INSERT INTO scoring_label (transaction_id, event_time, value, origin, known_at, typology, note,
    supersedes_id)
SELECT transaction_id, event_time,
    CASE value WHEN 'TRUE_FRAUD' THEN 'FALSE_POSITIVE' ELSE 'TRUE_FRAUD' END, 'QA',
    least(now(), known_at + interval '1 day'), '', '', id
FROM scoring_label WHERE id %% 100 = 0 ORDER BY id
"""
TABLES = [
    "scoring_label",
    "scoring_transaction",
    "scoring_decision",
    "alerts_alert",
    "alerts_alerthit",
]
# Made once at the end: half the time of keeping them right row by row.
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename = ANY(%s) AND indexdef NOT LIKE 'CREATE UNIQUE%%'
"""


def fill(*, alerts: int, open_share: float, labels: int = 0) -> None:
    """A million take about a minute. References are true, so nobody checks them row by row."""
    from django.db import connection

    payments = alerts * 11 // 10
    known = _world() | {"alerts": alerts, "payments": payments, "open": open_share}
    known["labels"] = labels
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(INDEXES, [TABLES])
        again = cursor.fetchall()
        for name, _ in again:
            cursor.execute(f"DROP INDEX {name}")
        for sql in (
            PAYMENTS,
            DECISIONS,
            ALERTS,
            LEADING,
            JOINED,
            REASONS,
            LOOKED,
            LABELS,
            CORRECTED,
        ):
            cursor.execute(sql, known)
        for _, definition in again:
            cursor.execute(definition)
    connection.close()


def settle() -> None:
    """What autovacuum and the ticker do within minutes of such a load."""
    from django.db import connection
    from django.db.models import F

    from scoring import daycounts
    from scoring.models import CountedThrough

    daycounts.count()  # marks how far it goes
    while CountedThrough.objects.filter(through__lt=F("mark")).exists():
        daycounts.count()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _world() -> dict[str, Any]:
    """The queues, the persons and the few rows that everything points at."""
    from django.utils import timezone
    from guardian.shortcuts import assign_perm

    from alerts.models import Queue
    from anomalyshield.accounts import people
    from scoring.models import DecisionPolicy, ModelVersion, Source

    queues = [Queue.objects.get_or_create(slug=slug, defaults={"name": slug})[0] for slug in QUEUES]
    staff = [
        people.make_user(by="command", username=f"ana{n}", roles=["analyst"], is_lead=n == 1)[0]
        for n in range(STAFF)
    ]
    people.make_user(by="command", username="adam", roles=["admin"])
    for person in staff[:2]:
        for queue in [*queues[:2], queues[-1]]:
            assign_perm("alerts.work_queue", person, queue)
    policy = DecisionPolicy.objects.first() or DecisionPolicy.objects.create(version=1, values={})
    version = ModelVersion.objects.create(
        number=900, folder="bench", sha256="", kind="cold", cutoff=timezone.now()
    )
    return {
        "source": Source.objects.get_or_create(name="past")[0].pk,
        "policy": policy.pk,
        "model": version.pk,
        "queues": [queue.pk for queue in queues],
        "people": [person.pk for person in staff],
        "looker": staff[0].pk,
        "until": UNTIL,
        "staff": STAFF,
        "countries": COUNTRIES,
    }
