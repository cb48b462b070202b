"""Every rule beside one decision: which hit, what they saw, and the limit it was held against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anomalyshield.templatetags.words import figure
from scoring.models import Decision

CODES = {"HIGH_RISK_MCC": "{:04.0f}", "UNUSUAL_HOUR": "{:02.0f}:00"}  # numbers that count nothing


@dataclass(frozen=True)
class Compared:
    """A rule, and of one that hit the two values it compared, as people write them."""

    code: str
    meaning: str
    hit: bool
    seen: str = ""
    limit: str = ""


def compared(decision: Decision) -> list[Compared]:
    """Those that hit first, in the order of the register; a code of an older one is kept."""
    hits = {str(hit["code"]): hit for hit in decision.hits}
    meanings = _register()
    codes = dict.fromkeys([*hits, *meanings])
    return [
        _of_hit(code, meanings.get(code, ""), hits[code])
        if code in hits
        else Compared(code, meanings[code], hit=False)
        for code in codes
    ]


def _of_hit(code: str, meaning: str, hit: Mapping[str, Any]) -> Compared:
    from scoring.engine.decision import ALLOW, DENY

    listed, value = code in (ALLOW, DENY), hit.get("observed", 0)
    if code in CODES:
        seen = CODES[code].format(value)
    else:
        seen = f"L-{value:.0f}" if listed else _number(value)
    return Compared(code, meaning, hit=True, seen=seen, limit="" if listed else _limit(hit))


def _limit(hit: Mapping[str, Any]) -> str:
    return _number(hit.get("limit")) if hit.get("limit") else ""  # 0: it is held against a list


def _number(value: Any) -> str:
    if not isinstance(value, int | float):
        return ""
    return figure(f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}")


def _register() -> dict[str, str]:
    from scoring.engine.lane import LANE_RULES  # compile with the engine: only when a page asks
    from scoring.engine.lists import LIST_RULES
    from scoring.engine.rules import RULES

    return {rule.code: rule.meaning.split("\n\n")[0] for rule in (*LIST_RULES, *RULES, *LANE_RULES)}
