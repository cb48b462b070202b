"""Cash that must not be reported."""

from collections.abc import Iterator

from scoring.demo.crime import HOUR, Crime
from scoring.demo.payments import Payment

LIMIT = 10_000  # at which a bank has to ask


def tell(crime: Crime) -> Iterator[Payment]:
    """Deposits just below the limit, a day or less apart; with care, a third of it."""
    for number in crime.times(3, 6):
        low, high = (0.18, 0.42) if crime.careful else (0.72, 0.985)
        branch = crime.shop(crime.home, "cash deposit")
        day = crime.at_hour(crime.day + number * 0.8, crime.between(9, 17), crime.home)
        yield crime.paid(
            day + crime.waits(1) * HOUR, branch, LIMIT * crime.between(low, high), crime.home
        )
