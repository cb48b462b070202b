"""JSON Schema (2020-12) of a source's records: read with care before it is used.

A schema comes from a person, so it may neither fetch anything nor take for ever: references stay
within the document, and patterns are of a kind whose matching cannot explode.
"""

import json
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import _WrappedReferencingError as ReferencingError
from referencing import Registry

from scoring.engine import schema as told
from scoring.engine.schema import LONGEST, Check
from scoring.models import Source
from scoring.patterns import why_not

__all__ = ["LONGEST", "Check", "Unusable", "check_of", "checked"]

MOST_CHARACTERS = 50_000
MOST_DEPTH = 12
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class Unusable(ValueError):
    """Why this is no schema of records; `place` is a JSON pointer into it."""

    def __init__(self, sentence: str, place: str = "") -> None:
        super().__init__(f"{place or 'The schema'}: {sentence}")
        self.place = place


def checked(schema: Any) -> dict[str, Any] | None:
    """The same schema; Unusable says where it is wrong. None and {} ask for nothing."""
    if schema in (None, {}):
        return None
    if not isinstance(schema, dict):
        raise Unusable("a JSON Schema of a record is an object.")
    if len(json.dumps(schema, default=str)) > MOST_CHARACTERS:
        raise Unusable(f"at most {MOST_CHARACTERS:,} characters.")
    _look(schema, "", 0)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise Unusable(_short(error.message), _pointer(error.absolute_path)) from None
    if schema.get("type", "object") != "object":
        raise Unusable("a record is an object.", "/type")
    _try_out(schema)
    return schema


def _try_out(schema: dict[str, Any]) -> None:
    """References that lead nowhere, or round in circles, are found by following each once."""
    validator = Draft202012Validator(schema, registry=Registry())
    for reference in sorted(_references(schema)):
        try:
            list(validator.evolve(schema={"$ref": reference}).iter_errors({}))
        except (RecursionError, ReferencingError):
            raise Unusable(f"the reference {reference[:100]} leads nowhere.") from None
        except Exception as error:
            raise Unusable(f"it cannot be used ({type(error).__name__}).") from error


def _references(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_references, part))
    if not isinstance(part, dict):
        return set()
    mine = {str(part[name]) for name in REFERENCES if name in part}
    return mine.union(*map(_references, part.values()))


def _look(part: Any, place: str, depth: int) -> None:
    """References that leave the document, patterns that may never end, nesting without end."""
    if depth > MOST_DEPTH:
        raise Unusable(f"at most {MOST_DEPTH} levels.", place)
    if isinstance(part, list):
        for number, one in enumerate(part):
            _look(one, f"{place}/{number}", depth + 1)
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        here = f"{place}/{name}"
        if name in REFERENCES and not str(value).startswith("#"):
            raise Unusable("a reference stays within the schema: #/$defs/…", here)
        if name == "pattern" and isinstance(value, str) and (reason := why_not(value)):
            raise Unusable(reason, here)
        if name == "patternProperties" and isinstance(value, dict):
            for pattern in value:
                if reason := why_not(pattern):
                    raise Unusable(reason, here)
        _look(value, here, depth + 1)


def check_of(source: Source, *, texts: bool = False) -> Check | None:
    """What tells of a record which fields break the source's schema; None if it has none."""
    return told.check_of(source.schema, texts=texts)


def _pointer(path: Any) -> str:
    return "".join(f"/{part}" for part in path)


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
