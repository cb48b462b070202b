"""Intervals of shares and of weighted counts that stay true when counts are small.

Normal intervals do not: with two frauds found among two hundred payments they leave out the truth
far more often than they claim (`tests/engine/test_sampling.py` counts how often).
"""

from collections.abc import Sequence
from math import exp, lgamma, log, sqrt

Z = 1.959963984540054  # of 95 %
LOW, HIGH = 0.025, 0.975


def wilson(found: float, of: float) -> tuple[float, float]:
    """95 % interval of a share (Wilson, JASA 22, 1927); 0 to 1 when there is nothing."""
    if of <= 0:
        return 0.0, 1.0
    share, more = found / of, Z * Z / of
    middle = share + more / 2
    half = Z * sqrt(share * (1 - share) / of + more / (4 * of))
    return max(0.0, (middle - half) / (1 + more)), min(1.0, (middle + half) / (1 + more))


def weighted_count(found: Sequence[float], weights: Sequence[float]) -> tuple[float, float]:
    """95 % interval of a sum of weighted Poisson counts, one weight per stratum.

    The gamma interval of Fay and Feuer (Statistics in Medicine 16, 1997), with the weight of what
    was not found as Tiwari, Clegg and Zou have it (Statistical Methods in Medical Research 15,
    2006): the mean over the strata, so a stratum with nothing found is not taken for empty.
    """
    total = sum(w * f for w, f in zip(weights, found, strict=True))
    spread = sum(w * w * f for w, f in zip(weights, found, strict=True))
    one = sum(weights) / len(weights)
    more, wider = total + one, spread + sum(w * w for w in weights) / len(weights)
    low = gamma_quantile(LOW, total * total / spread) * spread / total if total else 0.0
    return low, gamma_quantile(HIGH, more * more / wider) * wider / more


def gamma_quantile(share: float, shape: float) -> float:
    """Below which a gamma variable of this shape and scale 1 lies with this probability."""
    low, high = 0.0, shape + 10.0
    while gamma_share(shape, high) < share:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if gamma_share(shape, middle) < share else (low, middle)
    return (low + high) / 2


def gamma_share(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function P (DLMF 8.11.4 and 8.9.2)."""
    if x <= 0:
        return 0.0
    scale = exp(shape * log(x) - x - lgamma(shape))
    if x < shape + 1:
        return scale * _series(shape, x)
    return 1 - scale * _fraction(shape, x)


def _series(shape: float, x: float) -> float:
    term = total = 1 / shape
    n = shape
    while abs(term) > abs(total) * 1e-16:
        n += 1
        term *= x / n
        total += term
    return total


def _fraction(shape: float, x: float) -> float:
    """Lentz's method (Thompson and Barnett, J. Comput. Phys. 64, 1986)."""
    b = x + 1 - shape
    c, d = 1e300, 1 / b
    found = d
    for n in range(1, 10_000):
        a = -n * (n - shape)
        b += 2
        d = 1 / (a * d + b or 1e-300)
        c = b + a / c or 1e-300
        found *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return found
