"""A sample of a source's records, read as its doors would read them, with nothing stored."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone

from anomalyshield import strictjson
from anomalyshield.problems import Problem
from scoring import noticing
from scoring.admitting import Gate, any_gate
from scoring.columns import Refused
from scoring.dryrun import SHOWN, DryRun
from scoring.engine import names as payments
from scoring.engine import notices
from scoring.engine.notices import Notice
from scoring.engine.transaction import Invalid, Transaction
from scoring.models import Source
from scoring.models import Transaction as Stored
from scoring.sources.dialect import guess

MOST_ROWS = 1_000
MOST_CHARACTERS = 1_000_000
NOTICED = {  # the same of a notice
    "notice_id": "external_id",
    "transaction_id": "payment_id",
    "source": "payment_source",
    "label": "value",
}
WHERE = {  # field of ours → what of the transaction it became
    "transaction_id": "external_id",
    "timestamp": "event_time",
    "time_of_day": "event_time",
}


@dataclass(frozen=True)
class Cell:
    """One field of one record: what it is called, what it means, and what it was read as."""

    theirs: str
    ours: str  # empty: kept as further data
    value: str = ""  # as it would be stored
    reason: str = ""  # why it is refused


@dataclass
class Tried(DryRun):
    """A dry run over a sample, with each field of the first records."""

    rows: list[tuple[int, list[Cell]]] = field(default_factory=list)  # number from 1, its fields
    texts: bool = False  # it was CSV, where everything is a text


def try_sample(source: Source, text: str) -> Tried:
    """Read the sample as this source would, saved or not. Refused if it holds no records.

    A sample is one JSON object, a list of them, one object a line, or CSV with a header.
    """
    records, texts = _records(text)
    gate = any_gate(source, timezone.now(), texts=texts)
    made, ids = Tried(texts=texts), []
    for number, record in enumerate(records, start=1):
        made.read += 1
        found, reasons = _read(gate, record)
        if found is not None:
            made.accepted += 1
            ids.append(found.external_id)
            if isinstance(found, Transaction):
                made.set_aside(found, gate.mapping)
                made.shown += [found] if len(made.shown) < SHOWN else []
        made.reasons.update(reasons.items())
        if len(made.rows) < SHOWN:
            made.rows.append((number, _cells(record, found, reasons, gate)))
    if source.pk:
        made.known = Stored.objects.filter(source=source, external_id__in=ids).count()
    return made


def _read(
    gate: Gate | noticing.Gate, record: Any
) -> tuple[Transaction | Notice | None, dict[str, str]]:
    if not isinstance(record, Mapping):
        return None, {"record": "is not an object"}
    try:
        return gate.admit(record), {}
    except Invalid as invalid:
        return None, invalid.reasons


def _records(text: str) -> tuple[list[Any], bool]:
    """The records of a sample, and whether they are of texts only."""
    plain = text.strip()
    if not plain:
        raise Refused("sample", "Paste some records, or choose a file.")
    if len(plain) > MOST_CHARACTERS:
        raise Refused("sample", f"At most {MOST_CHARACTERS:,} characters; a part will do.")
    if plain[0] in "[{":
        if not (found := _json(plain)):
            raise Refused("sample", "There is no record in it.")
        return found[:MOST_ROWS], False
    between = guess(plain.encode("utf-8", "replace")).delimiter  # as the door for files finds it
    rows = csv.DictReader(io.StringIO(plain), delimiter=between)
    try:
        texts = [{str(name): value for name, value in row.items()} for row in rows]
    except csv.Error as error:
        raise Refused("sample", f"This is not CSV: {error}.") from None
    if not texts:
        raise Refused("sample", "There is a header at most; add some rows.")
    return list(texts[:MOST_ROWS]), True


def _json(plain: str) -> list[Any]:
    """A list, an object, or an object a line; Refused with the line that is none."""
    try:
        whole = strictjson.loads(plain.encode("utf-8", "replace"))
    except Problem as problem:
        if "\n" not in plain or plain[0] == "[":
            raise Refused("sample", f"This is not JSON. {problem.text}") from None
    else:
        return whole if isinstance(whole, list) else [whole]
    found = []
    for number, line in enumerate(filter(str.strip, plain.splitlines()), start=1):
        try:
            found.append(strictjson.loads(line.encode("utf-8", "replace")))
        except Problem as problem:
            raise Refused("sample", f"Line {number} is not JSON. {problem.text}") from None
    return found


def _cells(
    record: Any,
    found: Transaction | Notice | None,
    reasons: Mapping[str, str],
    gate: Gate | noticing.Gate,
) -> list[Cell]:
    """Each field as it came, then the reasons of fields that did not come."""
    cells, told = [], set()
    for theirs, value in record.items() if isinstance(record, Mapping) else ():
        aside = isinstance(found, Transaction) and theirs in found.extra
        ours = "" if aside else _called(str(theirs), gate)
        said = {ours, theirs} & reasons.keys() - {""}
        told |= said
        reason = "; ".join(reasons[name] for name in sorted(said))
        cells.append(Cell(str(theirs), ours, "" if reason else _value(ours, value, found), reason))
    cells += [Cell("", name, "", reasons[name]) for name in reasons if name not in told]
    return cells


def _called(theirs: str, gate: Gate | noticing.Gate) -> str:
    """Our name for a field; none for what is kept as it is."""
    names = notices if isinstance(gate, noticing.Gate) else payments
    return names.our_name(theirs, gate.mapping)


def _value(ours: str, value: Any, found: Transaction | Notice | None) -> str:
    """What it would be stored as; as it came, where the record is not taken or it is further."""
    if found is not None and ours:
        where = NOTICED if isinstance(found, Notice) else WHERE
        value = getattr(found, where.get(ours, ours), value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return "" if value is None else str(value)[:200]
