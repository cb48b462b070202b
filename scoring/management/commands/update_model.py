"""`manage.py update_model`: have the champion go on learning, and wait for what came of it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from anomalyshield import leases
from scoring import updating
from scoring.labels import MATURITY
from scoring.management.commands import train
from scoring.models import TrainingRun
from scoring.tasks import do, work_named


class Command(train.Command):
    """Update the champion from the labels known now."""

    help = "Update the champion in shadow; a worker does it, or this process with --inline."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--inline", action="store_true", help="Do it here, without a worker")
        parser.add_argument("--maturity-days", type=int, default=MATURITY.days)

    def handle(self, *_: Any, **given: Any) -> None:
        if given["maturity_days"] < 0:
            raise CommandError("--maturity-days is 0 or more.")
        try:
            run = updating.ask(by="command", maturity_days=given["maturity_days"])
        except updating.Refused as refusal:
            raise CommandError(str(refusal)) from None
        if given["inline"]:
            for row in leases.claim(TrainingRun):
                do(work_named("training"), row)
        self.follow(run)
