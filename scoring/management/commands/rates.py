"""`manage.py rates FILE`: import exchange rates, as the page and the API do."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from scoring import rates
from scoring.columns import Refused


class Command(BaseCommand):
    """A CSV with the columns date, currency, rate."""

    help = "Import exchange rates into the house currency from a CSV: date,currency,rate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)

    def handle(self, *_: Any, **given: Any) -> None:
        try:
            text = given["path"].read_text(encoding="utf-8")
            many = rates.import_rates(by="command", text=text)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{given['path']} cannot be read: {error}.") from None
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{many} rates are taken.")
