"""manage.py tick: rings the workers, seals the audit trail, runs the schedule. See `ticker.py`."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from anomalyshield.ticker import tick


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C. A second one beside it is harmless."""

    help = "Rings the workers, frees rows of dead ones, seals the audit trail, runs the schedule."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        tick(stop)
