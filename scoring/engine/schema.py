"""What breaks a JSON Schema (2020-12), field by field; the schema itself was looked at before."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import relevance
from referencing import Registry

LONGEST = 500  # characters of a value that are compared with a pattern
Check = Callable[[Mapping[str, Any]], dict[str, str]]
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", re.ASCII)


def check_of(schema: Mapping[str, Any] | None, *, texts: bool = False) -> Check | None:
    """What tells of a record which fields break the schema; None if there is none.

    With `texts`, of a record of a door that knows texts only: "12" then is a number.
    """
    return _compiled(json.dumps(schema, sort_keys=True), texts) if schema else None


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
