"""Why a version should not decide yet, from what was measured: not as good, or too good."""

from typing import Any

from scoring.engine.evaluation_intervals import MOST_LOSS
from scoring.engine.evaluation_tables import too_good

PROMOTABLE = {"better", "not worse"}
OPENING = {
    "better": "Better than",
    "not worse": "Not worse than",
    "worse": "Worse than",
    "undecided": "Undecided against",
}


def suspicions(metrics: dict[str, Any]) -> list[str]:
    """What is too good to be believed: likely something of the future among the features."""
    own, rival = (metrics.get("measured") or {}).get("ap"), metrics.get("champion") or {}
    if own is None:
        return []
    theirs = (rival.get("measured") or {}).get("ap")
    # A champion that learnt without labels is no measure for one that has them.
    like = theirs is not None and rival.get("kind") == metrics.get("kind")
    return list(too_good(own, {f"v{rival['number']}": theirs} if like else {}))


def doubts(metrics: dict[str, Any]) -> list[str]:
    """Sentences a promotion has to answer; none where nothing speaks against it."""
    found = [f"Too good? Check for a leak: {why}." for why in metrics.get("suspicions") or []]
    weekly = (metrics.get("weekly") or {}).get("suspicions") or []
    found += [f"Too good? Check for a leak: {why}." for why in weekly]
    if metrics.get("update") and (metrics.get("online") or {}).get("verdict") not in PROMOTABLE:
        found.append("It has not shown as a shadow that it is no worse than what it goes on from.")
    rival = metrics.get("champion") or {}
    paired = rival.get("paired")
    if paired and paired["verdict"] not in PROMOTABLE:
        found.append(f"{compared(metrics)} It may be a loss of more than {MOST_LOSS:g}.")
    return found


def compared(metrics: dict[str, Any]) -> str:
    """Own against the champion's average precision in one sentence, with the difference's range."""
    rival = metrics["champion"]
    own, theirs, paired = metrics["measured"]["ap"], rival["measured"]["ap"], rival["paired"]
    return (
        f"{OPENING[paired['verdict']]} v{rival['number']}: average precision {own:.3f} against "
        f"{theirs:.3f}, a difference of {paired['value']:+.3f} "
        f"({paired['low']:+.3f} to {paired['high']:+.3f}, 95 %)."
    )
