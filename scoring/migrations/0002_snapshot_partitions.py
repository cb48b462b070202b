"""The wide vectors, partitioned by day with no foreign key into them: retention drops partitions."""

from django.db import migrations

CREATE = """
CREATE TABLE scoring_snapshot (
    day date NOT NULL,
    transaction_id bigint NOT NULL,
    spec varchar(16) NOT NULL,
    vector bytea NOT NULL,
    PRIMARY KEY (day, transaction_id)
) PARTITION BY RANGE (day);
-- Rows of a day nobody has made a partition for are kept, never refused.
CREATE TABLE scoring_snapshot_rest PARTITION OF scoring_snapshot DEFAULT;
-- Vectors are random bytes to a compressor: do not spend time on trying.
ALTER TABLE scoring_snapshot_rest ALTER COLUMN vector SET STORAGE EXTERNAL;
"""


class Migration(migrations.Migration):
    dependencies = [("scoring", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, "DROP TABLE scoring_snapshot")]
