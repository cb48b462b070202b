"""Reads the whole chain again and names the first event that is not what it was."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from django.db import connection, transaction

from anomalyshield.audit import anchors
from anomalyshield.audit.anchors import Anchor
from anomalyshield.audit.chain import CONTENT, START
from anomalyshield.audit.models import AuditEvent

# The row puts together what was hashed, so that a million of them need little of Python.
CHAIN = f"""
COPY (
    SELECT digest, previous || int8send(number) || convert_to({CONTENT}, 'UTF8')
    FROM audit_auditevent WHERE number IS NOT NULL ORDER BY number
) TO STDOUT (FORMAT binary)
"""


@dataclass(frozen=True)
class Report:
    """What was found. `trouble` is empty when every sealed event is as it was sealed."""

    rows: int
    head: bytes
    anchors: int
    unsealed: int
    trouble: str = ""


def verify() -> Report:
    """Check every event's number, predecessor, content and anchors, in order."""
    noted = anchors.read()  # before the chain is read, so that none is ahead of it
    rows, head, trouble = _walk(noted)
    unsealed = AuditEvent.objects.filter(number=None).count()
    return Report(rows, head, len(noted), unsealed, trouble or _tail(rows, noted))


def _walk(noted: dict[int, Anchor]) -> tuple[int, bytes, str]:
    """How many events hold, the digest of the last of them, and what is wrong with the next."""
    rows, head = 0, START
    for digest, hashed in _chain():
        number = rows + 1
        expected = head + number.to_bytes(8, "big")
        if not hashed.startswith(expected) or sha256(hashed).digest() != digest:
            return rows, head, _fault(hashed, rows, head)
        if number in noted and noted[number].digest != digest:
            return rows, head, _rebuilt(noted[number])
        rows, head = number, digest
    return rows, head, ""


def _chain() -> Iterator[tuple[bytes, bytes]]:
    with transaction.atomic(), connection.cursor() as cursor:
        # By the index on number: sorting a million contents would go through the disk.
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL enable_sort = off")
        with cursor.copy(CHAIN) as copy:
            copy.set_types(["bytea", "bytea"])
            yield from copy.rows()


def _fault(hashed: bytes, rows: int, head: bytes) -> str:
    """Which of the three does not fit: the number, the predecessor or the content."""
    previous, number = hashed[:32], int.from_bytes(hashed[32:40], "big", signed=True)
    name = f"event {number} (id {json.loads(hashed[40:])[0]})"
    if number > rows + 1:
        return f"{_span(rows + 1, number - 1)} missing: deleted or renumbered; the next is {name}"
    if previous != head:
        return f"{name} does not follow event {rows}: put in, swapped, or sealed anew"
    return f"{name} was changed: its content does not match its digest"


def _rebuilt(anchor: Anchor) -> str:
    return (
        f"event {anchor.number} is not the one anchored at {anchor.at}: the chain up to here was "
        "rebuilt, or the anchor file belongs to another database"
    )


def _span(first: int, last: int) -> str:
    return f"event {first} is" if first == last else f"events {first} to {last} are"


def _tail(rows: int, noted: dict[int, Anchor]) -> str:
    last = max(noted, default=0)
    if last <= rows:
        return ""
    return (
        f"{_span(rows + 1, last)} missing at the end: cut off, or the database is an older copy "
        f"(event {last} was anchored at {noted[last].at})"
    )
