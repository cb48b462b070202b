"""Chargebacks and other late words about payments: stored once, and said as labels.

Every door calls `store`: files, `POST /api/v1/notices`, webhooks, consumers of brokers, and the
quarantine. One about a payment nobody has sent yet waits as a row; `sweep` looks whether it came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from anomalyshield.audit.record import record
from anomalyshield.together import HowMany, answered
from scoring import cardnumbers, frauds, personal, schemas
from scoring.engine import notices
from scoring.engine.transaction import Defaults, Invalid
from scoring.models import Label, Notice, Source, Transaction

Reasons = dict[str, str]
AT_ONCE = 500
State = Notice.State
TURN = "SELECT pg_advisory_xact_lock(hashtextextended('notices of source ' || %s::text, 0))"
BEFORE_IT = "lies before the payment itself"
KNOWN_OTHERWISE = "is already known with other content"


@dataclass(frozen=True)
class Gate:
    """What a source says once for the notices of one moment, and whose payments they may name."""

    source: Source
    defaults: Defaults
    mapping: Mapping[str, str]
    about: Mapping[str, int]  # name of a source of payments → its number
    check: Any = None

    def admit(self, given: Mapping[str, Any], at: datetime | None = None) -> notices.Notice:
        """The notice, or Invalid with every field that is wrong. A broker's time is no date of it:
        it became known when it came."""
        if self.source.pii:
            given = personal.opened_all(given)
        wrong = self.check(given) if self.check else {}
        plain = cardnumbers.cleaned(notices.by_our_names(given, self.mapping), {})
        try:
            found = notices.parse(plain, defaults=self.defaults)
        except Invalid as invalid:
            raise Invalid(wrong | invalid.reasons) from None
        if (named := found.payment_source) and named not in self.about:
            wrong["source"] = f"is none that {self.source.name} may speak of"
        if not named and len(self.about) > 1:
            wrong["source"] = f"is required: one of {', '.join(self.about)}"
        if wrong:
            raise Invalid(wrong)
        return found

    def payments_of(self, found: notices.Notice) -> int:
        """The number of the source whose payment it is about."""
        return self.about[found.payment_source or next(iter(self.about))]


def gate_of(
    source: Source, defaults: Defaults, mapping: Mapping[str, str], *, texts: bool = False
) -> Gate:
    """A source that names none speaks of its own payments."""
    about = {source.name: source.pk}
    if source.about:
        known = dict(Source.objects.filter(name__in=source.about).values_list("name", "pk"))
        about = {name: known[name] for name in source.about if name in known}
    check = schemas.check_of(source, texts=texts) if source.about else None
    return Gate(source, defaults, mapping, about, check)


@dataclass
class Stored:
    """What became of notices that came together, by their positions."""

    new: dict[int, int]  # position → number of the notice
    repeated: list[int]
    bad: dict[int, Reasons]
    waiting: int = 0  # of the new ones: their payments have not come yet


@transaction.atomic
def store(gate: Gate, found: Mapping[int, notices.Notice]) -> Stored:
    """Store what is new and label what can be labelled, in one commit; repeats change nothing."""
    done = Stored({}, [], {})
    if not found:
        return done
    with connection.cursor() as cursor:  # two with the same ids: the second sees what the first did
        cursor.execute(TURN, [gate.source.pk])
    known = _known(gate.source, [one.external_id for one in found.values()])
    times = _times(gate, found.values())
    fresh: dict[int, Notice] = {}
    for at, one in found.items():
        if one.external_id in known:
            if known[one.external_id] == one.digest:
                done.repeated.append(at)
            else:
                done.bad[at] = {"notice_id": KNOWN_OTHERWISE}
            continue
        happened = times.get((gate.payments_of(one), one.payment_id))
        if happened is not None and one.known_at < happened:
            done.bad[at] = {"known_at": f"{BEFORE_IT} ({happened:%Y-%m-%d %H:%M} UTC)"}
            continue
        known[one.external_id] = one.digest
        fresh[at] = _row(gate, one)
    Notice.objects.bulk_create(fresh.values())
    done.new = {at: row.pk for at, row in fresh.items()}
    done.waiting = len(fresh) - settle(list(done.new.values()), source=gate.source)
    return done


def _known(source: Source, ids: list[str]) -> dict[str, bytes]:
    rows = Notice.objects.filter(source=source, external_id__in=ids).order_by()
    return {name: bytes(digest) for name, digest in rows.values_list("external_id", "digest")}


def _times(gate: Gate, found: Iterable[notices.Notice]) -> dict[tuple[int, str], datetime]:
    """When the payments they are about took place, of those we know."""
    rows = Transaction.objects.filter(
        source__in=gate.about.values(), external_id__in={one.payment_id for one in found}
    ).order_by()
    return {
        (source, id): at
        for source, id, at in rows.values_list("source_id", "external_id", "event_time")
    }


def _row(gate: Gate, one: notices.Notice) -> Notice:
    return Notice(
        source=gate.source,
        external_id=one.external_id,
        digest=one.digest,
        payment_source_id=gate.payments_of(one),
        payment_id=one.payment_id,
        kind=one.kind,
        value=one.value,
        known_at=one.known_at,
        amount=one.amount,
        currency=one.currency,
        reason_code=one.reason_code,
    )


MOST_COUNTED = 10_000


def counted(rows: QuerySet[Notice]) -> dict[str, int]:
    """How many are in each state; beyond MOST_COUNTED nobody counts on."""
    states = Notice.State.values
    few = [rows.filter(state=one).order_by().values("pk")[: MOST_COUNTED + 1] for one in states]
    return dict(zip(states, answered([HowMany(one) for one in few]), strict=True))


# --- from notices to labels -----------------------------------------------------------------------
# Payments are locked in the order of their ids, as all who label many do.
MEET = """
SELECT note.id, paid.id
FROM scoring_notice AS note
JOIN scoring_transaction AS paid
  ON paid.source_id = note.payment_source_id AND paid.external_id = note.payment_id
