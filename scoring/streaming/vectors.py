"""Scores vectors that a topic brings and tells another: `manage.py consume --stage score`.

Who computed them does not matter: another installation, a job of one's own. A vector is no payment,
so nothing is stored but how far was read; rules, lists and limits of amounts look at payments and
have no say here. What is scored is with the broker before our position moves: told at least once,
under the same id each time.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from anomalyshield import faults
from anomalyshield.strictjson import Malformed, loads
from scoring import quarantine
from scoring.current import Current, current_scorer
from scoring.engine.decision import Level, Verdict, decide_each
from scoring.engine.features import FEATURES, NAMES, spec_id, widths
from scoring.engine.lane import with_novelty
from scoring.models import Chunk
from scoring.streaming import positions, producing
from scoring.streaming.assignment import named, place_of
from scoring.streaming.consuming import Reader
from scoring.streaming.producing import Letter

SCORED = "vector.scored"
GROUP = "anomaly-scoring"
RAISED = (Level.HIGH, Level.CRITICAL)
OWN = ("transaction_id", "source", "event_time")  # told again as they came
LONGEST = 200


class Unreadable(ValueError):
    """A message that holds no vector we know: the field, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True)
class Brought:
    """A vector as it came: whose it is, and how its message is known and ordered."""

    id: str
    key: bytes
    about: dict[str, str]
    values: NDArray[np.float64]


class Scorer(Reader):
    """A member of the group that reads vectors instead of payments."""

    sign = "score"

    def __init__(self, *given: Any, out: str, every: bool = False, **options: Any) -> None:
        super().__init__(*given, **options)
        self.out, self.every = out, every

    def _store(self, messages: list[Any]) -> list[Chunk]:
        """Score and tell; then, in one commit, what was refused and how far was read."""
        steps, good, bad = self.mine.steps(messages), [], {}
        for at, message in enumerate(messages):
            try:
                good.append(brought(message))
            except Unreadable as trouble:
                reasons = {trouble.field: str(trouble)}
                place = f"{named(place_of(message))}@{message.offset()}"
                bad[at] = quarantine.Bad(message.value() or b"", reasons, place=place)
        self._tell(good)
        faults.point("stream.told")
        refused = Counter(place_of(messages[at]) for at in bad)
        with transaction.atomic():
            quarantine.keep(self.source, list(bad.values()))
            positions.move(self.mine.counted(self.consumer, steps, refused))
        self.mine.advance(steps)
        return []

    def _tell(self, good: list[Brought]) -> None:
        """Until the broker has them; a ConnectionError makes the reader wait and try again."""
        now = current_scorer()
        if now.scorer.bundle is None:
            raise ConnectionError("no model is in service")
        letters = scored(good, now, self.out, every=self.every) if good else []
        for answer in producing.send_all(letters):
            if not answer.taken:
                raise ConnectionError(answer.said)


def brought(message: Any) -> Brought:
    """The vector of one message, as docs/streams.md shows it; else Unreadable."""
    try:
        body = loads(message.value() or b"")
    except Malformed as malformed:
        raise Unreadable("record", f"cannot be read: {malformed.text}") from None
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(data.get("features"), Mapping):
        raise Unreadable("data/features", "is required")
    about = {name: _text(data, name) for name in OWN}
    headers = {name: value for name, value in message.headers() or () if value}
    own = headers.get("id", b"").decode(errors="replace")
    id = own or f"{named(place_of(message))}@{message.offset()}"
    return Brought(id, message.key() or b"", about, _values(data))


def _text(data: Mapping[str, Any], name: str) -> str:
    if not isinstance(text := data.get(name), str) or not 0 < len(text) <= LONGEST:
        raise Unreadable(f"data/{name}", f"is a text of at most {LONGEST} characters")
    return text


def _values(data: Mapping[str, Any]) -> NDArray[np.float64]:
    """All features in their order. Those younger than the vector's set are unknown."""
    width = widths().get(str(data.get("feature_set")))
    if width is None:
        raise Unreadable("data/feature_set", f"is not known here; this release has {spec_id()}")
    given, values = data["features"], np.full(len(FEATURES), np.nan)
    for at, name in enumerate(NAMES[:width]):
        if name not in given:
            raise Unreadable(f"data/features/{name}", "is required; null where it is not known")
        values[at] = _number(name, given[name])
    return values


def _number(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool | str | list | dict):
        raise Unreadable(f"data/features/{name}", "is a number or null")
    return float(value)


def scored(good: list[Brought], now: Current, out: str, *, every: bool) -> list[Letter]:
    """What is told of these vectors: those raised by score or novelty, or every one."""
    assert now.scorer.bundle is not None
    ensemble, policy = now.scorer.bundle.ensemble, now.scorer.policy
    vectors = np.stack([one.values for one in good])
    found = ensemble.score(vectors)
    hits: list[Any] = [[] for _ in good]
    if ensemble.lane is not None:
        hits = with_novelty(hits, ensemble.novelty(vectors), found.risk_score, policy)
    risks, failed = found.risk_score.tolist(), "; ".join(sorted(found.failed))
    verdicts = decide_each(risks, hits, [0.0] * len(good), policy=policy, degraded=failed)
    chances = [None] * len(good) if found.probability is None else found.probability.tolist()
    return [
        _letter(one, risk, chance, verdict, now, failed, out)
        for one, risk, chance, verdict in zip(good, risks, chances, verdicts, strict=True)
        if every or verdict.level in RAISED
    ]


def _letter(
    one: Brought,
    risk: float,
    chance: float | None,
    verdict: Verdict,
    now: Current,
    failed: str,
    out: str,
) -> Letter:
    assert now.version is not None
    data = {
        **one.about,
        "risk_score": risk if math.isfinite(risk) else None,
        "probability": chance,
        "level": verdict.level,
        "reason_codes": verdict.reason_codes,
        "degraded": failed or None,
        "model": now.version.pk,
        "policy": now.policy.pk,
    }
    # The same however often it is told; another model says something else.
    id = str(uuid5(NAMESPACE_URL, f"anomalyshield:{SCORED}:{one.id}:{now.version.pk}"))
    at = datetime.now(UTC).isoformat()
    body = json.dumps({"type": SCORED, "id": id, "timestamp": at, "data": data})
    headers = {"id": id, "type": SCORED, "content-type": "application/json"}
    told = [(name, value.encode()) for name, value in headers.items()]
    return Letter(out, one.key, told, body.encode())
