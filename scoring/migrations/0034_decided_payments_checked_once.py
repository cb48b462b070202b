"""That a decision's payment is there is asked once per chunk, not by a trigger for each row.

The key cost a lock on each payment, at commit. Whoever deletes payments, which nothing in the product
does, pays instead: it waits for everybody who is storing decisions, and they for it.
"""

import django.db.models.deletion
from django.db import migrations, models

# The plan is kept for the session, and the first one may be made for a near empty table: read as a
# whole by each later statement, that table would be millions of rows.
KNOWN = """
CREATE FUNCTION scoring_decided_known() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (
        SELECT FROM arrived WHERE NOT EXISTS (
            SELECT FROM scoring_transaction AS paid WHERE paid.id = arrived.transaction_id
        )
    ) THEN
        RAISE EXCEPTION 'a decision names a payment that is not there'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER decided_known AFTER INSERT ON scoring_decision
    REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION scoring_decided_known();

CREATE FUNCTION scoring_decided_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM gone) THEN
        RETURN NULL;
    END IF;
    LOCK TABLE scoring_decision IN SHARE MODE;  -- whoever stores one looked before this deletion
    IF EXISTS (SELECT FROM gone JOIN scoring_decision AS it ON it.transaction_id = gone.id) THEN
        RAISE EXCEPTION 'a payment is still named by its decision'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER decided_kept AFTER DELETE ON scoring_transaction
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION scoring_decided_kept();

CREATE FUNCTION scoring_decided_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM scoring_decision) THEN
        RAISE EXCEPTION 'payments are still named by their decisions'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER decided_emptied AFTER TRUNCATE ON scoring_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION scoring_decided_emptied();

CREATE FUNCTION scoring_decided_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a decision stays with its payment, and a payment keeps its number'
        USING ERRCODE = 'foreign_key_violation';
END $$;
CREATE TRIGGER decided_moved BEFORE UPDATE ON scoring_decision FOR EACH ROW
    WHEN (OLD.transaction_id <> NEW.transaction_id) EXECUTE FUNCTION scoring_decided_moved();
CREATE TRIGGER decided_moved BEFORE UPDATE ON scoring_transaction FOR EACH ROW
    WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION scoring_decided_moved();
"""
GONE = """
DROP TRIGGER decided_moved ON scoring_transaction;
DROP TRIGGER decided_moved ON scoring_decision;
DROP TRIGGER decided_emptied ON scoring_transaction;
DROP TRIGGER decided_kept ON scoring_transaction;
DROP TRIGGER decided_known ON scoring_decision;
DROP FUNCTION scoring_decided_moved(), scoring_decided_emptied(), scoring_decided_kept(),
    scoring_decided_known();
"""


class Migration(migrations.Migration):
    dependencies = [("scoring", "0033_places_by_day")]

    operations = [
        migrations.AlterField(
            model_name="decision",
            name="transaction",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decision",
                to="scoring.transaction",
            ),
        ),
        migrations.RunSQL(KNOWN, GONE),
    ]
