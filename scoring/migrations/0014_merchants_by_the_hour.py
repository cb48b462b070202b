"""Payments of merchants counted by the hour, by triggers: no way of storing one can forget to.

A statement that stores payments adds one row for each merchant and hour it met, in its own
transaction and with the `recorded_at` of its payments.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

HOUR = "date_bin('1 hour', event_time, timestamptz '2000-01-01 00:00+00')"
UNITS = "least(amount_units, 1099511627776)"  # history.MOST_UNITS
COLUMNS = "scoring_merchanthour (merchant_key, hour, count, units, recorded_at)"
FILL = f"""
INSERT INTO {COLUMNS}
SELECT merchant_key, {HOUR}, count(*), sum({UNITS}), max(recorded_at)
FROM scoring_transaction WHERE merchant_key <> 0 GROUP BY 1, 2 ORDER BY 1, 2;
"""
COUNT = f"""
CREATE FUNCTION scoring_hours_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {COLUMNS}
    SELECT merchant_key, {HOUR}, count(*), sum({UNITS}), recorded_at
    FROM arrived WHERE merchant_key <> 0 GROUP BY 1, 2, recorded_at;
    RETURN NULL;
END $$;
CREATE TRIGGER hours_added AFTER INSERT ON scoring_transaction
    REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION scoring_hours_added();

CREATE FUNCTION scoring_hours_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {COLUMNS}
    SELECT merchant_key, {HOUR}, -count(*), -sum({UNITS}), statement_timestamp()
    FROM gone WHERE merchant_key <> 0 GROUP BY 1, 2;
    RETURN NULL;
END $$;
CREATE TRIGGER hours_taken AFTER DELETE ON scoring_transaction
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION scoring_hours_taken();

CREATE FUNCTION scoring_hours_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO {COLUMNS}
    SELECT merchant_key, {HOUR}, sign, sign * {UNITS}, statement_timestamp()
    FROM (VALUES (-1, OLD.merchant_key, OLD.event_time, OLD.amount_units),
                 (1, NEW.merchant_key, NEW.event_time, NEW.amount_units))
        AS moved (sign, merchant_key, event_time, amount_units)
    WHERE merchant_key <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER hours_moved AFTER UPDATE OF merchant_key, event_time, amount_units
    ON scoring_transaction FOR EACH ROW
    WHEN ((OLD.merchant_key, OLD.event_time, OLD.amount_units)
          IS DISTINCT FROM (NEW.merchant_key, NEW.event_time, NEW.amount_units))
    EXECUTE FUNCTION scoring_hours_moved();

CREATE FUNCTION scoring_hours_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM scoring_merchanthour;
    RETURN NULL;
END $$;
CREATE TRIGGER hours_emptied AFTER TRUNCATE ON scoring_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION scoring_hours_emptied();
"""
GONE = "\n".join(
    f"DROP TRIGGER hours_{what} ON scoring_transaction; DROP FUNCTION scoring_hours_{what}();"
    for what in ("added", "taken", "moved", "emptied")
)


class Migration(migrations.Migration):

    dependencies = [
        ('scoring', '0013_known_frauds_of_entities'),
    ]

    operations = [
        migrations.CreateModel(
            name='MerchantHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('merchant_key', models.BigIntegerField()),
                ('hour', models.DateTimeField()),
                ('count', models.IntegerField()),
                ('units', models.BigIntegerField()),
                ('recorded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.AddIndex(
            model_name='transaction',
            index=models.Index(condition=models.Q(('merchant_key', 0), _negated=True), fields=['merchant_key', 'event_time'], name='transaction_merchant'),
        ),
        migrations.AddIndex(
            model_name='merchanthour',
            index=models.Index(fields=['merchant_key', 'hour'], name='merchant_hour'),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(COUNT, GONE),
    ]
