"""Members and their weights: one log-odds per transaction, with the failing members named."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from scoring.engine.calibration import Affine, RiskMap, probability
from scoring.engine.detectors.base import Detector
from scoring.engine.preparation import Preparation

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Member:
    """A detector, its own way into log-odds and to a risk score, and its say in the whole.

    Weight 0 is a member in reserve: not scored while the others work.
    """

    name: str
    detector: Detector
    weight: float
    to_odds: Affine
    risk: RiskMap  # when it has to stand alone

    def margins(self, vectors: Floats) -> Floats:
        margins = self.to_odds(self.detector.raw(vectors))
        if not np.all(np.isfinite(margins)):
            raise ArithmeticError("gave a score that is not a number")
        return margins


@dataclass(frozen=True)
class Lane:
    """The way in for what is unlike anything seen (`lane`): who looks, and from where on.

    `risk` maps the margins of the member to the novelty score; above 0.7 lies the lane.
    """

    member: Member
    share: float  # of the alert budget
    risk: RiskMap


@dataclass(frozen=True)
class Scored:
    """Log-odds and risk score per row (NaN when every member failed), and what failed why."""

    margin: Floats
    risk_score: Floats
    probability: Floats | None
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ensemble:
    """The members, the map from their joint log-odds to the risk score, and if labels were met.

    Only a warm ensemble speaks of probability: a cold one has seen no fraud.
    """

    members: tuple[Member, ...]
    risk: RiskMap
    warm: bool
    preparation: Preparation | None = None  # without one, members see vectors as they are
    lane: Lane | None = None

    def score(self, vectors: Floats) -> Scored:
        """Never raises because of a member: it leaves its weight, and the others go on."""
        if self.preparation is not None:
            vectors = self.preparation(vectors)
        working, failed = self._working(vectors)
        if not working:
            nothing = np.full(len(vectors), np.nan)
            return Scored(nothing, nothing.copy(), None, failed)
        margin = combined(working)
        if not failed:
            return Scored(margin, self.risk(margin), probability(margin) if self.warm else None)
        first = working[0][0]
        risk = first.risk if len(working) == 1 else self.risk
        return Scored(margin, risk(margin), None, failed)

    def _working(self, vectors: Floats) -> tuple[list[tuple[Member, Floats]], dict[str, str]]:
        """Who can score these, with what they say; one in reserve only where nobody else can."""
        failed: dict[str, str] = {}
        working = self._attempt([m for m in self.members if m.weight > 0], vectors, failed)
        if not working:
            working = self._attempt([m for m in self.members if not m.weight], vectors, failed)[:1]
        return working, failed

    def _attempt(
        self, members: list[Member], vectors: Floats, failed: dict[str, str]
    ) -> list[tuple[Member, Floats]]:
        working = []
        for member in members:
            try:
                working.append((member, member.margins(vectors)))
            except Exception as error:
                failed[member.name] = f"{type(error).__name__}: {error}"[:100]
        return working

    def novelty(self, vectors: Floats) -> Floats:
        """The novelty score of each row; 0 everywhere without a lane. What fails there raises."""
        if self.lane is None:
            return np.zeros(len(vectors))
        if self.preparation is not None:
            vectors = self.preparation(vectors)
        return self.lane.risk(self.lane.member.margins(vectors))

    def margin(self, vectors: Floats, *, novel: bool = False) -> Floats:
        """The log-odds of `score`; with `novel` those of the lane's member."""
        return (self.aside if novel else self).score(vectors).margin

    @property
    def aside(self) -> "Ensemble":
        """The lane's member as an ensemble of its own; without a lane, the same."""
        if self.lane is None:
            return self
        alone = replace(self.lane.member, weight=1.0)
        return Ensemble((alone,), self.lane.risk, warm=False, preparation=self.preparation)

    def contributions(self, vectors: Floats, *, novel: bool = False) -> tuple[float, Floats]:
        """The base and each feature's part of `margin(vectors, novel=novel)`, in log-odds.

        Of the members that can score these rows, as in `score`. ArithmeticError names the member
        whose parts cannot be had: without them the others do not add up to the score.
        """
        if novel and self.lane is not None:
            return self.aside.contributions(vectors)
        width = vectors.shape[1]
        if self.preparation is not None:
            vectors = self.preparation(vectors)
        members = [member for member, _ in self._working(vectors)[0]]
        if not members:
            raise ArithmeticError("no member of the model can score this")
        base, parts = 0.0, np.zeros(vectors.shape)
        total = sum(member.weight or 1.0 for member in members)
        for member in members:
            own_base, own = _parts(member, vectors)
            share = (member.weight or 1.0) / total
            base += share * (member.to_odds.slope * own_base + member.to_odds.intercept)
            parts += share * member.to_odds.slope * own
        return base, parts if self.preparation is None else self.preparation.folded(parts, width)


def _parts(member: Member, vectors: Floats) -> tuple[float, Floats]:
    try:
        base, parts = member.detector.contributions(vectors)
    except Exception as error:
        raise ArithmeticError(f"{member.name}: {type(error).__name__}: {error}"[:200]) from error
    if not (np.isfinite(base) and np.all(np.isfinite(parts))):
        raise ArithmeticError(f"{member.name}: gave a contribution that is not a number")
    return base, parts


def combined(working: list[tuple[Member, Floats]]) -> Floats:
    """The weighted mean of log-odds; a reserve that stands alone counts fully."""
    weights = [member.weight or 1.0 for member, _ in working]
    total: Floats = np.zeros(len(working[0][1]))
    for weight, (_, margins) in zip(weights, working, strict=True):
        total += weight / sum(weights) * margins
    return total
