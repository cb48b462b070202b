"""`manage.py generate_data`: made-up payments as a file, and beside it what each really was."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from scoring.demo import making
from scoring.demo.story import DAYS


class Command(BaseCommand):
    """Write a file of payments to try an upload with; nothing is stored here."""

    help = "Write made-up payments into a CSV or Parquet file: same options, same bytes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        making.add_arguments(parser, rows="rows", default_rows=10_000, days=DAYS)
        parser.add_argument("--out", help="a name that ends in .csv or .parquet")

    def handle(self, *_: Any, out: str | None, **options: Any) -> None:
        try:
            path = making.place(out or self.default())
            told = making.story(options)
        except making.Unwanted as unwanted:
            raise CommandError(str(unwanted)) from None
        for line in making.write(told, path):
            self.stdout.write(line)

    def default(self) -> str:
        folder = settings.VAR / "generated"
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / "payments.csv")
