"""Labels know when their payment took place, and are counted by its day.

Nothing is counted here: the job that does it begins with the first label, and until it has come to
the last one readers count the rest themselves.
"""

from django.db import migrations, models

ORIGINS = [('DISPOSITION', 'Disposition'), ('FILE', 'File'), ('API', 'Api'), ('CHARGEBACK', 'Chargeback'), ('NOTICE', 'Report from outside'), ('QA', 'Second review'), ('SAMPLE', 'Sample'), ('FEEDBACK', 'Model asked')]
VALUES = [('TRUE_FRAUD', 'True Fraud'), ('FALSE_POSITIVE', 'False Positive'), ('INCONCLUSIVE', 'Inconclusive')]
FILL = """
UPDATE scoring_label AS label SET event_time = paid.event_time
FROM scoring_transaction AS paid WHERE paid.id = label.transaction_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('scoring', '0031_sources_look_up_places'),
    ]

    operations = [
        migrations.CreateModel(
            name='CountedThrough',
            fields=[
                ('table', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('through', models.BigIntegerField(default=0)),
                ('mark', models.BigIntegerField(default=0)),
                ('marked_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='LabelDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('origin', models.CharField(choices=ORIGINS, max_length=12)),
                ('value', models.CharField(choices=VALUES, max_length=16)),
                ('count', models.BigIntegerField()),
            ],
        ),
        migrations.AddConstraint(
            model_name='labelday',
            constraint=models.UniqueConstraint(fields=('day', 'origin', 'value'), name='one_count_of_labels'),
        ),
        migrations.RemoveIndex(
            model_name='label',
            name='label_frauds',
        ),
        migrations.AddField(
            model_name='label',
            name='event_time',
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='label',
            name='event_time',
            field=models.DateTimeField(),
        ),
        migrations.AddIndex(
            model_name='label',
            index=models.Index(condition=models.Q(('value', 'TRUE_FRAUD')), fields=['-known_at'], include=('id', 'transaction', 'event_time', 'origin', 'supersedes'), name='label_frauds'),
        ),
    ]
