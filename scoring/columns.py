"""What a file's columns mean: the options that say so, checked against the file itself."""

import math
import re
from collections.abc import Mapping
from typing import Any

from scoring import rejects, translating
from scoring.engine import notices
from scoring.engine.names import ALIASES, FIELDS, HINTS, REQUIRED
from scoring.translating import Refused

__all__ = ["OPTIONS", "Refused", "checked_options", "map_columns"]
LABELS = ("label_column", "label_known_column", "label_delay_days")
OPTIONS = ("mapping", *LABELS, "notices", *translating.OPTIONS)
LABEL_COLUMNS = ("label_column", "label_known_column")


def checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Only what is understood; labels only with the date they became known."""
    if unknown := sorted(set(options) - set(OPTIONS)):
        raise Refused(unknown[0], f"There is no such option; there are {', '.join(OPTIONS)}.")
    kept = {name: value for name, value in options.items() if value not in (None, "", {})}
    if "notices" in kept:
        return _of_notices(kept)
    if "mapping" in kept:
        kept["mapping"] = _mapping(kept["mapping"])
    for name in LABEL_COLUMNS:
        if not isinstance(kept.get(name, ""), str):
            raise Refused(name, "Give the name of a column, as text.")
    if "label_delay_days" in kept:
        kept["label_delay_days"] = _days(kept["label_delay_days"])
    _check_labels(kept)
    checked = translating.checked(kept)
    return {name: kept[name] for name in kept if name not in translating.OPTIONS} | checked


def _of_notices(kept: dict[str, Any]) -> dict[str, Any]:
    """A file of chargebacks says what its columns are called, and nothing else."""
    if kept["notices"] not in (True, "true", False, "false"):
        raise Refused("notices", "notices is true or false.")
    if kept.pop("notices") in (False, "false"):
        return checked_options(kept)
    if other := sorted(set(kept) - {"mapping"}):
        raise Refused(other[0], "A file of chargebacks has no such option.")
    mapping = _mapping(kept.get("mapping", {}), notices.FIELDS)
    return {"notices": True, **({"mapping": mapping} if mapping else {})}


def _mapping(given: object, fields: frozenset[str] = FIELDS | HINTS) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise Refused("mapping", "A mapping names for each of their columns one of our fields.")
    ours: dict[str, str] = {}
    for theirs, field in given.items():
        if field not in fields:
            known = ", ".join(sorted(fields - HINTS))
            raise Refused("mapping", f"“{field}” is not one of our fields. They are: {known}.")
        if field in ours:
            raise Refused("mapping", f"“{ours[field]}” and “{theirs}” both give {field}.")
        ours[field] = str(theirs)
    return {theirs: field for field, theirs in ours.items()}


def _days(value: object) -> float:
    try:
        days = math.nan if isinstance(value, bool) else float(str(value))
    except ValueError:
        days = math.nan
    if not 0 <= days <= 3650:
        raise Refused("label_delay_days", "The delay is a number of days between 0 and 3650.")
    return days


def _check_labels(kept: dict[str, Any]) -> None:
    """A label whose date nobody knows would let a model learn from what was not yet known."""
    column, known, delay = (name in kept for name in (*LABEL_COLUMNS, "label_delay_days"))
    if column and not (known or delay):
        raise Refused(
            "label_column",
            "Labels come with the date they became known: name its column, or state the delay.",
        )
    if known and delay:
        raise Refused("label_delay_days", "Either the column of the date or the delay, not both.")
    if (known or delay) and not column:
        raise Refused("label_column", "Name the column of the labels too.")
    if column and kept["label_column"] == kept.get("label_known_column"):
        raise Refused("label_known_column", "The label and its date are two columns.")


def map_columns(
    columns: list[str], of_source: Mapping[str, str], options: Mapping[str, Any]
) -> dict[str, str]:
    """Their column → our field, for this file; refused if a field we cannot do without is missing.

    What is asked for wins; then what the source says of its files; then a column called like a
    field but for case, spaces and hyphens ("Transaction ID").
    """
    asked = options.get("mapping", {})
    if options.get("notices"):
        return _map_notices(columns, of_source, asked)
    labels = {name: options[name] for name in LABEL_COLUMNS if name in options}
    named = [*(("mapping", name) for name in asked), *translating.columns_named(options)]
    for option, column in [*named, *labels.items()]:
        if column not in columns:
            listed = ", ".join(columns)[:300]
            raise Refused(option, f"The file has no column “{column}”. It has: {listed}.")
    apart = {*labels.values(), *(rejects.MARKS if rejects.is_ours(columns) else ())}
    data = [column for column in columns if column not in apart]
    mapping = {name: field for name, field in of_source.items() if name in data} | dict(asked)
    given = {mapping.get(name) or ALIASES.get(name, name) for name in data}
    given |= translating.gives(options)
    for column in data:
        field = _like_a_field(column)
        if column not in mapping and field and field not in given:
            mapping[column] = field
            given.add(field)
    for field in REQUIRED:
        if field not in given:
            listed = ", ".join(data)[:300]
            raise Refused(
                "mapping",
                f"No column of the file gives {field}. Say which one does. There are: {listed}.",
            )
    return mapping


def _map_notices(
    columns: list[str], of_source: Mapping[str, str], asked: Mapping[str, str]
) -> dict[str, str]:
    """The same for a file of chargebacks."""
    for column in asked:
        if column not in columns:
            listed = ", ".join(columns)[:300]
            raise Refused("mapping", f"The file has no column “{column}”. It has: {listed}.")
    said = {n: f for n, f in of_source.items() if n in columns and f in notices.FIELDS}
    mapping, given = said | dict(asked), set()
    for column in columns:
        name = re.sub(r"[^a-z0-9]+", "_", column.casefold()).strip("_")
        field = mapping.get(column) or notices.our_name(name, {})
        if field and field not in given:
            mapping[column] = field
            given.add(field)
    for field in notices.REQUIRED:
        if field not in given:
            raise Refused(
                "mapping",
                f"No column of the file gives {field}. Say which one does. "
                f"There are: {', '.join(columns)[:300]}.",
            )
    return mapping


def _like_a_field(column: str) -> str | None:
    name = re.sub(r"[^a-z0-9]+", "_", column.casefold()).strip("_")
    name = ALIASES.get(name, name)
    return name if name in FIELDS else None
