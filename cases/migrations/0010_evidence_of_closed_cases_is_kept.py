"""Evidence of a case that takes no content is neither added, changed nor removed by anybody.

The verbs refuse it before; the triggers stop mistakes and careless hands, as those of the audit
trail do. Whoever owns the database can drop them, and then the hash that the trail and the timeline
hold tells it. FOR SHARE: a case cannot be closed while something is still put into it. Tests drop
`evidence_not_emptied` on their own database (tests/conftest.py).
"""

from django.db import migrations

# cases.models.case.TAKING as it is now.
CREATE = """
CREATE FUNCTION evidence_may_change(of_case bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    stands text;
BEGIN
    SELECT status INTO stands FROM cases_case WHERE id = of_case FOR SHARE;
    IF stands NOT IN ('DRAFT', 'OPEN', 'IN_PROGRESS', 'SUSPENDED', 'RETURNED') THEN
        RAISE EXCEPTION 'The evidence of C-% is locked with it: it is not changed.', of_case
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

CREATE FUNCTION evidence_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN PERFORM evidence_may_change(OLD.case_id); END IF;
    IF TG_OP <> 'DELETE' THEN PERFORM evidence_may_change(NEW.case_id); END IF;
    RETURN coalesce(NEW, OLD);
END $$;

CREATE FUNCTION evidence_content_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM evidence_may_change(case_id) FROM cases_evidence
    WHERE id IN (OLD.evidence_id, NEW.evidence_id);
    RETURN coalesce(NEW, OLD);
END $$;

CREATE FUNCTION evidence_not_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Evidence is never removed as a whole.'
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER evidence_kept BEFORE INSERT OR UPDATE OR DELETE ON cases_evidence
    FOR EACH ROW EXECUTE FUNCTION evidence_kept();
CREATE TRIGGER evidence_content_kept BEFORE INSERT OR UPDATE OR DELETE ON cases_evidencecontent
    FOR EACH ROW EXECUTE FUNCTION evidence_content_kept();
CREATE TRIGGER evidence_not_emptied BEFORE TRUNCATE ON cases_evidence
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_not_emptied();
CREATE TRIGGER evidence_not_emptied BEFORE TRUNCATE ON cases_evidencecontent
    FOR EACH STATEMENT EXECUTE FUNCTION evidence_not_emptied();
"""
DROP = """
DROP TRIGGER evidence_not_emptied ON cases_evidencecontent;
DROP TRIGGER evidence_not_emptied ON cases_evidence;
DROP TRIGGER evidence_content_kept ON cases_evidencecontent;
DROP TRIGGER evidence_kept ON cases_evidence;
DROP FUNCTION evidence_not_emptied();
DROP FUNCTION evidence_content_kept();
DROP FUNCTION evidence_kept();
DROP FUNCTION evidence_may_change(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0009_reports")]

    operations = [migrations.RunSQL(CREATE, DROP)]
