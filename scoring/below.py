"""What a version misses among the payments it raised nothing for; a later room tells it.

Only people who look at such payments know, and whom they looked at is kept in the room of alerts:
it leaves a teller here when it starts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from scoring.engine.sampling import Estimate
from scoring.models import ModelVersion


@dataclass(frozen=True)
class Below:
    """The sample below the line of the days on which one version decided everything."""

    since: date
    until: date
    draws: int  # one a day
    population: int  # payments that raised nothing
    drawn: int
    answered: int  # one way or the other
    caught: int  # raised and confirmed
    missed: Estimate | None  # frauds; None while nobody has answered
    recall: tuple[float, float, float] | None  # with the ends of its 95 % interval
    naive: float | None  # of what is labelled: too good


Teller = Callable[[ModelVersion], Below | None]
TELLERS: list[Teller] = []


def below(version: ModelVersion) -> Below | None:
    """What is known of it; None where nothing was drawn of what this version decided."""
    return next((found for tell in TELLERS if (found := tell(version))), None)
