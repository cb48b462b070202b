"""How much each learner says in the mean of their log-odds: alike, unless later labels speak for
another mix by more than chance.

A mean of learners that err differently finds more than each, but only while they are equals. So
every mix in tenths is calibrated and asked how surprised it is by the labels of later payments
(log-loss, as in the stacking of Wolpert, Neural Networks 5, 1992). Taken is the mix nearest to
equal parts whose surprise lies within two standard errors of the least; the error is that of the
difference, over stretches of time with as many frauds each, because frauds come in waves. Nobody
falls silent: what is weak now may be what holds next.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from scoring.engine.calibration import platt

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
TENTHS = 10
STRETCHES = 12
SURE = 2.0  # standard errors


def shares(odds: Floats, labels: Floats, seen: Floats, times: Integers) -> Floats:
    """The weight of each learner, of at least a tenth, adding up to 1.

    `odds` has a row for each learner: its calibrated log-odds of the judged payments, of which it
    had learnt nothing. `labels` are 1 or 0; `seen` is the share of frauds as old that are reported.
    """
    mixes = _mixes(len(odds))
    if len(mixes) == 1:
        return np.asarray(mixes[0])
    stretch = _stretches(labels, times)
    surprise = np.array([_surprise(mix @ odds, labels, seen, stretch) for mix in mixes])
    best = int(surprise.sum(axis=1).argmin())
    over = surprise - surprise[best]
    error = np.sqrt(over.shape[1] * over.var(axis=1, ddof=1))
    near = np.abs(mixes - 1 / len(odds)).sum(axis=1)
    chosen = int(np.where(over.sum(axis=1) <= SURE * error, near, np.inf).argmin())
    return np.asarray(mixes[chosen])


def _mixes(learners: int) -> Floats:
    """Every way to part ten tenths with one at least for each; equal parts where that cannot be."""
    whole = [parts for parts in product(range(1, TENTHS), repeat=learners) if sum(parts) == TENTHS]
    equal = np.full((1, learners), 1 / learners)
    return np.unique(np.vstack([equal, np.array(whole) / TENTHS]), axis=0) if whole else equal


def _stretches(labels: Floats, times: Integers) -> Integers:
    """Of each row the stretch of time it lies in; each holds about as many frauds."""
    frauds = np.sort(times[labels == 1])
    ends = frauds[np.linspace(0, len(frauds) - 1, STRETCHES + 1).astype(int)[1:-1]]
    return np.searchsorted(ends, times).astype(np.int64)


def _surprise(margins: Floats, labels: Floats, seen: Floats, stretch: Integers) -> Floats:
    """The log-loss of each stretch, once these log-odds are calibrated; frauds count as there."""
    calibrated = platt(margins, labels, seen)(margins)
    lost = np.logaddexp(0, calibrated) - np.where(labels == 1, 1 / seen, 0.0) * calibrated
    return np.asarray(np.bincount(stretch, lost, STRETCHES), np.float64)
