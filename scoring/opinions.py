"""The second opinion on the reasons of one decision, made when somebody asks for it."""

import logging
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from anomalyshield.templatetags.words import figure
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
        return _without(
            "none", _("A second method cannot be asked: {reason}.").format(reason=reason)
        )
    except Exception as error:
        log.exception("a second opinion on decision %s failed", decision.pk)
        why = _("The second method broke ({error}); the reasons stand as they are.").format(
            error=type(error).__name__
        )
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
        return None, _(
            "A second method cannot follow the model near this payment (fit {fit}), "
            "so it neither confirms the reasons nor doubts them."
        ).format(fit=figure(f"{found.fit:.2f}"))
    turned = found.common - found.same_direction
    said = {"common": found.common, "of": found.of, "turned": turned}
    if found.common >= min(AGREES, found.of) and not turned:
        return True, _(
            "A second method names {common} of the same {of} reasons, and sees them the same way."
        ).format(**said)
    if turned:
        sentence = ngettext(
            "A second method names {common} of the same {of} reasons, but sees {turned} of them "
            "the other way round: treat the reasons with care.",
            "A second method names {common} of the same {of} reasons, but sees {turned} of them "
            "the other way round: treat the reasons with care.",
            turned,
        )
    elif found.common:
        sentence = _(
            "A second method names only {common} of the same {of} reasons: treat the reasons "
            "with care."
        )
    else:
        sentence = _(
            "A second method names none of the same {of} reasons: treat the reasons with care."
        )
    return False, sentence.format(**said)
