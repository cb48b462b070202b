"""The second opinion on the reasons of one decision, made when somebody asks for it."""

import logging
from typing import Any

import numpy as np

from scoring import explaining
from scoring.engine import surrogate
from scoring.engine.decision import NOVELTY
from scoring.engine.features import FEATURES, NAMES, column, widened
from scoring.models import Decision, Explanation, FeatureDrift

log = logging.getLogger(__name__)
FOLLOWS = 0.7  # of the weighted R²: below, the small model is not the large one even nearby
AGREES = 3  # of five reasons, all in the same direction
MEANINGS = {feature.name: feature.meaning for feature in FEATURES}
NO_REASONS = "There are no reasons yet that a second method could look at."
NO_REFERENCE = (
    "This model kept nothing of what it learnt from, so a second method has no neighbours."
)


def second(decision: Decision) -> dict[str, Any]:
    """What a second method says, with a sentence; it never raises, and changes nothing."""
    explanation = Explanation.objects.filter(decision=decision).select_related("model").first()
    if explanation is None or not explanation.contributions:
        return _without("none", NO_REASONS)
    kept = FeatureDrift.objects.filter(version=explanation.model_id).first()
    if kept is None:
        return _without("none", NO_REFERENCE)
    try:
        return _told(_asked(decision, explanation, kept.reference))
    except explaining.NotExplainable as reason:
        return _without("none", f"A second method cannot be asked: {reason}.")
    except Exception as error:
        log.exception("a second opinion on decision %s failed", decision.pk)
        why = f"The second method broke ({type(error).__name__}); the reasons stand as they are."
        return _without("failed", why)


def _asked(
    decision: Decision, explanation: Explanation, reference: dict[str, Any]
) -> surrogate.Opinion:
    contributions = np.zeros(len(NAMES))
    for name, value in (explanation.contributions or {}).items():
        if name in MEANINGS:
            contributions[column(name)] = value
    ensemble = explaining.bundle_of(explanation.model).ensemble
    if NOVELTY in decision.reason_codes:
        ensemble = ensemble.aside
    vector = widened(explaining.stored_vector(decision))
    seed = f"{decision.pk} {explanation.model.sha256}"
    return surrogate.opinion(ensemble, vector, contributions, reference, seed)


def _without(state: str, sentence: str) -> dict[str, Any]:
    return {"state": state, "sentence": sentence, "agrees": None, "reasons": [], "measured": None}


def _told(found: surrogate.Opinion) -> dict[str, Any]:
    agrees, sentence = in_words(found)
    measured = {name: value for name, value in found.as_dict().items() if name != "weights"}
    return {
        "state": "given",
        "sentence": sentence,
        "agrees": agrees,
        "reasons": [
            {"feature": name, "meaning": MEANINGS[name], "weight": weight}
            for name, weight in found.weights.items()
        ],
        "measured": measured,
    }


def in_words(found: surrogate.Opinion) -> tuple[bool | None, str]:
    """Whether it agrees, and one honest sentence; None where it cannot say."""
    if found.fit < FOLLOWS:
        return None, (
            f"A second method cannot follow the model near this payment (fit {found.fit:.2f}), "
            "so it neither confirms the reasons nor doubts them."
        )
    turned = found.common - found.same_direction
    named = f"{found.common} of the same {found.of} reasons"
    if found.common >= min(AGREES, found.of) and not turned:
        return True, f"A second method names {named}, and sees them the same way."
    if turned:
        ways = "one of them" if turned == 1 else f"{turned} of them"
        named = f"{named}, but sees {ways} the other way round"
    else:
        named = f"only {named}" if found.common else f"none of the same {found.of} reasons"
    return False, f"A second method names {named}: treat the reasons with care."
