"""Refused records are mended, replayed or let go: what fits after all is stored as it came."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from anomalyshield.audit.record import record as on_trail
from anomalyshield.templatetags.words import masked_if
from scoring import accepting, labels, noticing, personal, quarantine, rejects
from scoring.accepting import Inactive, Sent
from scoring.admitting import Gate, any_gate
from scoring.engine.transaction import Invalid, Transaction
from scoring.models import RejectedRecord, Source, Upload
from scoring.reading import known_since, split_label
from scoring.translating import translation_of

DOOR = "quarantine"
AT_ONCE = 500  # in one commit
MOST = 5_000  # of one press of a button
State = RejectedRecord.State
Record = Mapping[str, Any]


class Refused(Exception):
    """It stands otherwise by now, or cannot be done; the message is a sentence for the person."""


class StillWrong(Exception):
    """The record is refused again; `reasons` say what is left to mend."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(str(Invalid(reasons)))
        self.reasons = reasons


@dataclass
class Replayed:
    """What became of many."""

    taken: int = 0
    still: int = 0
    left: int = 0  # not tried: there were too many for once
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)


@transaction.atomic
def replay(*, by: Any, reject: RejectedRecord, record: Record | None = None) -> RejectedRecord:
    """Take the record, or what it was mended to, as if it came now. Raises StillWrong or Refused.

    Personal values that were shown masked and left as they were keep what they are.
    """
    reject = _held(reject)
    wanted = reject.record if record is None else unmasked(reject, record)
    if reject.cut and wanted == reject.record:
        raise Refused("Long values of this record were cut; write it whole before it is replayed.")
    if not isinstance(wanted, Mapping):
        raise StillWrong({"record": "is not an object"})
    try:
        number = _taken(reject, wanted)
    except Invalid as invalid:
        raise StillWrong(invalid.reasons) from None
    changed = sorted(name for name in {*wanted, *reject.record} if _differs(reject, wanted, name))
    reject.mended = quarantine.closed(wanted, reject.source, _mapping(reject)) if changed else None
    reject.became_id = number
    _settle([reject], State.ACCEPTED, by)
    on_trail(by=by, action="reject.replayed", object=reject, after={"changed": changed})
    return reject


def replay_all(*, by: Any, source: Source, reason: tuple[str, str] | None = None) -> Replayed:
    """Replay all that waits of a source, or all with one reason, as it stands.

    Done in parts that commit by themselves: what was taken stays taken, whatever comes after.
    """
    rows = waiting_of(source, reason)
    made, last = Replayed(), 0
    while made.taken + made.still < MOST:
        part = list(rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE])
        if not part:
            break
        last = part[-1].pk
        _replay_part(by, [one.pk for one in part], made)
    made.left = rows.filter(pk__gt=last).count()
    after = {"taken": made.taken, "still_wrong": made.still, "left": made.left}
    with transaction.atomic():
        on_trail(by=by, action="reject.all_replayed", object=source, after=after)
    return made


@transaction.atomic
def _replay_part(by: Any, numbers: list[int], made: Replayed) -> None:
    rows = RejectedRecord.objects.select_for_update(skip_locked=True, of=("self",))
    for reject in rows.waiting().filter(pk__in=numbers).select_related("source", "upload"):
        try:
            if reject.cut or not isinstance(reject.record, Mapping):
                raise Invalid(reject.reasons)
            with transaction.atomic():
                reject.became_id = _taken(reject, reject.record)
        except Invalid as invalid:
            made.still += 1
            made.reasons.update(invalid.reasons.items())
            if invalid.reasons != reject.reasons:
                reject.reasons = invalid.reasons
                reject.save(update_fields=["reasons"])
        else:
            made.taken += 1
            _settle([reject], State.ACCEPTED, by)


@transaction.atomic
def drop(*, by: Any, reject: RejectedRecord, reason: str) -> RejectedRecord:
    """Let it go, with the reason; it stays on record and is replayed no more."""
    reject = _held(reject)
    if not reason.strip():
        raise Refused("Say why it is let go.")
    _settle([reject], State.DROPPED, by)
    on_trail(by=by, action="reject.dropped", object=reject, reason=reason)
    return reject


@transaction.atomic
def drop_all(
    *, by: Any, source: Source, reason: str, because: tuple[str, str] | None = None
) -> int:
    """Let all go that wait, or all of one reason; how many."""
    if not reason.strip():
        raise Refused("Say why they are let go.")
    count = waiting_of(source, because).update(
        state=State.DROPPED, settled_at=Now(), settled_by=_person(by)
    )
    after = {"records": count}
    on_trail(by=by, action="reject.all_dropped", object=source, after=after, reason=reason)
    return count


