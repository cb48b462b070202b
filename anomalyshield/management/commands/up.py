"""`manage.py up`: database, bell, tables, demo, web, workers and ticker; Ctrl-C stops all of it."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from anomalyshield.checks import TAG
from anomalyshield.onlyone import AlreadyRuns
from anomalyshield.processes import PROCESSES, become
from anomalyshield.programs import CannotStart


class Command(BaseCommand):
    """Start the whole platform on this machine and keep it running."""

    help = __doc__
    requires_system_checks = [TAG]

    def add_arguments(self, parser: ArgumentParser) -> None:
        only = ["setup", *PROCESSES]
        parser.add_argument("--only", choices=only, help="Just this part, with the servers given")

    def handle(self, *, only: str | None, **_: object) -> None:
        from anomalyshield import startup

        launch = startup.Launch(self._say)
        try:
            if only is None:
                launch.run()
            elif not settings.DATABASE_URL:
                raise CannotStart("--only is for servers of your own: set DATABASE_URL.")
            elif only == "setup":
                launch.set_up()
            else:
                become(only)
        except (CannotStart, AlreadyRuns) as reason:
            raise CommandError(str(reason)) from None

    def _say(self, text: str) -> None:
        self.stdout.write(text, ending="")
        self.stdout.flush()
