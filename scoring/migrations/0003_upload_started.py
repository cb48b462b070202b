"""When the first block of an upload was read, for its rows per second."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("scoring", "0002_snapshot_partitions")]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="started_at",
            field=models.DateTimeField(null=True),
        ),
    ]
