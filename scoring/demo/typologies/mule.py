"""An account lent to somebody who must not be seen."""

from collections.abc import Iterator

from scoring.demo.crime import HOUR, Crime
from scoring.demo.payments import Payment


def tell(crime: Crime) -> Iterator[Payment]:
    """Money comes in and nine tenths of it leave again within hours; with care, in small sums."""
    day = crime.day + crime.between(0, 1)
    received = 0.0
    for _ in crime.times(1, 3):
        amount = crime.between(250, 900) if crime.careful else crime.between(2_500, 9_000)
        received += amount
        site = crime.site("wallet top-up")
        yield crime.paid(day, site, amount, crime.home, device=crime.own_phone)
        day += crime.waits(3) * HOUR
    pieces = crime.times(1, 2)
    for _ in pieces:
        day += crime.waits(12 if crime.careful else 2) * HOUR
        amount = received * crime.between(0.86, 0.97) / len(pieces)
        site = crime.site("money transfer", "crypto exchange")
        yield crime.paid(day, site, amount, crime.home, device=crime.own_phone)
