"""What was refused at the doors: kept as it came, counted by reason, mended, replayed or let go."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scoring import cardnumbers, personal
from scoring.models import Receipt, RejectedRecord, Source

MOST_BYTES = 65_536  # of one record; what is longer is cut, and says so
LONGEST = 500  # characters of a value that was cut


@dataclass(frozen=True)
class Bad:
    """A record that was refused, field by field, and where it stood."""

    record: Any
    reasons: Mapping[str, str]
    position: int = 0
    place: str = ""


def keep(
    source: Source,
    refused: Sequence[Bad],
    *,
    receipt: Receipt | None = None,
    notices: bool = False,
) -> list[RejectedRecord]:
    """Keep them for whoever mends them, in the caller's transaction."""
    rows = []
    for one in refused:
        record, cut = storable(without_card_numbers(one.record, source))
        reasons = personal.without_values(one.reasons, one.record, source, source.mapping)
        rows.append(
            RejectedRecord(
                source=source,
                receipt=receipt,
                notice=notices or bool(source.about),
                position=one.position,
                place=one.place[:300],
                record=closed(record, source),
                cut=cut,
                reasons={plain(name)[:200]: reason for name, reason in reasons.items()},
            )
        )
    return RejectedRecord.objects.bulk_create(rows)


def closed(record: Any, source: Source, mapping: Mapping[str, str] | None = None) -> Any:
    """The record with its personal fields sealed; all of one whose fields nobody can tell."""
    if not source.pii:
        return dict(record) if isinstance(record, Mapping) else record
    if not isinstance(record, Mapping) or set(record) in ({"raw"}, {"row"}):
        name = next(iter(record)) if isinstance(record, Mapping) else "raw"
        return {name: personal.sealed(record[name] if isinstance(record, Mapping) else record)}
    return personal.sealed_fields(record, source.pii, mapping or source.mapping)


def without_card_numbers(record: Any, source: Source) -> Any:
    """What is kept of a refused record holds no card number either."""
    if isinstance(record, Mapping):
        return cardnumbers.cleaned(record, source.mapping)
    if isinstance(record, bytes):
        return cardnumbers.cleaned_text(record.decode("utf-8", "backslashreplace"))
    return cardnumbers.cleaned({"raw": record}, {})["raw"]


def storable(record: Any) -> tuple[Any, bool]:
    """The record as JSON that the database holds, and whether anything had to be cut.

    A text nobody could read stands under `raw`.
    """
    if record is None:
        return {"raw": "null"}, False  # a null of JSON is no value to the database
    if isinstance(record, str):
        return {"raw": plain(record[:MOST_BYTES])}, len(record) > MOST_BYTES
    try:
        text = json.dumps(record, default=_number_or_text, ensure_ascii=False)
    except (ValueError, RecursionError):
        text, record = "", str(record)
    if text and len(text) <= MOST_BYTES:
        return json.loads(plain(text).replace("\\u0000", "␀")), False
    if isinstance(record, Mapping):
        return {
            plain(str(name))[:100]: plain(str(value)[:LONGEST])
            for name, value in list(record.items())[:100]
        }, True
    return {"raw": plain(str(record)[:MOST_BYTES])}, True


def plain(text: str) -> str:
    """PostgreSQL's JSON holds neither NUL nor half a surrogate pair."""
    return text.replace("\x00", "␀").encode("utf-8", "replace").decode()


def _number_or_text(value: Any) -> Any:
    """A Decimal as the shortest number that means the same, or as text where none does."""
    text = str(value)
    try:
        return float(text) if json.dumps(float(text)) == text else text
    except ValueError:
        return text
