"""`manage.py check_source NAME`: is its broker reached, and if not, which step fails?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from scoring.models import Source
from scoring.streaming.reaching import try_connection


class Command(BaseCommand):
    """Name, TCP, TLS, log-in and topic, one after the other."""

    help = "Try the connection of a source; the first step that fails is named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")

    def handle(self, *_: Any, **given: Any) -> None:
        source = Source.objects.filter(name=given["name"]).first()
        if source is None:
            raise CommandError(f"There is no source named {given['name']}.")
        steps = try_connection(by="command", source=source)
        for step in steps:
            field = f" ({step.field})" if step.field else ""
            self.stdout.write(
                f"{'ok ' if step.good else 'NOT'}  {step.name:<12}{step.words}{field}"
            )
        if not steps[-1].good:
            raise CommandError(f"{source.name} is not reached.")
