"""`manage.py reseal`: seal the secrets of sources with the SECRET_KEY of today."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from scoring.secrets import SecretLost
from scoring.sourcing import reseal


class Command(BaseCommand):
    """Run once after SECRET_KEY changed, the former one being in SECRET_KEY_FALLBACKS."""

    help = "Seal the secrets of sources with today's SECRET_KEY; then the former one can go."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            done = reseal(by="command")
        except SecretLost as lost:
            raise CommandError(f"{lost} Nothing was changed.") from None
        self.stdout.write(f"{done} secret{'' if done == 1 else 's'} sealed anew.")
