"""Why a version should not decide yet, from what was measured: not as good, or too good."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.templatetags.words import figure
from scoring.engine.evaluation_intervals import MOST_LOSS
from scoring.engine.evaluation_tables import too_good

PROMOTABLE = {"better", "not worse"}
OPENING = {
    "better": _lazy("Better than"),
    "not worse": _lazy("Not worse than"),
    "worse": _lazy("Worse than"),
    "undecided": _lazy("Undecided against"),
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
    found = [
        _("Too good? Check for a leak: {why}.").format(why=why)
        for why in metrics.get("suspicions") or []
    ]
    weekly = (metrics.get("weekly") or {}).get("suspicions") or []
    found += [_("Too good? Check for a leak: {why}.").format(why=why) for why in weekly]
    if metrics.get("update") and (metrics.get("online") or {}).get("verdict") not in PROMOTABLE:
        found.append(
            _("It has not shown as a shadow that it is no worse than what it goes on from.")
        )
    rival = metrics.get("champion") or {}
    paired = rival.get("paired")
    if paired and paired["verdict"] not in PROMOTABLE:
        found.append(
            _("{compared} It may be a loss of more than {most_loss:g}.").format(
                compared=compared(metrics), most_loss=MOST_LOSS
            )
        )
    return found


def compared(metrics: dict[str, Any]) -> str:
    """Own against the champion's average precision in one sentence, with the difference's range."""
    rival = metrics["champion"]
    own, theirs, paired = metrics["measured"]["ap"], rival["measured"]["ap"], rival["paired"]
    return _(
        "{opening} v{number}: average precision {own} against {theirs}, a difference "
        "of {value} ({low} to {high}, 95 %)."
    ).format(
        opening=OPENING[paired["verdict"]],
        number=rival["number"],
        own=figure(f"{own:.3f}"),
        theirs=figure(f"{theirs:.3f}"),
        value=figure(f"{paired['value']:+.3f}"),
        low=figure(f"{paired['low']:+.3f}"),
        high=figure(f"{paired['high']:+.3f}"),
    )
