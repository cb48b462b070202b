"""A good customer who never meant to pay."""

from collections.abc import Iterator

from scoring.demo.crime import HOUR, Crime
from scoring.demo.payments import Payment

TURNS_INTO_CASH = ("electronics", "jewellery", "clothing")


def tell(crime: Crime) -> Iterator[Payment]:
    """After weeks of good conduct everything is bought at once, dearer every time, at home."""
    day, factor = crime.day, crime.between(1.5, 2.5) if crime.careful else crime.between(2, 4)
    for _ in crime.times(4, 8):
        online = crime.chance(0.35)
        shop = (
            crime.site("gift cards", "marketplace", "travel")
            if online
            else crime.shop(crime.place, *TURNS_INTO_CASH)
        )
        amount = min(crime.price(shop) * factor, 9_900.0)
        yield crime.paid(day, shop, amount, crime.place, device=crime.own_phone)
        day += crime.waits(14 if crime.careful else 6) * HOUR
        factor *= 1.15
