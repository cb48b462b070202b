"""`manage.py reseal`: seal secrets and personal values with the SECRET_KEY of today."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from scoring import personal
from scoring.secrets import SecretLost
from scoring.sourcing import reseal


class Command(BaseCommand):
    """Run once after SECRET_KEY changed, the former one being in SECRET_KEY_FALLBACKS."""

    help = "Seal secrets and personal values with today's SECRET_KEY; then the former can go."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            done = reseal(by="command")
        except SecretLost as lost:
            raise CommandError(f"{lost} Nothing was changed.") from None
        try:
            rows = personal.reseal()
        except SecretLost as lost:
            raise CommandError(f"{lost} What came before it is sealed anew.") from None
        secrets = f"{done} secret{'' if done == 1 else 's'} sealed anew"
        self.stdout.write(f"{secrets}, and {rows} rows of personal values.")
