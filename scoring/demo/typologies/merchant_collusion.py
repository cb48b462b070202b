"""A shop that charges cards whose owners never came in."""

from collections.abc import Iterator

from scoring.demo.crime import Crime
from scoring.demo.payments import Payment

KINDS = ("electronics", "jewellery", "clothing", "restaurant", "bar")


def tell(crime: Crime) -> Iterator[Payment]:
    """One shop, many cards, round sums within two days; without care, after closing time."""
    place = crime.a_home()
    shop = crime.shop(place, *KINDS)
    wanted = int(crime.rng.integers(5, 10))
    for number, customer in enumerate(crime.neighbours(place, wanted)):
        if number == wanted:
            return
        hour = crime.between(9, 23) if crime.careful else crime.between(22, 29)
        day = crime.at_hour(crime.day + 1.5 * crime.between(0, 1), hour, place)
        step = 10 if crime.careful else 50
        low, high = (60, 260) if crime.careful else (300, 2_600)
        amount = float(step * round(crime.between(low, high) / step))
        yield crime.paid(day, shop, amount, place, customer=customer)
