"""The novelty lane: a share of the alert budget for payments that are like nothing seen before.

A model that learnt from labels finds what somebody has called fraud. A kind of fraud that nobody
has named yet is in no label, but it may be rare all the same. So of the payments the model does not
raise, the rarest are raised for review: as many as the lane's share of the budget, while the model
raises the rest of it. The lane never blocks, lowers nothing, and leaves alone what is raised.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.calibration import RiskMap
from scoring.engine.decision import DENY, NOVELTY, RAISING, Hit, Policy
from scoring.engine.ensemble import Lane, Member

Floats = NDArray[np.float64]
SHARE = 0.05  # of the alert budget; how it was chosen: docs/detection.md
MOST = 0.5  # more for what no label speaks for than for what labels taught is no lane any more
CUT = 0.7  # of the novelty score, as of the risk score
SENTENCE = (
    "It is unlike nearly all payments so far (novelty {observed:.2f}, above {limit:.2f}), "
    "though it does not look like any known fraud."
)


@dataclass(frozen=True)
class LaneRule:
    """The lane as the register of reasons shows it, behind lists and rules."""

    code: str
    meaning: str
    raises: bool
    title: str


LANE_RULES = [
    LaneRule(
        NOVELTY,
        "Among the rarest payments that the model does not raise: for review at most. Its share "
        "of the alert budget is chosen at the training. The allow list is stronger.",
        True,
        "Unlike anything seen",
    )
]


def parted(
    member: Member, vectors: Floats, margins: Floats, *, budget: float, share: float
) -> tuple[RiskMap, Lane | None]:
    """The map of the model's `margins`, and the lane that raises `budget` × `share` of these rows.

    Together they raise the budget, no row twice. Without a lane, because the share is 0 or less
    than one row, the model has the whole of it.
    """
    if not 0 <= share <= MOST:
        raise ValueError(f"the lane's share of the alert budget is from 0 to {MOST:g}")
    risk = RiskMap.fitted(margins, budget * (1 - share))
    left = margins <= risk.knots[1]
    most, rows = int(budget * share * len(margins)), int(left.sum())
    if not 0 < most < rows / 2:
        return RiskMap.fitted(margins, budget), None
    own = RiskMap.fitted(member.margins(vectors[left]), most / rows)
    return risk, Lane(member, share, own)


def with_novelty(
    hits: list[list[Hit]], novelty: Floats, risk: Floats, policy: Policy
) -> list[list[Hit]]:
    """The hits, and one more on each row that comes in by the lane alone.

    Not on rows that the score, a rule or the deny list raises: they need no second reason.
    """
    for row in np.flatnonzero((novelty > CUT) & (risk < policy.high_above)):
        if all(hit.code != DENY and hit.code not in RAISING for hit in hits[row]):
            shown = float(novelty[row])
            sentence = SENTENCE.format(observed=shown, limit=CUT)
            hits[row] = [*hits[row], Hit(NOVELTY, sentence, shown, CUT)]
    return hits
