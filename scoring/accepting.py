"""Events nobody waits for: stored in one commit and acknowledged; workers decide them in chunks.

Every door that takes records as they happen comes through here: `POST /api/v1/events`, webhooks,
consumers of brokers, and the quarantine when a mended record is replayed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from anomalyshield import bell, faults, leases
from scoring import heard, ingest, noticing, quarantine, storing
from scoring.admitting import Gate, any_gate
from scoring.engine.notices import Notice
from scoring.engine.transaction import Invalid, Transaction
from scoring.models import Chunk, Receipt, Source

RING_FROM = 20  # records; fewer are found by the ticker within half a second, without a NOTIFY
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
Reasons = dict[str, str]


@dataclass(frozen=True)
class Sent:
    """One record as it came. `wrong` says why already if it could not even be read."""

    record: Any
    place: str = ""  # topic, partition and offset, or whatever finds it again
    wrong: Reasons | None = None
    at: datetime | None = None  # when it happened, if it does not say so itself


@dataclass
class Accepted:
    """What became of records that came together; positions count from 0 in their order."""

    receipt: Receipt
    # Position → number of the transaction, or of the notice where such were taken.
    stored: dict[int, int] = field(default_factory=dict)
    repeated: list[int] = field(default_factory=list)  # known already, with the same content
    rejected: dict[int, Reasons] = field(default_factory=dict)
    chunks: list[Chunk] = field(default_factory=list)  # what is left to decide
    waiting: int = 0  # notices whose payments have not come yet
    again: bool = False  # this message was taken before: nothing was done now


class Inactive(Exception):
    """The source is switched off; nothing was taken."""


@transaction.atomic
def accept(
    *,
    source: Source,
    sent: Sequence[Sent],
    door: str,
    message: str = "",
    gate: Gate | noticing.Gate | None = None,
    claimed: bool = False,
) -> Accepted:
    """Store what is good, keep what is not, leave the decisions as chunks: all in one commit.

    The same transaction id with the same content is stored once, whenever it comes again; with
    other content it is refused. A `message` (the sender's own id of the whole) is taken once.
    If `claimed`, the chunks are this process's own from the start: it decides them right after the
    commit, and should it die, workers do.
    """
    if not source.active:
        raise Inactive(f"The source {source.name} is switched off.")
    if message and (before := _before(source, message)):
        return Accepted(before, again=True)
    gate = gate or any_gate(source, timezone.now())
    good, bad = _read(gate, sent)
    if isinstance(gate, noticing.Gate):
        said = noticing.store(gate, good)
        stored, wrong, waiting = said.new, said.bad, said.waiting
        payments: list[int] = []
    else:
        stored, conflicting = _store(source, good)
        wrong = {at: {"transaction_id": ingest.KNOWN_OTHERWISE} for at in conflicting}
        payments, waiting = sorted(stored.values()), 0
    bad |= wrong
    repeated = sorted(good.keys() - stored.keys() - bad.keys())
    receipt = Receipt.objects.create(
        source=source,
        door=door,
        message=message,
        read=len(sent),
        accepted=len(stored),
        repeated=len(repeated),
        rejected=len(bad),
        transaction_ids=payments,
    )
    quarantine.keep(
        source,
        [
            quarantine.Bad(sent[at].record, reasons, position=at + 1, place=sent[at].place)
            for at, reasons in sorted(bad.items())
        ],
        receipt=receipt,
        notices=isinstance(gate, noticing.Gate),
    )
    chunks = leave_chunks(payments, claimed=claimed)
    heard.note(source)
    faults.point("events.before_commit")
    return Accepted(receipt, stored, repeated, bad, chunks, waiting)


def _before(source: Source, message: str) -> Receipt | None:
    """The receipt of a message taken before. Of two that race, the second waits for the first."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, [f"message {source.pk} {message}"])
    return Receipt.objects.filter(source=source, message=message).first()


def _read(
    gate: Gate | noticing.Gate, sent: Sequence[Sent]
) -> tuple[dict[int, Any], dict[int, Reasons]]:
    good: dict[int, Transaction | Notice] = {}
    bad: dict[int, Reasons] = {}
    for at, one in enumerate(sent):
        if one.wrong is not None:
            bad[at] = one.wrong
        elif not isinstance(one.record, Mapping):
            bad[at] = {"record": "is not an object"}
        else:
            try:
                good[at] = gate.admit(one.record, one.at)
            except Invalid as invalid:
                bad[at] = invalid.reasons
    return good, bad


def _store(source: Source, good: dict[int, Transaction]) -> tuple[dict[int, int], list[int]]:
    """Position → number of each new transaction, and the positions whose ids mean others."""
    if not good:
        return {}, []
    with connection.cursor() as cursor:
        if len(good) > 1:  # two with the same ids in another order would wait for each other
            cursor.execute(ingest.TURN, [source.pk])
        storing.copy_in(good.items(), source=source.pk)
        cursor.execute(storing.INSERT + " RETURNING id, external_id")
        new = {external: number for number, external in cursor.fetchall()}
        conflicting: list[int] = []
        if len(new) < len(good):
            cursor.execute(ingest.CONFLICTING)
            conflicting = [at for at, _ in cursor.fetchall()]
    stored: dict[int, int] = {}
    for at, one in good.items():
        if (number := new.pop(one.external_id, None)) is not None:
            stored[at] = number
    return stored, conflicting


def leave_chunks(numbers: Sequence[int], *, claimed: bool = False) -> list[Chunk]:
    """Work rows for these transactions, known from now on."""
    if not numbers:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (known_at,) = cursor.fetchone()
    rows, ordered = settings.CHUNK_ROWS, sorted(numbers)
    parts = [ordered[start : start + rows] for start in range(0, len(ordered), rows)]
    if claimed:
        return [
            leases.made_claimed(Chunk, transaction_ids=part, known_at=known_at) for part in parts
        ]
    if len(ordered) >= RING_FROM:
        bell.leave("chunk")
    return Chunk.objects.bulk_create(
        Chunk(transaction_ids=part, known_at=known_at) for part in parts
    )
