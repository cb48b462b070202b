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
ANOMALOUS = {"HIGH", "CRITICAL"}


def is_anomaly(answer: Answer) -> bool:
    return answer.level in ANOMALOUS


def detect(answer: Answer) -> dict[str, Any]:
    """The five promised keys first, in their order."""
    return {
        "transaction_id": answer.transaction_id,
        "risk_score": answer.risk_score,
        "risk_level": answer.level,
        "reason_codes": answer.reason_codes,
        "recommendation": answer.outcome,
        "request_id": asking().request_id,
        "model_version": answer.model_version,
        "degraded": bool(answer.degraded),
    }


def predict(answer: Answer) -> dict[str, Any]:
    """Both promised answers in one; the level is in lower case here and only here."""
    return {
        "transaction_id": answer.transaction_id,
        "anomaly_score": answer.risk_score,
        "anomaly_type": anomaly_type(answer),
        "confidence": confidence(answer),
        "explanation": explanation(answer),
        "processing_time_ms": round(answer.seconds * 1000, 3),
        "timestamp": f"{answer.decided_at:%Y-%m-%dT%H:%M:%S}",
        "is_anomaly": is_anomaly(answer),
        "risk_level": answer.level.lower(),
        "reason_codes": answer.reason_codes,
        "recommendation": answer.outcome,
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
        "explanations": [
            {name: factor[name] for name in ("feature", "value", "contribution", "direction")}
            for factor in answer.factors
        ],
        "degraded": bool(answer.degraded),
        "latency_ms": round(answer.seconds * 1000, 3),
    }


def anomaly_type(answer: Answer) -> str:
    if not is_anomaly(answer):
        return "normal"
    fired = (TYPES[code] for code in TYPES if code in answer.reason_codes)
    return next(fired, "statistical")


def confidence(answer: Answer) -> float:
    """How sure of the stated class: calibrated where the model is, else from the score."""
    share = answer.risk_score if answer.probability is None else answer.probability
    return share if is_anomaly(answer) else 1 - share


def explanation(answer: Answer) -> str:
    sentences = [hit["sentence"] for hit in answer.hits]
    if is_anomaly(answer):
        sentences += [f["sentence"] for f in answer.factors if f["contribution"] > 0]
    if answer.degraded:
        sentences.insert(0, f"Scoring was not whole ({answer.degraded}); a person must look")
    return ". ".join(text.rstrip(".") for text in sentences) or NOTHING_SPECIAL
