"""Entries of lists from a CSV file: all of them, or none and a sentence for each line to mend."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import figure
from scoring import lists
from scoring.lists import Refused, Wish
from scoring.models import ListEntry

COLUMNS = ("list", "type", "value", "reason", "expires")
MOST_BYTES, MOST_LINES, MOST_TROUBLES = 2_000_000, 5_000, 50
DELIMITERS = ",;\t"


class Trouble(NamedTuple):
    """What is wrong in which line, counted as a text editor does."""

    line: int
    field: str
    sentence: str


class Unreadable(Refused):
    """Nothing was taken over; `troubles` says what to mend, the first fifty of them."""

    def __init__(self, troubles: list[Trouble]) -> None:
        super().__init__(_("Nothing was taken over: the file has lines to mend."), "file")
        self.troubles = troubles[:MOST_TROUBLES]
        self.more = len(troubles) - len(self.troubles)


@transaction.atomic
def take_over(*, by: Any, content: bytes) -> list[ListEntry]:
    """Put every line on its list, as `lists.put` would. Lines that stand there already change
    nothing; raises Unreadable, with nothing changed, when any line is wrong."""
    lists.touch()  # before looking: who changes a list at the same moment waits
    lists.end_run_out()
    wishes = _wishes(content)
    entries = [lists.unsaved(wish, by=by, behind=_("a file")) for wish in _new(wishes)]
    made = ListEntry.objects.bulk_create(entries, batch_size=1000)
    if made:
        numbers = {"first": made[0].pk, "last": made[-1].pk, "entries": len(made)}
        record(by=by, action="list.imported", after=numbers)
    return made


def _wishes(content: bytes) -> dict[int, Wish]:
    """Line → checked wish, the first of those that say the same."""
    wishes: dict[int, Wish] = {}
    troubles: list[Trouble] = []
    known = set()
    for line, row in _rows(content):
        try:
            wish = lists.checked(_wish(row))
        except Refused as refusal:
            troubles.append(Trouble(line, NAMES.get(refusal.field, refusal.field), str(refusal)))
            continue
        same = (wish.kind, wish.entity, lists.key_of(wish))
        if same not in known:
            known.add(same)
            wishes[line] = wish
    troubles += _contradictions(wishes)
    if troubles:
        raise Unreadable(sorted(troubles))
    return wishes


NAMES = {"kind": "list", "entity": "type"}  # what the form calls it → the column


def _contradictions(wishes: Mapping[int, Wish]) -> Iterator[Trouble]:
    """Allowed here, denied in another line or on the list: somebody has to say which."""
    denied = {
        (wish.entity, lists.key_of(wish)): line
        for line, wish in wishes.items()
        if wish.kind == lists.Kind.DENY
    }
    pairs = [(wish, lists.key_of(wish)) for wish in wishes.values()]
    stands = lists.living_like(pairs)
    for line, wish in wishes.items():
        key = lists.key_of(wish)
        if wish.kind == lists.Kind.ALLOW and (other := denied.get((wish.entity, key))):
            yield Trouble(
                line,
                "list",
                _("Line {other} denies the same {entity}.").format(other=other, entity=wish.entity),
            )
            continue
        try:
            lists.in_the_way(wish, key, stands)
        except lists.Already:
            continue
        except Refused as refusal:
            yield Trouble(line, "value", str(refusal))


def _new(wishes: Mapping[int, Wish]) -> Iterator[Wish]:
    pairs = [(wish, lists.key_of(wish)) for wish in wishes.values()]
    stands = lists.living_like(pairs)
    return (wish for wish, key in pairs if (wish.kind, wish.entity, key) not in stands)


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Numbered lines with their cells by column."""
    if len(content) > MOST_BYTES:
        raise Unreadable(
            [
                Trouble(
                    0,
                    "file",
                    _("At most {most_bytes} MB at a time.").format(
                        most_bytes=MOST_BYTES // 1_000_000
                    ),
                )
            ]
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable([Trouble(line, "file", _("This is not UTF-8 text."))]) from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in COLUMNS[:4] if name not in names]:
            said = _("The first line lacks {missing}. It names the columns.").format(
                missing=", ".join(missing)
            )
            raise Unreadable([Trouble(1, "file", said)])
        for count, cells in enumerate(reader):
            if count >= MOST_LINES:
                said = _("At most {most_lines} lines at a time.").format(
                    most_lines=figure(f"{MOST_LINES:,}")
                )
                raise Unreadable([Trouble(reader.line_num, "file", said)])
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        raise Unreadable(
            [Trouble(reader.line_num, "file", _("Not CSV: {error}.").format(error=error))]
        ) from None


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(DELIMITERS, key=first.count)


def _wish(row: Mapping[str, str]) -> Wish:
    return Wish(
        kind=row.get("list", "").strip().upper(),
        entity=row.get("type", "").strip().lower(),
        value=row.get("value", ""),
        reason=row.get("reason", ""),
        expires_at=_until(row.get("expires", "").strip()),
    )


def _until(text: str) -> datetime | None:
    """The end of that day, or that moment."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(
            _("“{text}” is not a date like 2027-01-31.").format(text=text[:40]), "expires"
        ) from None
    if len(text) <= len("2027-01-31"):
        return datetime.combine(moment.date() + timedelta(days=1), time.min, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
