"""Amounts of money: stored as the number that was written, or refused in words."""

import math
import re
from decimal import Decimal, InvalidOperation

from scoring.engine.fields import Unfit

CENTS = Decimal("0.0001")
AMOUNT_BELOW = Decimal(10) ** 14  # NUMERIC(18,4)
PLAIN = re.compile(r"\d{1,14}(?:\.\d{1,4}0*)?", re.ASCII)


def amount(value: object) -> Decimal:
    """Zero or more, below 10**14, at most 4 decimals, exactly the number that was written.

    Texts are plain ASCII digits with a point. A binary float is taken at the 15 significant digits
    a double guarantees: 0.1 + 0.2 from a Parquet column is 0.3; the text 0.30000000000000004 is
    refused, because storing it would change it.
    """
    if type(value) is str:
        return _written(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unfit("is not a number")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unfit("is not a finite number")
        return _fitting(Decimal(f"{value:.15g}"))
    if isinstance(value, int) and abs(value) >= AMOUNT_BELOW:
        raise Unfit("is too large; it must be below 100 trillion")
    return _fitting(Decimal(value))


def _written(value: str) -> Decimal:
    if PLAIN.fullmatch(value):
        return Decimal(value).quantize(CENTS)  # it fits: so many digits, so many decimals, no sign
    if len(value) > 64:
        raise Unfit("is not a number of sensible length")
    if re.fullmatch(r"-\d+(\.\d*)?", value, re.ASCII):
        raise Unfit("is negative; an amount is zero or more")
    if re.fullmatch(r"\d+\.\d+", value, re.ASCII):
        return _fitting(Decimal(value))
    if re.fullmatch(r"\d+", value, re.ASCII):
        raise Unfit("is too large; it must be below 100 trillion")
    if "," in value:
        raise Unfit("holds a comma; write 1234.56, without thousands separators")
    raise Unfit("is not a plain number such as 1234.56")


def _fitting(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise Unfit("is not a finite number")
    if value.is_signed() and value:
        raise Unfit("is negative; an amount is zero or more")
    if value >= AMOUNT_BELOW:
        raise Unfit("is too large; it must be below 100 trillion")
    try:
        fitted = value.quantize(CENTS)
    except InvalidOperation:
        raise Unfit("has more than 4 decimal places") from None
    if fitted != value:
        raise Unfit("has more than 4 decimal places")
    return abs(fitted)
