"""References that whole files share are checked once per statement, not by a trigger per row.

A foreign key asks for each row, at 4 µs; a block of a file and a chunk of decisions name one source,
one model and one policy. The checks below refuse exactly what the keys refused.
"""

import django.db.models.deletion
from django.db import migrations, models

KNOWN = """
CREATE FUNCTION scoring_named_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT {column} AS id FROM arrived WHERE {column} IS NOT NULL) AS named
        WHERE NOT EXISTS (
            SELECT FROM {target} AS known WHERE known.id = named.id FOR KEY SHARE
        )
    ) THEN
        RAISE EXCEPTION '{table}.{column} names a row of {target} that is not there'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER named_{column}_new AFTER INSERT ON {table}
    REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION scoring_named_{column}();
CREATE TRIGGER named_{column}_changed AFTER UPDATE ON {table}
    REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION scoring_named_{column}();
CREATE FUNCTION scoring_kept_for_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM {table} WHERE {column} = OLD.id) THEN
        RAISE EXCEPTION 'a row of {target} is still named by {table}.{column}'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER kept_for_{column} BEFORE DELETE ON {target}
    FOR EACH ROW EXECUTE FUNCTION scoring_kept_for_{column}();
"""
GONE = """
DROP TRIGGER kept_for_{column} ON {target};
DROP TRIGGER named_{column}_changed ON {table};
DROP TRIGGER named_{column}_new ON {table};
DROP FUNCTION scoring_kept_for_{column}();
DROP FUNCTION scoring_named_{column}();
"""
REFERENCES = [
    {"table": "scoring_transaction", "column": "source_id", "target": "scoring_source"},
    {"table": "scoring_decision", "column": "model_id", "target": "scoring_modelversion"},
    {"table": "scoring_decision", "column": "policy_id", "target": "scoring_decisionpolicy"},
]


def reference(name: str, model: str, **options: object) -> migrations.AlterField:
    field = models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, to=f"scoring.{model}", **options
    )
    table = "transaction" if name == "source" else "decision"
    return migrations.AlterField(model_name=table, name=name, field=field)


class Migration(migrations.Migration):
    dependencies = [("scoring", "0005_indexes_not_needed_twice")]

    operations = [
        reference("source", "source", db_index=False, db_constraint=False),
        reference("model", "modelversion", null=True, db_constraint=False),
        reference("policy", "decisionpolicy", db_index=False, db_constraint=False),
        *(migrations.RunSQL(KNOWN.format(**one), GONE.format(**one)) for one in REFERENCES),
    ]
