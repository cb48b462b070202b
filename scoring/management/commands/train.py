"""`manage.py train`: ask for a training and wait for its verdict."""

import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anomalyshield import leases
from scoring import training
from scoring.engine import lane
from scoring.labels import MATURITY
from scoring.models import TrainingRun
from scoring.tasks import do, work_named

PATIENCE = 2 * 3600
OVER = {TrainingRun.State.DONE, TrainingRun.State.QUARANTINED, TrainingRun.State.CANCELLED}


class Command(BaseCommand):
    """Train a candidate from the labels known now."""

    help = "Ask for a training; a worker does it, or this process with --inline."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--inline", action="store_true", help="Do it here, without a worker")
        parser.add_argument("--maturity-days", type=int, default=MATURITY.days)
        parser.add_argument("--budget", type=float, help="Share of transactions people can review")
        parser.add_argument("--novelty", type=float, help="Of the budget, for the novelty lane")
        parser.add_argument("--weeks", type=int, default=0, help="Past weeks to measure, too")
        parser.add_argument(
            "--preset", choices=training.preset_names(), default=training.preset_names()[0]
        )
        parser.add_argument("--until", type=_moment, help="As if it were then: an ISO 8601 time")

    def handle(self, *_: Any, **given: Any) -> None:
        budget, novelty = given["budget"], given["novelty"]
        if given["maturity_days"] < 0 or (budget is not None and not 0 < budget <= 0.4):
            raise CommandError("--maturity-days is 0 or more, --budget above 0, at most 0.4.")
        if novelty is not None and not 0 <= novelty <= lane.MOST:
            raise CommandError(f"--novelty is a share of the budget, from 0 to {lane.MOST:g}.")
        run = training.ask(
            by="command",
            maturity_days=given["maturity_days"],
            budget=budget,
            novelty=novelty,
            until=given["until"],
            weeks=max(given["weeks"], 0),
            preset=given["preset"],
        )
        if given["inline"]:
            for row in leases.claim(TrainingRun):
                do(work_named("training"), row)
        self.follow(run)

    def follow(self, run: TrainingRun) -> None:
        said, end = "", time.monotonic() + PATIENCE
        while run.state not in OVER and time.monotonic() < end:
            if run.message != said:
                said = run.message
                self.stderr.write(f"{run.progress:4.0%}  {said}")
            time.sleep(0.5)
            run.refresh_from_db()
        if run.state != TrainingRun.State.DONE:
            raise CommandError(run.error or f"Run {run.pk} is still {run.state.lower()}.")
        self.stdout.write(f"{run.result}: {run.verdict}" if run.result else run.verdict)


def _moment(text: str) -> datetime:
    """An ISO 8601 time; on UTC's clocks if it names no other."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
