"""Two indexes that others begin with, and a trigger per row, cost a third of storing a file."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('scoring', '0004_snapshot_is_a_table_of_ours'),
    ]

    operations = [
        migrations.AlterField(
            model_name='transaction',
            name='source',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='scoring.source'),
        ),
        migrations.AlterField(
            model_name='transaction',
            name='upload',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='scoring.upload'),
        ),
    ]
