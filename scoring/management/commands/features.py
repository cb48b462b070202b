"""`manage.py features`: every feature with its family and what it means."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from scoring.engine.families import FAMILIES
from scoring.engine.register import FEATURES


class Command(BaseCommand):
    """The register, family by family."""

    help = "List the features, or count them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", action="store_true", help="Print how many there are")

    def handle(self, *_: Any, **given: Any) -> None:
        if given["count"]:
            self.stdout.write(str(len(FEATURES)))
            return
        meanings = {feature.name: feature.meaning for feature in FEATURES}
        for key, family in FAMILIES.items():
            self.stdout.write(f"{key}: {family.title}")
            for name in family.features:
                self.stdout.write(f"  {name:36} {meanings[name]}")
