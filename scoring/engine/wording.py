"""What a feature says of one payment, in a sentence that reads well whatever the number is."""

from math import isfinite

import numpy as np
from numpy.typing import NDArray

from scoring.engine.feature import Feature
from scoring.engine.features import column

Floats = NDArray[np.float64]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LENGTHS = ((1440.0, "days"), (60.0, "hours"), (1.0, "minutes"), (1 / 60, "seconds"))


class Number(float):
    """A number as people write it: no zero has a sign, and what is no number is unknown."""

    def __format__(self, form: str) -> str:
        if not isfinite(self):
            return "unknown"
        text = float.__format__(self, form)
        return text if any(digit in "123456789" for digit in text) else text.lstrip("+-")


def sentence_of(feature: Feature, vector: Floats) -> str:
    """What this feature says about the transaction, beside the entity's own past."""
    value = _at(feature.name, vector)
    if not isfinite(value):
        return f"{feature.meaning}: not known."
    said = feature.phrase.format(
        **words(value), amount=_at("amount", vector), hour=Number(_at("hour", vector) % 24)
    )
    return f"{said[0].upper()}{said[1:]}{_baseline(feature, value, vector)}"


def words(value: float) -> dict[str, object]:
    """The ways a phrase may tell its value."""
    return {
        "value": Number(value),
        "weekday": WEEKDAYS[int(value) % 7],
        "duration": duration(value),  # of a value in minutes
        "ago": duration(value * 1440),  # of a value in days
        "days": days(value),
        "share": share(value),
        "size": Number(abs(value)),
        "side": "from" if abs(value) < 0.05 else "above" if value > 0 else "below",
        "not": "" if value else "not ",
    }


def duration(minutes: float) -> str:
    """A length of time in the largest unit of which there are two, never “1 days”."""
    for size, unit in LENGTHS:
        if minutes / size >= 2:
            return f"{minutes / size:,.0f} {unit}"
    return "a second" if minutes * 60 >= 0.5 else "less than a second"


def days(value: float) -> str:
    """Whole days in words."""
    if value < 1:
        return "less than a day"
    return "one day" if value < 1.5 else f"{value:,.0f} days"


def share(value: float) -> str:
    """A share in per cent; a small one is not called none, and almost all is not called all."""
    percent = 100 * value
    if 0 < percent < 1:
        return "less than 1 %"
    return "more than 99 %" if 99 < percent < 100 else f"{Number(percent):,.0f} %"


def _baseline(feature: Feature, value: float, vector: Floats) -> str:
    """The past the value was compared with, where the register names one."""
    if not feature.baseline:
        return ""
    beside = _at(feature.baseline, vector)
    usual = beside / value if value else float("nan")
    told = usual if "{usual" in feature.baseline_phrase else beside
    if not isfinite(told):
        return ""
    return feature.baseline_phrase.format(
        value=beside, usual=Number(usual), duration=duration(beside)
    )


def _at(name: str, vector: Floats) -> Number:
    return Number(vector[column(name)])
