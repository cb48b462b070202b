"""One decision in the words of each endpoint. Keys are only ever added, never renamed."""

from typing import Any

from anomalyshield.context import asking
from scoring.deciding import Answer

NOTHING_SPECIAL = "No specific risk factors identified"
# The strongest rule names the type of anomaly; without one it is what the model saw.
TYPES = {
    "VELOCITY_MULTI_CITY": "velocity",
    "HIGH_AMOUNT": "high_amount",
    "UNUSUAL_HOUR": "unusual_hour",
    "HIGH_RISK_MCC": "statistical",
}
# Parts of feature names, in the order in which they are looked for.
FAMILIES = (
    ("device", "device"),
    ("count", "velocity"),
    ("distinct", "velocity"),
    ("speed", "velocity"),
    ("hour", "unusual_hour"),
    ("amount", "high_amount"),
    ("time_since", "sequence"),
)
FLOOR = 0.1  # log-odds; less is no risk factor worth naming
ANOMALOUS = {"HIGH", "CRITICAL"}


def is_anomaly(answer: Answer) -> bool:
    return answer.level in ANOMALOUS


def detect(answer: Answer, explained: bool = False) -> dict[str, Any]:
    """The five promised keys first, in their order."""
    return {
        "transaction_id": answer.transaction_id,
        "risk_score": answer.risk_score,
        "risk_level": answer.level,
        "reason_codes": answer.reason_codes,
        "recommendation": answer.outcome,
        "decision_id": answer.decision,
        "request_id": asking().request_id,
        "model_version": answer.model_version,
        "degraded": bool(answer.degraded),
        "degraded_reason": answer.degraded,
        **(contributions(answer) if explained else {}),
    }


def predict(answer: Answer) -> dict[str, Any]:
    """Both promised answers in one; the level is in lower case here and only here."""
    return {
        "transaction_id": answer.transaction_id,
        "anomaly_score": answer.risk_score,
        "anomaly_type": anomaly_type(answer),
        "confidence": confidence(answer),
        "explanation": explanation(answer),
        "processing_time_ms": milliseconds(answer),
        "timestamp": f"{answer.decided_at:%Y-%m-%dT%H:%M:%S}",
        "is_anomaly": is_anomaly(answer),
        "risk_level": answer.level.lower(),
        "reason_codes": answer.reason_codes,
        "recommendation": answer.outcome,
        "decision_id": answer.decision,
        "model_version": answer.model_version,
        "degraded": bool(answer.degraded),
    }


def score(answer: Answer, model_name: str) -> dict[str, Any]:
    return {
        "request_id": asking().request_id,
        "transaction_id": answer.transaction_id,
        "entity_id": answer.entity_id,
        "score": answer.risk_score,
        "probability": answer.probability,
        "risk_level": answer.level,
        "is_anomaly": is_anomaly(answer),
        "model": {"name": model_name, "version": answer.model_version},
        "reason_codes": answer.reason_codes,
        "recommendation": answer.outcome,
        "decision_id": answer.decision,
        **contributions(answer),
        "degraded": bool(answer.degraded),
        "degraded_reason": answer.degraded,
        "latency_ms": milliseconds(answer),
    }


def contributions(answer: Answer) -> dict[str, Any]:
    """In log-odds: base, the contributions told, and the rest add up to the margin."""
    why = answer.why
    if why is None:
        return {"explanations": []}
    shown = ("feature", "value", "contribution", "direction")
    return {
        "explanations": [{name: factor[name] for name in shown} for factor in why.factors],
        "explanation_base": why.base,
        "explanation_rest": why.rest,
        "explanation_margin": why.margin,
    }


def milliseconds(answer: Answer) -> float:
    return round(answer.seconds * 1000, 3)


def anomaly_type(answer: Answer) -> str:
    """The strongest rule's; else that of the feature which speaks most for it; else statistical."""
    if not is_anomaly(answer):
        return "normal"
    for code, name in TYPES.items():
        if code in answer.reason_codes:
            return name
    for factor in answer.why.factors if answer.why else ():
        if factor["contribution"] > 0:
            return _family(factor["feature"])
    return "statistical"


def _family(feature: str) -> str:
    for part, name in FAMILIES:
        if part in feature:
            return name
    return "statistical"


def confidence(answer: Answer) -> float:
    """How sure of the stated class: calibrated where the model is, else from the score."""
    share = answer.risk_score if answer.probability is None else answer.probability
    return share if is_anomaly(answer) else 1 - share


def explanation(answer: Answer) -> str:
    """One line from the rules that fired and the features that speak for fraud."""
    sentences = [hit["sentence"] for hit in answer.hits]
    if answer.why:
        raising = (f["sentence"] for f in answer.why.factors if f["contribution"] >= FLOOR)
        sentences += [sentence for sentence in raising if sentence not in sentences]
    if answer.degraded:
        sentences.insert(0, f"Scoring was not whole ({answer.degraded}); a person must look.")
    return " ".join(sentences) or NOTHING_SPECIAL
