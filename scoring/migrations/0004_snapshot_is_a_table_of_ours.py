"""The vectors' table is known to Django like any other, so tests empty it with the rest.

Nothing happens in the database: migration 0002 made the table.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("scoring", "0003_upload_started_at")]

    operations = [migrations.AlterModelOptions(name="snapshot", options={})]
