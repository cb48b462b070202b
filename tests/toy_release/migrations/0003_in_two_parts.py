"""Two statements that are no transaction: the second may fail when the first is done."""

from django.db import migrations

PARTS = [
    "CREATE TABLE IF NOT EXISTS toy_release_first ()",
    "ALTER TABLE scoring_transaction ALTER COLUMN toy SET DEFAULT 1",
]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("toy_release", "0002_an_index_beside")]
    operations = [migrations.RunSQL(PARTS, "DROP TABLE IF EXISTS toy_release_first")]
