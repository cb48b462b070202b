"""`manage.py lake`: copies of scored payments, a day each, in the folder of ANOMALYSHIELD_LAKE."""

from argparse import ArgumentParser
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from anomalyshield import leases
from scoring import lake
from scoring.models import LakeCopy
from scoring.tasks import do, work_named


class Command(BaseCommand):
    """Ask for copies, list them, or check the files against their manifests."""

    help = "Copy scored payments of past days to the lake, list the copies, or check them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["copy", "list", "check"])
        parser.add_argument("--since", type=self._day, help="First day (UTC); yesterday if none")
        parser.add_argument("--until", type=self._day, help="Last day; that of --since if none")
        parser.add_argument("--inline", action="store_true", help="Do it here, without a worker")

    @staticmethod
    def _day(text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise CommandError(f"{text} is not a day such as 2026-11-21.") from None

    def handle(self, *_: Any, **given: Any) -> None:
        getattr(self, f"_{given['what']}")(given)

    def _copy(self, given: dict[str, Any]) -> None:
        first = given["since"] or lake.today() - timedelta(days=1)
        last = given["until"] or first
        if last < first:
            raise CommandError("--until lies before --since.")
        for ahead in range((last - first).days + 1):
            try:
                copy = lake.ask(by="command", day=first + timedelta(days=ahead))
            except lake.Refused as refusal:
                raise CommandError(str(refusal)) from None
            self.stdout.write(f"{copy.day} is asked for")
        while given["inline"] and (rows := leases.claim(LakeCopy)):
            for row in rows:
                do(work_named("lake"), row)
                row.refresh_from_db()
                self.stdout.write(self._line(row))

    def _list(self, given: dict[str, Any]) -> None:
        for copy in LakeCopy.objects.all()[:100]:
            self.stdout.write(self._line(copy))

    @staticmethod
    def _line(copy: LakeCopy) -> str:
        if copy.state == LakeCopy.State.DONE:
            return f"{copy.day}  {copy.kind}  {copy.rows:,} rows  {copy.bytes:,} bytes"
        return f"{copy.day}  {copy.kind}  {copy.state.lower()} {copy.error.partition(chr(10))[0]}"

    def _check(self, given: dict[str, Any]) -> None:
        if not settings.LAKE or settings.LAKE_KIND != "parquet":
            raise CommandError("Only a lake of Parquet files has manifests to check.")
        from scoring import lakefile

        if wrong := lakefile.damaged(Path(settings.LAKE)):
            told = "\n".join(f"{day}: {what}" for day, what in wrong.items())
            raise CommandError(f"{told}\nCopy these days again: manage.py lake copy --since DAY")
        self.stdout.write("Every copy is the one its manifest tells of.")
