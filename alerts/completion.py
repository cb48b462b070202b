"""How the word under the cursor of a search can go on: fields, then the values of one."""

import re
from dataclasses import dataclass

from alerts.query_fields import BY_NAME, FIELDS, Asker, Field

MOST = 12
BEFORE = re.compile(r'(?:^|\s)-?((?:"[^"]*"|[^\s"])*)$')
FIELD = re.compile(r"([A-Za-z_]+)(>=|<=|[:=<>])(?:.*,)?(.*)")


@dataclass(frozen=True)
class Option:
    """What would stand there, and what it means."""

    insert: str
    hint: str


@dataclass(frozen=True)
class Completion:
    """From where to where the text would be replaced, and by what."""

    start: int
    end: int
    options: list[Option]


def completions(text: str, at: int, asker: Asker) -> Completion:
    """What can stand instead of the part of a word before place `at`."""
    found = BEFORE.search(text[:at])
    typed = found[1] if found else ""
    asked = FIELD.fullmatch(typed)
    if asked is None:
        return Completion(at - len(typed), at, _fields(typed, asker))
    field = BY_NAME.get(asked[1].casefold())
    return Completion(at - len(asked[3]), at, _values(field, asked[3], asker) if field else [])


def _fields(typed: str, asker: Asker) -> list[Option]:
    wanted = typed.casefold()
    return [
        Option(field.name + ("" if field.compares else ":"), f"{field.hint}, {_example(field)}")
        for field in FIELDS
        if field.name.startswith(wanted) and not (field.personal and asker.hidden)
    ][:MOST]


def _example(field: Field) -> str:
    return f"{field.name}{'' if field.compares else ':'}{field.example}"


def _values(field: Field, typed: str, asker: Asker) -> list[Option]:
    """Those that begin so, then those that hold it; with a blank they stand in quotes."""
    wanted, known = typed.strip('"').casefold(), field.offers(asker)
    first = [one for one in known if one.casefold().startswith(wanted)]
    then = [one for one in known if wanted in one.casefold() and one not in first]
    return [Option(f'"{one}"' if " " in one else one, "") for one in [*first, *then][:MOST]]
