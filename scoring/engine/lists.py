"""The allow and deny lists as sorted keys: which of their entries an event meets."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.engine.decision import ALLOW, DENY, Hit
from scoring.engine.history import Rows

ENTITIES = ("user", "card", "device", "merchant")  # fields of EVENT
Keys = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry in force: the number people know it by, DENY or ALLOW, and whom it names."""

    number: int
    code: str
    entity: str
    key: int

    @property
    def hit(self) -> Hit:
        """Says which entry it is and nothing about the person; `observed` is its number."""
        verb = "deny" if self.code == DENY else "allow"
        sentence = f"This {self.entity} is on the {verb} list, entry L-{self.number}."
        return Hit(self.code, sentence, float(self.number), 0.0)


@dataclass(frozen=True)
class ListRule:
    """A list as the register of rules shows it; it fires before the rules of `rules.py`."""

    code: str
    meaning: str
    raises: bool
    title: str


LIST_RULES = [
    ListRule(
        DENY,
        "User, card, device or merchant is on the deny list: always blocked.",
        True,
        "On the deny list",
    ),
    ListRule(
        ALLOW,
        "One of them is on the allow list: a score alone asks nobody to review it. It never "
        "overrides the deny list, a rule that raises, a score that blocks, or trouble.",
        False,
        "On the allow list",
    ),
]


class Lists:
    """What is listed at one moment; built once, asked for every event of a chunk at once."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        named: dict[tuple[str, str], dict[int, Entry]] = defaultdict(dict)
        for entry in sorted(entries, key=lambda one: one.number):
            if entry.key:  # 0 is "none": it would meet every event without that entity
                named[entry.code, entry.entity].setdefault(entry.key, entry)
        order = [(code, entity) for code in (DENY, ALLOW) for entity in ENTITIES]
        self._groups: list[tuple[str, Keys, dict[int, Entry]]] = [
            (entity, np.array(sorted(named[code, entity]), np.int64), named[code, entity])
            for code, entity in order
            if (code, entity) in named
        ]

    def __len__(self) -> int:
        return sum(len(found) for _, _, found in self._groups)

    def hits(self, events: Rows) -> list[list[Hit]]:
        """Per event the entries it meets, those of the deny list first."""
        met: list[list[Hit]] = [[] for _ in range(len(events))]
        for entity, keys, named in self._groups:
            asked = events[entity]
            at = np.searchsorted(keys, asked)
            at[at == len(keys)] = 0
            for row in np.flatnonzero(keys[at] == asked):
                met[row].append(named[int(asked[row])].hit)
        return met


NOBODY = Lists()
