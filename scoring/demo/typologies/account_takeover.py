"""Somebody else has the password."""

from collections.abc import Iterator

from scoring.demo.crime import MINUTE, Crime
from scoring.demo.payments import Payment

LEAVES_NO_GOODS = ("money transfer", "crypto exchange", "gift cards", "marketplace")


def tell(crime: Crime) -> Iterator[Payment]:
    """A strange phone, far away, moves money out through the web; with care, from next door."""
    day = crime.day + crime.between(0, 1)
    place = crime.home if crime.careful else crime.abroad()
    for _ in crime.times(2, 4):
        amount = crime.about(160 if crime.careful else 320, 0.7)
        # Next door, but not on the victim's phone: a proxy gives the place, not the device.
        device = crime.own_phone if crime.chance(0.3) else crime.strange_phone
        site = crime.site(*LEAVES_NO_GOODS)
        yield crime.paid(day, site, amount, place, device=device)
        day += crime.waits(40) * MINUTE
