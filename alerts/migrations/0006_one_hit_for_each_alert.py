"""Alerts made before grouping: each is of one payment, which becomes its only hit."""

from django.db import migrations

FILL = """
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE alerts_alert AS alert SET
    entity_kind = 'user', entity = alert.user_id, total = paid.amount_units / 10000.0,
    first_event = paid.event_time, last_event = paid.event_time, last_hit_at = alert.created_at
FROM scoring_transaction AS paid WHERE paid.id = alert.transaction_id;
INSERT INTO alerts_alerthit (alert_id, decision_id, transaction_id, user_id, score, amount, at)
SELECT id, decision_id, transaction_id, user_id, risk_score, amount, created_at
FROM alerts_alert ORDER BY id;
INSERT INTO alerts_consequence (verdict_id, hit_id, label_id, resolution_id)
SELECT verdict.id, hit.id, verdict.label_id, verdict.resolution_id
FROM alerts_verdict AS verdict JOIN alerts_alerthit AS hit ON hit.alert_id = verdict.alert_id
ORDER BY verdict.id;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0005_grouping_and_routes'),
    ]

    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RemoveField(model_name='verdict', name='label'),
        migrations.RemoveField(model_name='verdict', name='resolution'),
    ]
