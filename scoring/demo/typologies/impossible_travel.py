"""A cloned card."""

from collections.abc import Iterator

from scoring.demo.crime import HOUR, MINUTE, Crime
from scoring.demo.payments import Payment

EVERYDAY = ("electronics", "clothing", "groceries", "restaurant", "fuel")
SELLS_AGAIN = ("electronics", "jewellery", "clothing")


def tell(crime: Crime) -> Iterator[Payment]:
    """Used an ocean away, an hour or two after its owner bought bread at home."""
    place = crime.abroad()
    day = crime.day + crime.between(0.3, 2) * HOUR
    if crime.careful:  # patience: as long as a flight, and ordinary sums
        day = crime.day + crime.between(9, 16) * HOUR
    for _ in crime.times(2, 4):
        shop = crime.shop(place, *(EVERYDAY if crime.careful else SELLS_AGAIN))
        factor = 1.0 if crime.careful else crime.between(1.5, 4)
        yield crime.paid(day, shop, crime.price(shop) * factor, place)
        day += crime.waits(50) * MINUTE
