"""`manage.py load`: `ingest_file` that waits until every row is scored."""

from scoring.management.commands import ingest_file


class Command(ingest_file.Command):
    """Receive a file and follow it to its end."""

    help = "Load a CSV or Parquet file and wait until its rows are stored and scored."
    waits = True
