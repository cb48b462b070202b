"""Known frauds of entities, and what the labels given so far say of them.

What stands here counts as recorded now: no vector made before had a column of it.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

FILL = """
INSERT INTO scoring_entityfraud
    (kind, key, transaction_id, event_time, amount_units, multiple, fraud, known_at, label_id)
SELECT whose.kind, whose.key, paid.id, paid.event_time, paid.amount_units,
    paid.amount_units / 10000::float8 / nullif(usual.median, 0),
    said.value = 'TRUE_FRAUD', said.known_at, said.id
FROM (
    SELECT id, id AS place FROM scoring_label
    WHERE value = 'TRUE_FRAUD' OR supersedes_id IS NOT NULL
) AS given
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
            SELECT least(amount_units, 1125899906842624) AS units FROM (
                SELECT id, event_time, amount_units FROM scoring_transaction
                WHERE user_key = paid.user_key AND event_time <= paid.event_time
                  AND event_time > paid.event_time - interval '720 hours'
                  AND (event_time, id) < (paid.event_time, paid.id)
                OFFSET 0
            ) AS past
            ORDER BY event_time DESC, id DESC LIMIT 100
        ) AS latest
    ) AS sorted
) AS usual ON said.value = 'TRUE_FRAUD'
CROSS JOIN LATERAL (
    VALUES (1, paid.user_key), (2, paid.card_key),
           (3, paid.device_key), (4, paid.merchant_key)
) AS whose (kind, key)
WHERE whose.key <> 0
  AND (said.value = 'TRUE_FRAUD') IS DISTINCT FROM (coalesce(before.value, '') = 'TRUE_FRAUD')
ORDER BY given.place, whose.kind
"""


class Migration(migrations.Migration):

    dependencies = [
        ('scoring', '0012_what_chance_makes_of_an_ablation'),
    ]

    operations = [
        migrations.CreateModel(
            name='EntityFraud',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.SmallIntegerField(choices=[(1, 'User'), (2, 'Card'), (3, 'Device'), (4, 'Merchant')])),
                ('key', models.BigIntegerField()),
                ('event_time', models.DateTimeField()),
                ('amount_units', models.BigIntegerField()),
                ('multiple', models.FloatField(null=True)),
                ('fraud', models.BooleanField()),
                ('known_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('label', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='scoring.label')),
                ('transaction', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='scoring.transaction')),
            ],
            options={
                'indexes': [models.Index(fields=['kind', 'key', 'event_time'], name='entity_fraud')],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
