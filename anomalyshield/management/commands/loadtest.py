"""`manage.py loadtest`: an even stream of transactions against /detect, and the percentiles."""

import random
import uuid
from argparse import ArgumentParser
from datetime import UTC, datetime

from django.core.management.base import BaseCommand

from anomalyshield.load import Target, run

CHANCE = random.Random(7)  # noqa: S311 — made-up payments, not secrets
CITIES = ("Mumbai", "Delhi", "London", "Paris", "New York")


def transaction(number: int) -> dict[str, object]:
    return {
        "transaction_id": f"load-{uuid.uuid4()}",
        "user_id": f"load_user_{CHANCE.randrange(500)}",
        "amount": round(CHANCE.lognormvariate(3.5, 1), 2),
        "location": CHANCE.choice(CITIES),
        "timestamp": datetime.now(UTC).isoformat(),
        "merchant_type": "electronics",
    }


class Command(BaseCommand):
    """Send transactions at a fixed rate to a running server and print what it did."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--endpoint", default="http://127.0.0.1:8000")
        parser.add_argument("--key", required=True, help="An API key with the scope score:write")
        parser.add_argument("--rate", type=float, default=100)
        parser.add_argument("--seconds", type=float, default=10)

    def handle(self, *, endpoint: str, key: str, rate: float, seconds: float, **_: object) -> None:
        target = Target(f"{endpoint}/detect", {"X-Api-Key": key})
        result = run(target, transaction, rate=rate, seconds=seconds)
        marks = ", ".join(
            f"p{share * 100:g} {result.percentile(share):.1f} ms" for share in (0.5, 0.95, 0.99)
        )
        self.stdout.write(f"{result.rate:.0f} requests/s, {marks}, answers {result.statuses}")
