"""A column more on the payments, as a release may add one."""

from django.db import migrations, models

ADD = "ALTER TABLE scoring_transaction ADD COLUMN toy integer"
DROP = "ALTER TABLE scoring_transaction DROP COLUMN toy"


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Toy", [("id", models.BigAutoField(primary_key=True))]),
        migrations.RunSQL(ADD, DROP),
    ]
