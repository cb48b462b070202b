"""`manage.py up`: database, bell, tables, demo, web, worker and ticker; Ctrl-C stops all of it."""

from django.core.management.base import BaseCommand, CommandError

from anomalyshield.onlyone import AlreadyRuns
from anomalyshield.programs import CannotStart


class Command(BaseCommand):
    """Start the whole platform on this machine and keep it running."""

    help = __doc__
    requires_system_checks = []  # there is no database yet to ask

    def handle(self, **_: object) -> None:
        from anomalyshield.startup import Launch

        try:
            Launch(self._say).run()
        except (CannotStart, AlreadyRuns) as reason:
            raise CommandError(str(reason)) from None

    def _say(self, text: str) -> None:
        self.stdout.write(text, ending="")
        self.stdout.flush()
