"""Values that probably mean “none”: proposed with what speaks for it, never taken by itself.

A till that writes 0 where an online shop writes a device gives half a million payments one device.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scoring.engine.names import TEXTS
from scoring.engine.translation import column_of, folded

# What people and programs write where there is nothing.
WORDS = frozenset(
    {"", "-", "--", "---", "?", ".", "*", "#n/a", "n/a", "na", "n.a.", "none", "null", "nil", "nan"}
    | {"\\n", "(null)", "<null>", "[null]", "unknown", "undefined", "unspecified", "not available"}
    | {"not applicable", "missing", "empty", "blank", "anonymous", "-1", "unbekannt", "keine"}
    | {"inconnu", "desconocido", "sconosciuto"}
)
NOTHING = frozenset("0-. x")  # 0, 0000, 00000000-0000-0000-0000-000000000000, xxxx
FIELDS = (*(name for name in TEXTS if name != "transaction_id"), "mcc", "country")
OF_ONE_PERSON = ("card_id", "device_id")  # which nobody shares with a fifth of all customers
ENOUGH_ROWS = 20
WORDY, COMMON = 0.02, 0.20  # shares from which a telling word, and any other value, is looked at
AHEAD = 20  # times as often as the next value: no device is


@dataclass(frozen=True, slots=True)
class Proposal:
    """One text of one column that looks as if it meant none."""

    column: str
    value: str
    share: float  # of the rows looked at, 0..1
    rows: int

    @property
    def evidence(self) -> str:
        return f"“{self.value}” stands in {self.share:.0%} of the first {self.rows:,} rows"


def placeholders(
    columns: list[str], records: Sequence[Mapping[str, Any]], options: Mapping[str, Any]
) -> list[Proposal]:
    """For each column that names somebody or something: its most suspicious value, if any is."""
    if len(records) < ENOUGH_ROWS:
        return []
    mapping, said = options.get("mapping", {}), options.get("empty_values", {})
    made = []
    for field in FIELDS:
        column = column_of(field, columns, mapping)
        counts = Counter(folded(row.get(column)) for row in records) if column else Counter[str]()
        for known in ("", *said.get(column, [])):
            del counts[known]
        if value := _suspicious(field, counts, len(records)):
            share = counts[value] / len(records)
            made.append(Proposal(column, value, share, len(records)))
    return made


def _suspicious(field: str, counts: Counter[str], rows: int) -> str:
    for value, count in counts.most_common():
        if count < WORDY * rows:
            break
        if _says_nothing(field, value):
            return value
    (first, most), (_, next_most) = [*counts.most_common(2), ("", 0), ("", 0)][:2]
    alone = field in OF_ONE_PERSON and len(counts) >= ENOUGH_ROWS
    return first if alone and most >= max(COMMON * rows, AHEAD * next_most) else ""


def _says_nothing(field: str, value: str) -> bool:
    if field == "country" and value == "na":
        return False  # Namibia
    return value in WORDS or set(value) <= NOTHING
