"""Rows of the trail are inserted unsealed, sealed once, and otherwise never touched again.

The triggers stop mistakes and careless hands; whoever owns the database can drop them, and then
`manage.py verify_audit` finds what was done. Tests drop `audit_not_emptied` on their own database,
because pytest-django empties every table by TRUNCATE after a transactional test (tests/conftest.py).
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is never changed: % of % refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_enters_unsealed BEFORE INSERT ON audit_auditevent FOR EACH ROW
    WHEN (NEW.number IS NOT NULL OR NEW.previous IS NOT NULL OR NEW.digest IS NOT NULL)
    EXECUTE FUNCTION audit_refuse();

-- Everything but the sealer's three columns stays, and those are filled together and once.
CREATE TRIGGER audit_sealed_once BEFORE UPDATE ON audit_auditevent FOR EACH ROW
    WHEN (
        OLD.number IS NOT NULL OR OLD.previous IS NOT NULL OR OLD.digest IS NOT NULL
        OR NEW.number IS NULL OR NEW.previous IS NULL OR NEW.digest IS NULL
        OR (OLD.id, OLD.at, OLD.actor, OLD.role, OLD.ip, OLD.request_id, OLD.action,
            OLD.object_type, OLD.object_id, OLD.outcome, OLD.reason, OLD.before, OLD.after)
           IS DISTINCT FROM
           (NEW.id, NEW.at, NEW.actor, NEW.role, NEW.ip, NEW.request_id, NEW.action,
            NEW.object_type, NEW.object_id, NEW.outcome, NEW.reason, NEW.before, NEW.after)
    )
    EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_not_deleted BEFORE DELETE ON audit_auditevent FOR EACH ROW
    EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit_auditevent FOR EACH STATEMENT
    EXECUTE FUNCTION audit_refuse();
"""
DROP = """
DROP TRIGGER audit_not_emptied ON audit_auditevent;
DROP TRIGGER audit_not_deleted ON audit_auditevent;
DROP TRIGGER audit_sealed_once ON audit_auditevent;
DROP TRIGGER audit_enters_unsealed ON audit_auditevent;
DROP FUNCTION audit_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
