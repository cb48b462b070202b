"""JSON Schema (2020-12) of a source's records: read with care, compiled once, told field by field.

A schema comes from a person, so it may neither fetch anything nor take for ever: references stay
within the document, and patterns are of a kind whose matching cannot explode.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.exceptions import _WrappedReferencingError as ReferencingError
from jsonschema.exceptions import relevance
from referencing import Registry

from scoring.models import Source
from scoring.patterns import why_not

MOST_CHARACTERS = 50_000
MOST_DEPTH = 12
LONGEST = 500  # characters of a value that are compared with a pattern
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
Check = Callable[[Mapping[str, Any]], dict[str, str]]
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", re.ASCII)


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
    if not source.schema:
        return None
    return _compiled(json.dumps(source.schema, sort_keys=True), texts)


@lru_cache(maxsize=128)
def _compiled(text: str, texts: bool) -> Check:
    schema = json.loads(text)
    # An empty registry: nothing is ever fetched, whatever a reference says.
    validator = Draft202012Validator(schema, registry=Registry())
    kinds = _kinds(schema) if texts else {}

    def check(record: Mapping[str, Any]) -> dict[str, str]:
        plain = {
            name: _as_json(value, kinds.get(name, ""))
            for name, value in record.items()
            if not (texts and _silent(value))  # an empty cell says nothing
        }
        return _told(validator.iter_errors(plain))

    return check


def _silent(value: Any) -> bool:
    return value is None or value == "" or value != value


def _kinds(schema: Mapping[str, Any]) -> dict[str, str]:
    """Field → the one type it is declared with, for doors that know texts only."""
    stated = schema.get("properties", {})
    found = {name: part.get("type") for name, part in stated.items() if isinstance(part, dict)}
    return {name: kind for name, kind in found.items() if isinstance(kind, str)}


def _as_json(value: Any, kind: str) -> Any:
    """Decimals as numbers; of a door of texts, what the text says."""
    if isinstance(value, str):
        if len(value) > LONGEST:
            value = value[:LONGEST]
        if kind in ("number", "integer") and NUMBER.fullmatch(text := value.strip()):
            number = float(text)
            return int(number) if kind == "integer" and number.is_integer() else number
        if kind == "boolean" and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        return value
    if isinstance(value, dict | list):
        return json.loads(json.dumps(value, default=float))
    if value is None or isinstance(value, bool | int | float):
        return value
    try:
        return float(value)  # a Decimal
    except (TypeError, ValueError):
        return str(value)


def _told(errors: Iterator[ValidationError]) -> dict[str, str]:
    """Field → reason; the first reason of each field is enough to mend it."""
    reasons: dict[str, str] = {}
    for error in sorted(errors, key=relevance):
        if error.validator == "required" and not error.absolute_path:
            for name in error.validator_value:
                if name not in error.instance:
                    reasons.setdefault(name, "is required")
            continue
        path = [str(part) for part in error.absolute_path]
        reasons.setdefault(".".join(path)[:200] or "record", _reason(error))
    return reasons


WORDS: dict[str, Callable[[Any], str]] = {
    "required": lambda wanted: f"lacks {', '.join(map(str, wanted))}",
    "enum": lambda wanted: f"is none of {', '.join(map(str, wanted))[:200]}",
    "const": lambda wanted: f"is not {str(wanted)[:100]}",
    "minimum": lambda wanted: f"is below {wanted}",
    "exclusiveMinimum": lambda wanted: f"is not above {wanted}",
    "maximum": lambda wanted: f"is above {wanted}",
    "exclusiveMaximum": lambda wanted: f"is not below {wanted}",
    "minLength": lambda wanted: f"has fewer than {wanted} characters",
    "maxLength": lambda wanted: f"has more than {wanted} characters",
    "multipleOf": lambda wanted: f"is no multiple of {wanted}",
    "pattern": lambda wanted: f"does not have the form {str(wanted)[:100]}",
    "minItems": lambda wanted: f"has fewer than {wanted} items",
    "maxItems": lambda wanted: f"has more than {wanted} items",
    "additionalProperties": lambda _: "has a field that the schema does not know",
    "unevaluatedProperties": lambda _: "has a field that the schema does not know",
}


def _reason(error: ValidationError) -> str:
    """In words that hold no value of the record: it may be personal, and reasons are counted."""
    keyword, wanted = str(error.validator), error.validator_value
    if keyword == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        return f"is not {' or '.join(_with_article(str(kind)) for kind in kinds)}"
    return WORDS.get(keyword, lambda _: f"breaks “{keyword}” of the schema")(wanted)


def _with_article(kind: str) -> str:
    return {"null": "null"}.get(kind, f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}")


def _pointer(path: Any) -> str:
    return "".join(f"/{part}" for part in path)


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
