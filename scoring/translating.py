"""The options of a file that say how it writes things: checked, and made into a Translation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from scoring.engine.fields import Unfit, moment
from scoring.engine.names import FIELDS
from scoring.engine.translation import MARKS, UNITS, Translation, column_of, folded, shown


class Refused(ValueError):
    """Why a file was not taken: the field that is wrong, and a sentence for the person."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


OPTIONS = (
    "empty_values",
    "constants",
    "decimal_mark",
    "date_format",
    "time_columns",
    "time_unit",
    "time_origin",
    "id_columns",
    "id_from",
    "label_values",
)
MEANINGS = ("fraud", "legitimate", "undecided", "unknown")
MOST_VALUES, LONGEST_VALUE = 50, 200


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same options, every one sensible by itself; Refused names the one that is not."""
    kept = {name: options[name] for name in OPTIONS if options.get(name) not in (None, "", {}, [])}
    for name, check in CHECKS.items():
        if name in kept:
            kept[name] = check(name, kept[name])
    if not kept.get("empty_values", True):
        del kept["empty_values"]  # columns were named, texts were not
    if ("time_unit" in kept) != ("time_origin" in kept):
        missing = "time_origin" if "time_unit" in kept else "time_unit"
        raise Refused(missing, "Counted times need a unit and the moment they count from.")
    if "time_unit" in kept and ("date_format" in kept or "time_columns" in kept):
        raise Refused("time_unit", "Times are either counted or written, not both.")
    if "time_columns" in kept and "date_format" not in kept:
        raise Refused("date_format", "Say how the joined columns of the time are written.")
    if "id_from" in kept and "id_columns" in kept:
        raise Refused("id_from", "Ids come from the row's number or from columns, not both.")
    if "label_values" in kept and not options.get("label_column"):
        raise Refused("label_column", "Name the column of the labels too.")
    for label in ("label_column", "label_known_column"):
        if options.get(label) in kept.get("empty_values", {}):
            raise Refused(
                "empty_values",
                f"“{options[label]}” belongs to the labels; say what its values mean in "
                "label_values.",
            )
    return kept


def _constants(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Refused(name, "Constants name for each of our fields the value of every row.")
    for field in value:
        if field not in FIELDS - {"transaction_id", "amount"}:
            raise Refused(name, f"“{field}” is not one of our fields that can be constant.")
    return {str(field): str(text) for field, text in value.items()}


def _mark(name: str, value: object) -> str:
    if value not in MARKS:
        raise Refused(name, "The decimal mark is a point or a comma.")
    return str(value)


def _format(name: str, value: object) -> str:
    text = str(value)
    try:
        if datetime.strptime(shown(text), text).day != 31:
            raise ValueError(text)
    except ValueError:
        example = "%d/%m/%Y %H:%M"
        raise Refused(
            name, f"“{text[:60]}” does not say day, month and year, as {example} does."
        ) from None
    return text


def _names(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refused(name, "Give a list of column names.")
    return list(value)


def _unit(name: str, value: object) -> str:
    if value not in UNITS:
        raise Refused(name, f"The unit is one of {', '.join(UNITS)}.")
    return str(value)


def _origin(name: str, value: object) -> str:
    try:
        return moment(value if isinstance(value, datetime) else str(value), "UTC").isoformat()
    except Unfit as unfit:
        raise Refused(name, f"{value} {unfit}.") from None


def _from(name: str, value: object) -> str:
    if value != "row":
        raise Refused(name, "Ids are made from the number of the row: write row.")
    return "row"


def _values(name: str, value: object) -> dict[str, list[str]]:
    if not isinstance(value, Mapping) or not set(value) <= set(MEANINGS):
        raise Refused(name, f"Say which values mean {', '.join(MEANINGS)}.")
    kept: dict[str, list[str]] = {}
    for meaning, values in value.items():
        kept[meaning] = _texts(name, values)
    told = [one for values in kept.values() for one in values]
    if len(told) != len(set(told)):
        raise Refused(name, "A value cannot mean two things.")
    return kept


def _texts(name: str, values: object) -> list[str]:
    """One text or a list of them, as cells are compared: trimmed and without case."""
    several = values if isinstance(values, list) else [values]
    if not all(isinstance(one, str | int | float) for one in several):
        raise Refused(name, "Give each value as text.")
    if len(several) > MOST_VALUES:
        raise Refused(name, f"{len(several):,} values are given; at most {MOST_VALUES} fit.")
    texts = list(dict.fromkeys(text for one in several if (text := folded(one))))
    if any(len(text) > LONGEST_VALUE for text in texts):
        raise Refused(name, f"A value has at most {LONGEST_VALUE} characters.")
    return texts


def _empties(name: str, value: object) -> dict[str, list[str]]:
    if not isinstance(value, Mapping):
        raise Refused(name, "Name for each column the texts that mean none in it.")
    kept = {str(column): _texts(name, texts) for column, texts in value.items()}
    return {column: texts for column, texts in kept.items() if texts}


CHECKS = {
    "empty_values": _empties,
    "constants": _constants,
    "decimal_mark": _mark,
    "date_format": _format,
    "time_columns": _names,
    "time_unit": _unit,
    "time_origin": _origin,
    "id_columns": _names,
    "id_from": _from,
    "label_values": _values,
}


def gives(options: Mapping[str, Any]) -> set[str]:
    """The fields of ours that these options give without a column of that name."""
    given = set(options.get("constants", {}))
    if options.get("time_columns"):
        given.add("timestamp")
    if options.get("id_from") or options.get("id_columns"):
        given.add("transaction_id")
    return given


def columns_named(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Option and column, for every column these options speak of."""
    return [
        (name, column)
        for name in ("time_columns", "id_columns", "empty_values")
        for column in options.get(name, [])
    ]


def translation_of(
    options: Mapping[str, Any], mapping: Mapping[str, str], *, sha256: str
) -> Translation | None:
    """What these options mean for the columns of the file; None if they change nothing."""
    columns = list(options.get("columns", []))
    origin = options.get("time_origin")
    made = Translation(
        empty={name: frozenset(texts) for name, texts in options.get("empty_values", {}).items()},
        constants=options.get("constants", {}),
        amount_column=column_of("amount", columns, mapping) if "decimal_mark" in options else "",
        decimal_mark=options.get("decimal_mark", ""),
        time_column=column_of("timestamp", columns, mapping)
        if "date_format" in options or origin
        else "",
        time_columns=tuple(options.get("time_columns", ())),
        date_format=options.get("date_format", ""),
        time_unit=options.get("time_unit", ""),
        time_origin=datetime.fromisoformat(origin).astimezone(UTC) if origin else None,
        id_columns=tuple(options.get("id_columns", ())),
        # The file's own hash: the same file gives the same ids, and another one other ids.
        id_from_row=sha256[:12] if options.get("id_from") else "",
    )
    return None if made.changes_nothing else made
