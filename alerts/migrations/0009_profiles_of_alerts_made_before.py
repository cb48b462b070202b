"""Alerts raised before profiles were kept get them from the snapshots that are still there."""

from django.db import migrations

FILL = """
INSERT INTO alerts_profile (alert_id, spec, vector)
SELECT alert.id, kept.spec, kept.vector
FROM alerts_alert AS alert
JOIN scoring_decision AS decided ON decided.id = alert.decision_id
JOIN scoring_snapshot AS kept
  ON kept.transaction_id = alert.transaction_id
 AND kept.day = (decided.known_at AT TIME ZONE 'UTC')::date
ON CONFLICT DO NOTHING;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0008_profile'),
        ('scoring', '0002_snapshot_partitions'),
    ]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
