"""From raw scores to log-odds, and from log-odds to the risk score people see."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.compiled import compiled

Floats = NDArray[np.float64]
MAP_VERSION = 1
MARGIN_LIMIT = 35.0  # beyond, a probability is 0 or 1 to 15 digits


@dataclass(frozen=True)
class Affine:
    """log-odds = slope × raw + intercept. The slope is positive, so the order stays."""

    slope: float
    intercept: float

    def __call__(self, raw: Floats) -> Floats:
        return self.slope * raw + self.intercept


def platt(raw: Floats, labels: Floats, seen: Floats | None = None) -> Affine:
    """The affine map under which the logistic of the result fits the labels best.

    Newton's method on Platt's smoothed targets. Where the labels would turn the order round or
    cannot settle a slope, only the level is moved. `seen` is the share of frauds as old as each row
    that are known by now: a known one stands for as many more as are not.
    """
    frauds, genuine = float(labels.sum()), float((1 - labels).sum())
    targets = np.where(labels == 1, (frauds + 1) / (frauds + 2), 1 / (genuine + 2))
    if seen is not None:
        targets = np.where(labels == 1, targets / seen, targets)
    slope, intercept = 1.0, 0.0
    for _ in range(100):
        chance = probability(slope * raw + intercept)
        error, weight = chance - targets, chance * (1 - chance) + 1e-12
        gradient = np.array([np.sum(error * raw), np.sum(error)])
        a, b, c = np.sum(weight * raw * raw), np.sum(weight * raw), np.sum(weight)
        if a * c - b * b <= 1e-12:
            break
        step = np.array([c * gradient[0] - b * gradient[1], a * gradient[1] - b * gradient[0]])
        step = np.clip(step / (a * c - b * b), -2.0, 2.0)
        slope, intercept = slope - float(step[0]), intercept - float(step[1])
        if np.abs(step).max() < 1e-10:
            break
    if not 0.05 < slope < 20:
        return Affine(1.0, _level(raw, float(targets.mean())))
    return Affine(slope, intercept)


def _level(raw: Floats, rate: float) -> float:
    """The shift after which the mean probability is the rate."""
    low, high = -100.0, 100.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if probability(raw + middle).mean() < rate else (low, middle)
    return (low + high) / 2


def anomaly(raw: Floats, budget: float) -> Affine:
    """Log-odds without labels: even at the cut of the budget, and the budget at the median."""
    median, cut = np.quantile(raw, [0.5, 1 - budget])
    slope = float(np.log((1 - budget) / budget) / max(cut - median, 1e-9))
    return Affine(slope, -slope * float(cut))


def probability(margins: Floats) -> Floats:
    """The logistic function."""
    result: Floats = 1 / (1 + np.exp(-np.clip(margins, -MARGIN_LIMIT, MARGIN_LIMIT)))
    return result


@dataclass(frozen=True)
class RiskMap:
    """Log-odds → risk score in 0..1: strictly increasing, linear between three fixed points.

    `budget` of the reference rows lie strictly above 0.7; `shares` says how many lie above 0.3,
    0.7 and 0.9. Outside the points it bends towards 0 and 1 without ever being flat.
    """

    knots: tuple[float, float, float]
    shares: tuple[float, float, float]
    version: int = MAP_VERSION

    @classmethod
    def fitted(cls, margins: Floats, budget: float) -> "RiskMap":
        """0.7 at the cut of the budget, 0.9 at a tenth of it, 0.3 at ten times (at most half)."""
        if not 0 < budget < 0.5:
            raise ValueError("the alert budget is a share between 0 and 0.5")
        shares = (min(10 * budget, (1 + budget) / 2), budget, budget / 10)
        low, cut, high = (float(np.quantile(margins, 1 - share)) for share in shares)
        least = 1e-3 * max(1.0, abs(cut))  # equal quantiles would make a step, and ties at the top
        return cls((min(low, cut - least), cut, max(high, cut + least)), shares)

    def __call__(self, margins: Floats) -> Floats:
        result = np.empty(len(margins))
        _risk(margins, *self.knots, result)
        return result


JUST_ABOVE = float(np.nextafter(0.7, 1))


@compiled
def _risk(margins: Floats, low: float, cut: float, high: float, out: Floats) -> None:
    """One pass, and for one row a fiftieth of what the same costs as twenty steps over arrays."""
    span = cut - low
    for at in range(margins.shape[0]):
        margin = margins[at]
        if margin <= low:
            out[at] = 0.3 * span / (span + (low - margin))
        elif margin <= cut:
            # Right-closed and measured from the right end, so that a margin at the cut is 0.7.
            out[at] = min(max(0.7 - (cut - margin) * (0.4 / span), 0.3), 0.7)
        elif margin <= high:
            risen = 0.9 - (high - margin) * (0.2 / (high - cut))
            out[at] = min(max(risen, JUST_ABOVE), 0.9)
        elif margin > high:
            further = margin - high
            out[at] = 0.9 + 0.1 * further / (span + further)
        else:
            out[at] = np.nan
