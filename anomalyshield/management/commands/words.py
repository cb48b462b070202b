"""Collects every sentence for translation: `manage.py words`, then fill in what is empty."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from anomalyshield.languages import catalogue


class Command(BaseCommand):
    help = "Bring locale/de up to date with the sentences of templates and code"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--language", default="de")
        parser.add_argument("--check", action="store_true", help="change nothing, name what lacks")

    def handle(self, *args: Any, language: str, check: bool, **options: Any) -> None:
        if not check:
            made = catalogue.brought_up_to_date(language)
            made.save(str(catalogue.path_of(language)))
        if found := catalogue.faults(language):
            for fault in found:
                self.stdout.write(fault)
            raise CommandError(f"{len(found)} sentences of {language} need a person.")
        self.stdout.write(f"Every sentence has its words in {language}.")
