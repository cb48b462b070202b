"""A card out of a lost purse."""

from collections.abc import Iterator

from scoring.demo.crime import HOUR, MINUTE, Crime
from scoring.demo.payments import Payment

SELLS_AGAIN = ("electronics", "jewellery", "clothing", "groceries")
OPEN_AT_NIGHT = ("bar", "fuel", "restaurant", "groceries")


def tell(crime: Crime) -> Iterator[Payment]:
    """The card itself, spent in the victim's own city until it is blocked; a third at night."""
    at_night = crime.chance(0.35)
    day = crime.day + crime.waits(3) * HOUR
    if at_night:
        day = crime.at_hour(crime.day, crime.between(1.2, 3.5), crime.place)
    goods = OPEN_AT_NIGHT if at_night else SELLS_AGAIN
    for _ in crime.times(3, 6):
        shop = crime.shop(crime.place, *goods)
        factor = crime.between(0.9, 1.6) if crime.careful else crime.between(1.5, 4)
        yield crime.paid(day, shop, crime.price(shop) * factor, crime.place)
        day += crime.waits(150 if crime.careful and not at_night else 30) * MINUTE
