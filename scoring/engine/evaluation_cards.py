"""What a team that looks at so many cards a day would have found: cards, value, episodes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.folds import DAY

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
QUIET = DAY  # frauds of one user further apart than this are two episodes


@dataclass(frozen=True)
class Looked:
    """The result of a team's days: who was looked at, and what that found.

    `found` marks frauds of users on the day they were looked at, and all later ones: a card that
    was found is blocked. `looked` marks every row of a user on a day the team looked at him.
    """

    precision: float  # mean over days, as in the Fraud Detection Handbook
    most: float  # the same for a team that knows everything
    looked: Mask
    found: Mask


def looked_at(
    times: Integers, users: Integers, labels: Floats, scores: Floats, *, per_day: int, start: int
) -> Looked:
    """Each day the `per_day` users with the highest score are looked at.

    Card precision at k of the Fraud Detection Handbook: a day's users are ranked by their highest
    score, the share of frauds among the first k counts, users found are taken out of the days that
    follow, and the mean over the days with a payment is told. Days are counted from `start`.
    """
    days = (times - start) // DAY
    looked, found = np.zeros(len(times), bool), np.zeros(len(times), bool)
    precise, most, caught = [], [], np.empty(0, np.int64)
    for day in np.unique(days):
        rows = np.flatnonzero(days == day)
        over = np.isin(users[rows], caught)
        found[rows[over & (labels[rows] == 1)]] = True
        rows = rows[~over]
        whom, place, score, fraud = _of_users(users[rows], scores[rows], labels[rows])
        chosen = np.argsort(-score, kind="stable")[:per_day]
        precise.append(fraud[chosen].sum() / per_day)
        most.append(min(fraud.sum(), per_day) / per_day)
        looked[rows] = np.isin(place, chosen)
        found[rows] = looked[rows] & (labels[rows] == 1)
        caught = np.concatenate([caught, whom[chosen][fraud[chosen] == 1]])
    if not precise:
        return Looked(float("nan"), float("nan"), looked, found)
    return Looked(float(np.mean(precise)), float(np.mean(most)), looked, found)


def _of_users(
    users: Integers, scores: Floats, labels: Floats
) -> tuple[Integers, Integers, Floats, Floats]:
    """The users of these rows, each row's place among them, their highest score and label."""
    whom, place = np.unique(users, return_inverse=True)
    score, fraud = np.full(len(whom), -np.inf), np.zeros(len(whom))
    np.maximum.at(score, place, scores)
    np.maximum.at(fraud, place, labels)
    return whom, place, score, fraud


def episodes(times: Integers, users: Integers, labels: Floats) -> Integers:
    """The number of the episode each fraud belongs to, -1 for other rows.

    An episode is a chain of frauds of one user, none more than 24 hours after the one before.
    """
    numbers = np.full(len(times), -1, np.int64)
    frauds = np.flatnonzero(labels == 1)
    frauds = frauds[np.lexsort((times[frauds], users[frauds]))]
    if len(frauds):
        other = np.diff(users[frauds], prepend=users[frauds[0]]) != 0
        later = np.diff(times[frauds], prepend=times[frauds[0]]) > QUIET
        numbers[frauds] = np.cumsum(other | later)
    return numbers


def episode_recall(episode: Integers, found: Mask) -> float:
    """The share of episodes with at least one fraud found; `episode` is below 0 where none is."""
    of = np.unique(episode[episode >= 0])
    return len(np.unique(episode[(episode >= 0) & found])) / len(of) if len(of) else float("nan")


def first_fraud_recall(times: Integers, episode: Integers, caught: Mask) -> float:
    """The share of episodes whose first fraud is caught: before it did more harm."""
    frauds = np.flatnonzero(episode >= 0)
    frauds = frauds[np.lexsort((times[frauds], episode[frauds]))]
    first = frauds[np.unique(episode[frauds], return_index=True)[1]]
    return float(caught[first].mean()) if len(first) else float("nan")


def value_recall(amounts: Floats, labels: Floats, caught: Mask) -> float:
    """The share of the stolen money in the frauds that were caught."""
    stolen = amounts * (labels == 1)
    total = float(stolen.sum())
    return float(stolen[caught].sum()) / total if total else float("nan")


def user_recall(users: Integers, labels: Floats, caught: Mask) -> float:
    """The share of users with a fraud of whom at least one fraud was caught."""
    stolen = np.unique(users[labels == 1])
    return (
        len(np.unique(users[(labels == 1) & caught])) / len(stolen) if len(stolen) else float("nan")
    )
