"""From events and their history to verdicts: the whole engine behind one call."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine import features, rules
from scoring.engine.bundle import Bundle
from scoring.engine.decision import Hit, Policy, Verdict, decide_each, heeded
from scoring.engine.ensemble import Scored
from scoring.engine.history import History, Rows
from scoring.engine.lane import with_novelty
from scoring.engine.lists import NOBODY, Lists
from scoring.engine.transaction import UNITS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """One entry per event, in their order. A `risk_score` of NaN could not be made."""

    vectors: Floats
    margin: Floats
    risk_score: Floats
    probability: Floats | None
    hits: list[list[Hit]]
    verdicts: list[Verdict]
    degraded: list[str]  # why scoring was not whole; empty when it was


class Scorer:
    """A bundle and a policy, ready to score. Without a bundle only rules speak, and all is REVIEW.

    Scoring never raises because of data or a detector: what failed is named in `degraded`, and
    nothing is approved by it. `lists` are the allow and deny lists of the moment.
    """

    def __init__(self, bundle: Bundle | None, policy: Policy, lists: Lists = NOBODY) -> None:
        self.bundle = bundle
        self.policy = policy
        self.lists = lists

    def score(self, events: Rows, history: History) -> Scores:
        """Vectors, scores, hits and verdicts of the events."""
        vectors, trouble = self._vectors(events, history)
        return self._judged(events, vectors, trouble)

    def rescore(self, events: Rows, vectors: Floats) -> Scores:
        """The same from stored vectors: what a replay must find again bit for bit."""
        return self._judged(events, vectors, "")

    def _vectors(self, events: Rows, history: History) -> tuple[Floats, str]:
        try:
            return features.compute(events, history), ""
        except Exception as error:
            unknown = np.full((len(events), len(features.FEATURES)), np.nan)
            return unknown, f"features failed: {type(error).__name__}: {error}"[:200]

    def _judged(self, events: Rows, vectors: Floats, trouble: str) -> Scores:
        scored = self._scored(vectors, trouble)
        trouble = trouble or named(scored.failed)
        hits, missed = self._hits(events, vectors)
        trouble = trouble or missed
        risks = scored.risk_score.tolist()
        if len(self.lists):
            met = self.lists.hits(events)
            hits = [listed + fired for listed, fired in zip(met, hits, strict=True)]
        hits, lost = self._with_novelty(hits, vectors, scored.risk_score, trouble)
        trouble = trouble or lost
        if len(self.lists):
            pairs = zip(hits, risks, strict=True)
            hits = [heeded(found, score, self.policy) for found, score in pairs]
        amounts = (events["units"] / UNITS).tolist()
        verdicts = decide_each(risks, hits, amounts, policy=self.policy, degraded=trouble)
        return Scores(
            vectors,
            scored.margin,
            scored.risk_score,
            scored.probability,
            hits,
            verdicts,
            [trouble] * len(events),
        )

    def _scored(self, vectors: Floats, trouble: str) -> Scored:
        failed: dict[str, str] = {}
        if not trouble and self.bundle is None:
            failed = {"model": "none is in service"}
        elif not trouble and self.bundle is not None:
            try:
                return self.bundle.ensemble.score(vectors)
            except Exception as error:
                failed = {"ensemble": f"{type(error).__name__}: {error}"[:100]}
        nothing = np.full(len(vectors), np.nan)
        return Scored(nothing, nothing.copy(), None, failed)

    def _with_novelty(
        self, hits: list[list[Hit]], vectors: Floats, risk: Floats, trouble: str
    ) -> tuple[list[list[Hit]], str]:
        """Those of the novelty lane too; in trouble a person looks anyway."""
        if trouble or self.bundle is None or self.bundle.ensemble.lane is None:
            return hits, ""
        try:
            novelty = self.bundle.ensemble.novelty(vectors)
            return with_novelty(hits, novelty, risk, self.policy), ""
        except Exception as error:
            return hits, f"novelty lane: {type(error).__name__}: {error}"[:200]

    def _hits(self, events: Rows, vectors: Floats) -> tuple[list[list[Hit]], str]:
        try:
            return rules.hits(events, vectors, self.policy), ""
        except Exception as error:
            empty: list[list[Hit]] = [[] for _ in range(len(events))]
            return empty, f"rules failed: {type(error).__name__}: {error}"[:200]


def named(failed: dict[str, str]) -> str:
    """What failed and why, short enough to be stored with a decision."""
    return "; ".join(f"{name}: {reason}" for name, reason in failed.items())[:200]
