"""`manage.py demo`: people, sixty days of payments, decisions, alerts and a first model."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anomalyshield import demoday
from scoring.demo.story import ROWS


class Command(BaseCommand):
    """Make the demo once; a second time says that it is there."""

    help = "Fill an empty installation with a demo; prints the log-ins once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--rows", type=int, default=ROWS)
        parser.add_argument("--until", type=_moment, help="its now, as 2026-11-20T12:00")

    def handle(self, *_: Any, seed: int, rows: int, until: datetime | None, **__: Any) -> None:
        if not 1_000 <= rows <= 200_000:
            raise CommandError("--rows is a number from 1,000 to 200,000.")
        if until and until > datetime.now(UTC):
            raise CommandError("--until lies in the future.")
        if demoday.is_there():
            self.stdout.write("The demo is already there; nothing was changed.")
            return
        passwords = demoday.make(
            seed=seed, rows=rows, until=until, say=lambda words: self.stderr.write(f"  {words} …")
        )
        for name, (full_name, roles, _rights) in demoday.PEOPLE.items():
            self.stdout.write(f"{name:6} {passwords[name]:22} {full_name}, {roles[0]}")
        self.stdout.write("DEMO-LOGINS " + json.dumps(passwords))


def _moment(text: str) -> datetime:
    """Without an offset it is UTC."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)
