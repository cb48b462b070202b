"""What is said of a feature, and how features of several windows are said at once."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Feature:
    """One number about an event: what it means, whose past it looks at, and how far back."""

    name: str
    meaning: str
    entity: str  # event, user, card, device
    window: str  # "" for none
    phrase: str  # what an analyst reads; {value} is the number, others as in `wording.py`
    rarity: int = 0  # anomaly members: 1 only high is rare, -1 only low, 0 not looked at
    baseline: str = ""  # another feature the value is told beside …
    baseline_phrase: str = ""  # … in these words; {usual} is that feature divided by this one
    nominal: bool = False  # a name written as a number: neither more nor less than another


SPELT = {
    "1m": "minute",
    "5m": "5 minutes",
    "1h": "hour",
    "24h": "24 hours",
    "7d": "7 days",
    "14d": "14 days",
    "30d": "30 days",
}


def over(name: str, windows: str, meaning: str, phrase: str, **more: Any) -> list[Feature]:
    """One feature per window; {window} in the texts is the window in words."""
    return [
        Feature(
            f"{name}_{window}",
            meaning.format(window=SPELT[window]),
            more.get("entity", "user"),
            window,
            phrase.replace("{window}", SPELT[window]),
            1 if window in more.get("rare", "").split() else 0,
            **_beside(f"{name}_{window}", more),
        )
        for window in windows.split()
    ]


def _beside(name: str, more: dict[str, Any]) -> dict[str, Any]:
    """What the value is told beside, unless that is the feature itself."""
    baseline = more.get("baseline", "")
    told = {"baseline": baseline, "baseline_phrase": more.get("baseline_phrase", "")}
    return told if baseline and baseline != name else {}
