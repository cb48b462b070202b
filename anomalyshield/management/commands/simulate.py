"""`manage.py simulate`: made-up payments at a steady rate for a running server, or as a file."""

import http.client
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from anomalyshield.load import Result, run
from scoring.demo import making, table, watching
from scoring.demo.story import Story
from scoring.demo.watching import PATHS, Watched

SINKS = ("rest", "csv", "parquet")


class Command(BaseCommand):
    """Send payments of a scenario and say what became of each kind; the truth goes to a file."""

    help = "Have a running server decide made-up payments, or write them into a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        making.add_arguments(parser, rows="count", default_rows=1_000, days=7)
        parser.add_argument("--sink", choices=SINKS, default="rest")
        parser.add_argument("--out", help="of the file; with rest, of the file with the truth")
        parser.add_argument("--rate", type=float, default=50, help="payments a second, for rest")
        parser.add_argument("--endpoint", default="http://127.0.0.1:8000")
        parser.add_argument("--path", choices=PATHS, default=PATHS[0])
        parser.add_argument("--key", default="", help="An API key with the scope score:write")

    def handle(self, *_: Any, sink: str, **options: Any) -> None:
        try:
            self.send(**options) if sink == "rest" else self.write(sink, **options)
        except making.Unwanted as unwanted:
            raise CommandError(str(unwanted)) from None

    def write(self, sink: str, *, out: str | None, **options: Any) -> None:
        path = making.place(out or str(folder() / f"payments.{sink}"), f".{sink}")
        for line in making.write(making.story(options, count=True), path):
            self.stdout.write(line)

    def send(self, **options: Any) -> None:
        if not 0 < options["rate"] <= 10_000:
            raise making.Unwanted("--rate is a number above 0, of payments a second.")
        told = live_story(options)
        truth = making.place(options["out"] or str(folder() / f"{told.prefix}-truth.csv"))
        target = Watched(options["endpoint"] + options["path"], {"X-Api-Key": options["key"]})
        payments = told.lines()
        probe(target, payments[0])
        table.write(told.truth(), truth)
        rate = options["rate"]
        result = run(target, payments.__getitem__, rate=rate, seconds=len(payments) / rate)
        self.tell(result, target, told, truth)

    def tell(self, result: Result, target: Watched, told: Story, truth: Path) -> None:
        sent = sum(result.statuses.values())
        answers = ", ".join(
            f"{count:,} × {code or 'no answer'}" for code, count in sorted(result.statuses.items())
        )
        marks = ", ".join(
            f"p{share * 100:g} {result.percentile(share):.1f} ms" for share in (0.5, 0.95, 0.99)
        )
        self.stdout.write(f"{sent:,} payments in {result.seconds:.1f} s: {answers}. {marks}.")
        for line in watching.found(target.said, told.typology_of()):
            self.stdout.write(line)
        self.stdout.write(f"What each fraud really was: {truth}")
        if result.statuses.get(200, 0) < sent:
            raise CommandError(f"{sent - result.statuses.get(200, 0):,} payments were not decided.")


def live_story(options: dict[str, Any]) -> Story:
    """Ends now unless told otherwise. Its ids are of this moment: the next one sends others."""
    until = making.moment(options["until"] or "now")
    name = f"sim-{options['seed']}-{until:%Y%m%dT%H%M%S}"
    options = {**options, "until": until.isoformat()}
    return making.story(options, count=True, prefix=name)


def probe(target: Watched, payment: dict[str, Any]) -> None:
    """One payment first: a wrong address or key is said once, and nothing else is sent.

    It is sent again with the others; the server knows its id and answers the same.
    """
    try:
        status, answer = target.ask(target.connect(), payment)
    except (OSError, http.client.HTTPException) as error:
        raise CommandError(f"{target.url} does not answer: {error}.") from None
    if status != 200:
        raise CommandError(f"{target.url} answers {status}: {answer.get('detail', answer)}")


def folder() -> Path:
    place = settings.VAR / "generated"
    place.mkdir(parents=True, exist_ok=True)
    return place