def waiting_of(source: Source, reason: tuple[str, str] | None = None) -> Any:
    rows = RejectedRecord.objects.waiting().filter(source=source)
    return rows.filter(reasons__contains={reason[0]: reason[1]}) if reason else rows


def _held(reject: RejectedRecord) -> RejectedRecord:
    rows = RejectedRecord.objects.select_for_update(of=("self",))
    found = rows.select_related("source", "upload").get(pk=reject.pk)
    if found.state != State.OPEN:
        raise Refused(f"This record is {found.get_state_display()} already.")
    return found


def _taken(reject: RejectedRecord, wanted: Record) -> int | None:
    """The number of the transaction it became. Raises Invalid, with nothing stored, if it is not
    one; a record that is known already with the same content is that transaction."""
    gate, plain, label = _read(reject, wanted)
    found = gate.admit(plain)
    with transaction.atomic():
        try:
            done = accepting.accept(source=reject.source, sent=[Sent(plain)], door=DOOR, gate=gate)
        except Inactive as inactive:
            raise Refused(str(inactive)) from None
        if done.rejected:
            raise Invalid(done.rejected[0])  # and the copy that was kept goes with the savepoint
        if not isinstance(found, Transaction):
            return None  # a notice
        _label(reject, found, label)
    return done.stored.get(0) or _known(reject.source, found)


def _read(reject: RejectedRecord, wanted: Record) -> tuple[Gate | noticing.Gate, Record, Any]:
    """The gate as the source says now, at the moment the record came: it is no later for waiting.

    Of a row of a file, with what the file says of its columns.
    """
    came, upload = reject.at, reject.upload
    if upload is None:
        return any_gate(reject.source, came, notices=reject.notice), wanted, None
    options = upload.options or {}
    mapping = {**reject.source.mapping, **options.get("mapping", {})}
    gate = any_gate(reject.source, came, mapping=mapping, texts=True, notices=reject.notice)
    if rejects.is_ours(options.get("columns", [])):
        wanted = rejects.taken_back(dict(wanted))
    if isinstance(gate, noticing.Gate):
        return gate, wanted, None
    plain, said = split_label(dict(wanted), options, gate.defaults)
    translation = translation_of(options, mapping, sha256=upload.sha256)
    if translation is not None:
        plain, unclear = translation.of(plain, reject.position)
        if unclear:
            raise Invalid(unclear)
    return gate, plain, said


def _label(reject: RejectedRecord, found: Transaction, said: Any) -> None:
    if said is None or reject.upload is None:
        return
    known = known_since(said, found, reject.upload.options)
    labels.from_file(
        [(found.external_id, said[0], known)], source=reject.source, object=reject.upload
    )


def _known(source: Source, found: Transaction) -> int | None:
    rows = source.transaction_set.filter(external_id=found.external_id)
    return rows.values_list("pk", flat=True).first()


def _settle(rows: Iterable[RejectedRecord], state: State, by: Any) -> None:
    for row in rows:
        row.state, row.settled_at, row.settled_by = state, timezone.now(), _person(by)
        row.save(update_fields=["state", "settled_at", "settled_by", "mended", "became"])


def _person(by: Any) -> Any:
    return by if hasattr(by, "get_username") else None


# --- what is shown of it --------------------------------------------------------------------------
def masked(reject: RejectedRecord) -> Any:
    """The record as it is shown: of personal fields, the ends."""
    if not isinstance(reject.record, Mapping):
        return reject.record
    return {
        name: _ends(value) if personal.is_sealed(value) or is_personal(reject, name) else value
        for name, value in reject.record.items()
    }


def unmasked(reject: RejectedRecord, shown: Any) -> Any:
    """What somebody wrote who saw it masked: ends that were left as they were are the whole."""
    if not isinstance(shown, Mapping) or not isinstance(reject.record, Mapping):
        return shown
    return {
        name: reject.record[name]
        if name in reject.record
        and is_personal(reject, name)
        and value == _ends(reject.record[name])
        else value
        for name, value in shown.items()
    }


def is_personal(reject: RejectedRecord, name: str) -> bool:
    """Declared by the source, by their name for the field or by ours."""
    return personal.declared(name, reject.source.pii, _mapping(reject))


def _mapping(reject: RejectedRecord) -> dict[str, str]:
    options = (reject.upload.options or {}) if isinstance(reject.upload, Upload) else {}
    return {**reject.source.mapping, **options.get("mapping", {})}


def _ends(value: Any) -> str:
    value = personal.opened(value)
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return masked_if(text, True)


def _differs(reject: RejectedRecord, wanted: Record, name: str) -> bool:
    before = reject.record if isinstance(reject.record, Mapping) else {}
    return personal.opened(wanted.get(name)) != personal.opened(before.get(name)) or (
        name in wanted
    ) != (name in before)
