"""An index made while others write."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("toy_release", "0001_a_column")]
    operations = [AddIndexConcurrently("toy", models.Index(fields=["-id"], name="toy_backwards"))]