WHERE note.id = ANY(%s) AND note.state = 'WAITING'
ORDER BY paid.id, note.known_at, note.id
FOR NO KEY UPDATE OF paid
"""
MET = """
UPDATE scoring_notice AS note
SET transaction_id = paid.id, settled_at = now(), state = CASE
    WHEN note.known_at < paid.event_time THEN 'REFUSED'
    WHEN note.value = '' THEN 'NOTED' ELSE 'AGREED' END
FROM unnest(%s::int8[], %s::int8[]) AS met (note, paid)
JOIN scoring_transaction AS paid ON paid.id = met.paid
WHERE note.id = met.note
RETURNING note.id, note.state
"""
# What is known later wins, as for labels of files. A person who said otherwise could not know what
# came only now, so against a person it counts from now on; but that somebody saw a fraud is for
# people to take back.
SAY = """
WITH given AS (
    SELECT note.id, note.transaction_id, paid.event_time, note.value, note.kind,
        standing.id AS stood_id,
        standing.value AS stood, standing.known_at AS stood_at, standing.labeller_id AS person,
        CASE WHEN standing.labeller_id IS NOT NULL AND standing.known_at >= note.known_at
             THEN clock_timestamp() ELSE note.known_at END AS known_at
    FROM scoring_notice AS note
    JOIN scoring_transaction AS paid ON paid.id = note.transaction_id
    LEFT JOIN LATERAL (
        SELECT id, value, known_at, labeller_id FROM scoring_label
        WHERE transaction_id = note.transaction_id ORDER BY id + 0 DESC LIMIT 1
    ) AS standing ON true
    WHERE note.id = ANY(%s)
), said AS (
    INSERT INTO scoring_label
        (transaction_id, event_time, value, origin, known_at, typology, note, supersedes_id)
    SELECT transaction_id, event_time, value,
        CASE WHEN kind IN ('CHARGEBACK', 'DISPUTE_WON') THEN 'CHARGEBACK' ELSE 'NOTICE' END,
        known_at, '', '', stood_id
    FROM given
    WHERE stood_id IS NULL OR (
        stood <> value AND known_at > stood_at
        AND NOT (person IS NOT NULL AND stood = 'TRUE_FRAUD'))
    RETURNING id, transaction_id
)
UPDATE scoring_notice AS note
SET label_id = said.id, state = CASE
    WHEN said.id IS NOT NULL THEN 'LABELLED'
    WHEN given.stood = given.value THEN 'AGREED' ELSE 'OUTWEIGHED' END
FROM given LEFT JOIN said ON said.transaction_id = given.transaction_id
WHERE note.id = given.id
RETURNING note.label_id
"""


@transaction.atomic
def settle(numbers: list[int], *, source: Source) -> int:
    """Let those of these notices speak whose payments are here; how many that were."""
    with connection.cursor() as cursor:
        cursor.execute(MEET, [numbers])
        met: list[tuple[int, int]] = cursor.fetchall()
        if not met:
            return 0
        cursor.execute(MET, [[note for note, _ in met], [paid for _, paid in met]])
        speaking = {note for note, state in cursor.fetchall() if state == State.AGREED}
        said: list[int] = []
        for turn in _turns([pair for pair in met if pair[0] in speaking]):
            cursor.execute(SAY, [turn])
            said += [label for (label,) in cursor.fetchall() if label is not None]
    frauds.remember(sorted(said))
    if said:
        record(by="worker", action="label.given", object=source, after={"labels": len(said)})
        _tell_overturned(said)
    return len(met)


def _turns(met: list[tuple[int, int]]) -> list[list[int]]:
    """Several about one payment speak one after the other, in the order they became known."""
    turns: list[list[int]] = []
    before: dict[int, int] = {}
    for note, paid in met:
        place = before[paid] = before.get(paid, -1) + 1
        if place == len(turns):
            turns.append([])
        turns[place].append(note)
    return turns


def _tell_overturned(said: list[int]) -> None:
    """On the trail, one by one: what a person had said of a payment no longer stands."""
    rows = Label.objects.filter(pk__in=said, supersedes__labeller__isnull=False)
    for label in rows.select_related("transaction", "supersedes__labeller"):
        before = label.supersedes
        record(
            by="worker",
            action="label.overturned",
            object=label.transaction,
            before={"label": before.value, "by": before.labeller.get_username()},
            after={"label": label.value, "origin": label.origin},
        )


# Looked up row by row: nearly all that wait keep waiting.
ARRIVED = """
SELECT note.id, note.source_id FROM scoring_notice AS note
WHERE note.state = 'WAITING' AND EXISTS (
    SELECT FROM scoring_transaction AS paid
    WHERE paid.source_id = note.payment_source_id AND paid.external_id = note.payment_id OFFSET 0)
ORDER BY note.id LIMIT %s FOR UPDATE OF note SKIP LOCKED
"""


def sweep() -> int:
    """Let those speak whose payments have come meanwhile; a few hundred at a time."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(ARRIVED, [AT_ONCE])
            rows = cursor.fetchall()
        by_source: dict[int, list[int]] = {}
        for number, source in rows:
            by_source.setdefault(source, []).append(number)
        for source, numbers in sorted(by_source.items()):
            settle(numbers, source=Source.objects.get(pk=source))
    return len(rows)
