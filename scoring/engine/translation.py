"""How a file writes things, and the same record as our own fields would have it.

A file says dates, money and ids in its own way. What it means is stated once per file, by a person
or a mapping file, and never guessed row by row: a guess that changes between rows is a wrong date.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from scoring.engine.fields import Unfit
from scoring.engine.names import by_our_names

Record = Mapping[str, Any]
UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86_400.0}
MARKS = {".": ",", ",": "."}  # decimal mark → the mark between thousands
# Signs and codes of currencies: "$", "R$", "€", "EUR", "Rs.", "kr"; one letter alone is none.
SIGN = r"(?:[A-Za-z]{2,3}\.?|[A-Za-z]{0,2}[^\w\s.,()+\-]{1,2})?"
AROUND = re.compile(rf"^{SIGN}\s*(.*?)\s*{SIGN}$", re.DOTALL)


@dataclass(frozen=True)
class Translation:
    """What a file means, stated. Everything left empty is read as our own fields are."""

    constants: Record = field(default_factory=dict)  # our field → the value of every row without it
    empty: Mapping[str, frozenset[str]] = field(default_factory=dict)  # column → texts for none
    amount_column: str = ""
    decimal_mark: str = ""
    time_column: str = ""
    time_columns: tuple[str, ...] = ()  # parts, joined by a space
    date_format: str = ""  # of datetime.strptime
    time_unit: str = ""  # numbers counted in this unit …
    time_origin: datetime | None = None  # … from here
    id_columns: tuple[str, ...] = ()
    id_from_row: str = ""  # prefix of ids made from the row's number

    @property
    def changes_nothing(self) -> bool:
        return self == Translation()

    def of(self, record: Record, number: int) -> tuple[dict[str, Any], dict[str, str]]:
        """The record in our way of writing, and what could not be understood: column → reason."""
        said, reasons = dict(record), dict[str, str]()
        said |= dict.fromkeys(self.emptied(record))
        for column, read in self._readers(said):
            try:
                said[column] = read(said[column])
            except Unfit as unfit:
                reasons[column] = str(unfit)
        if self.id_from_row:
            said["transaction_id"] = f"{self.id_from_row}-{number}"
        elif self.id_columns:
            parts = [
                str(said[name]).strip() if _given(said, name) else "" for name in self.id_columns
            ]
            said["transaction_id"] = "-".join(parts) if all(parts) else ""
        for name, value in self.constants.items():
            if not _given(said, name):
                said[name] = value
        return said, reasons

    def emptied(self, record: Record) -> list[str]:
        """The columns of this record whose cell holds a text that means none there."""
        return [name for name, texts in self.empty.items() if folded(record.get(name)) in texts]

    def _readers(self, said: dict[str, Any]) -> list[tuple[str, Callable[[Any], Any]]]:
        readers: list[tuple[str, Callable[[Any], Any]]] = []
        if self.decimal_mark and _given(said, self.amount_column):
            readers.append((self.amount_column, lambda text: plain_number(text, self.decimal_mark)))
        if self.time_columns:
            parts = [str(said.pop(name, "") or "").strip() for name in self.time_columns]
            said["timestamp"] = " ".join(parts)
            readers.append(("timestamp", self._moment))
        elif (self.date_format or self.time_unit) and _given(said, self.time_column):
            readers.append((self.time_column, self._moment))
        return readers

    def _moment(self, value: Any) -> Any:
        if self.time_unit and self.time_origin:
            return counted(value, self.time_unit, self.time_origin)
        return written(str(value).strip(), self.date_format) if self.date_format else value


def _given(said: Record, column: str) -> bool:
    value = said.get(column)
    return value is not None and value != "" and value == value


def folded(value: object) -> str:
    """A cell as text to compare: trimmed, case set aside; 0.0 is 0, as in a column with gaps."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or value != value:
        return ""
    return str(value).strip().casefold()


def plain_number(text: object, decimal_mark: str) -> object:
    """“$1,234.56” or “1.234,56 €” as 1234.56; Unfit where the marks stand in the wrong places."""
    if not isinstance(text, str):
        return text
    match = AROUND.match(text.strip())
    bare = (match[1] if match else "").replace("\u00a0", "").replace(" ", "").replace("'", "")
    if bare.startswith("(") and bare.endswith(")"):
        bare = f"-{bare[1:-1]}"  # how accountants write it
    if not _number(decimal_mark).fullmatch(bare):
        raise Unfit(f"is not an amount with “{decimal_mark}” before its decimals")
    digits = re.sub(r"[^\d.,\-]", "", bare).lstrip(".") if not bare[:1].isdigit() else bare
    return digits.replace(MARKS[decimal_mark], "").replace(decimal_mark, ".")


@lru_cache(maxsize=2)
def _number(decimal_mark: str) -> re.Pattern[str]:
    point, comma = re.escape(decimal_mark), re.escape(MARKS[decimal_mark])
    whole = rf"(?:\d{{1,3}}(?:{comma}\d{{3}})+|\d+)"
    return re.compile(rf"[+-]?{SIGN}{whole}(?:{point}\d+)?", re.ASCII)


def written(text: str, date_format: str) -> datetime:
    """A time in the stated format; without a zone it is on the clocks of the source."""
    try:
        return datetime.strptime(text, date_format)
    except ValueError:
        raise Unfit(f"is not a time written like {shown(date_format)}") from None


def counted(value: object, unit: str, origin: datetime) -> datetime:
    """So many units after the origin, in UTC."""
    try:
        return origin.astimezone(UTC) + timedelta(seconds=float(str(value)) * UNITS[unit])
    except (ValueError, OverflowError):
        raise Unfit(f"is not a number of {unit} since {origin:%Y-%m-%d}") from None


def shown(date_format: str) -> str:
    """A format as an example of the 31st of December."""
    return datetime(2026, 12, 31, 23, 5, 9, tzinfo=UTC).strftime(date_format)


def column_of(name: str, columns: list[str], mapping: Mapping[str, str]) -> str:
    """Which of these columns gives a field of ours; empty if none does."""
    for column in columns:
        given, _ = by_our_names({column: "x"}, mapping)
        if name in given and (mapping.get(column) == name or column not in mapping):
            return column
    return ""
