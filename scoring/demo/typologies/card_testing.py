"""Bought card numbers, tried before they are used."""

from collections.abc import Iterator

from scoring.demo.crime import HOUR, MINUTE, Crime
from scoring.demo.payments import Payment


def tell(crime: Crime) -> Iterator[Payment]:
    """Many payments of a dollar or two in minutes, then one that pays for the trouble."""
    day = crime.day + crime.between(0, 1)
    for _ in crime.times(4, 8):
        # Numbers are tried through machines all over the world.
        place = crime.home if crime.careful else crime.anywhere()
        site = crime.site("marketplace", "games", "streaming", "charity")
        yield crime.paid(day, site, crime.between(0.4, 6), place)
        day += crime.waits(70 if crime.careful else 0.25) * MINUTE
    site = crime.site("gift cards", "marketplace")
    yield crime.paid(day + crime.waits(1) * HOUR, site, crime.between(80, 600), crime.home)
