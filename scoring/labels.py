"""What a transaction turned out to be, said by people and chargebacks, and since when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import IntegrityError, connection, models
from django.db import transaction as database
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.audit.record import event, record, record_all
from scoring import frauds
from scoring.models import Label, Source, Transaction

OWN_CHANGE = timedelta(minutes=15)
SECOND = _lazy("Changing that takes a second person: propose a correction.")
# Chargebacks arrive weeks late. Silence counts as "legitimate" only after this long.
MATURITY = timedelta(days=14)


class Refused(Exception):
    """The label may not be given now; the message is a sentence for the person who asked."""


class Row(NamedTuple):
    """One labelled line of a file: whose transaction, what it was, and since when that is known."""

    external_id: str
    value: str
    known_at: datetime


@dataclass(frozen=True)
class Given:
    """What became of one payment: the label given to it just now, the one it had, or why it keeps
    that one."""

    label: Label | None
    stood: Label | None
    refusal: Refused | None = None


@database.atomic
def give(
    *,
    by: Any,
    transaction: Transaction,
    value: str,
    origin: str,
    known_at: datetime | None = None,
    typology: str = "",
    note: str = "",
    seconded_by: Any = None,
) -> Label:
    """Say what a transaction was; the label that stood so far is kept and superseded.

    Saying the same again changes nothing. Of two people at once the second is refused. What one
    person may not change any more, two may: `seconded_by` approved it (`alerts/corrections.py`).
    """
    [given] = give_all(
        by=by,
        transactions=[transaction],
        value=value,
        origin=origin,
        known_at=known_at,
        typology=typology,
        note=note,
        seconded_by=seconded_by,
    )
    if given.refusal is not None:
        raise given.refusal
    standing = given.label or given.stood
    assert standing is not None
    return standing


@database.atomic(savepoint=False)
def give_all(
    *,
    by: Any,
    transactions: Sequence[Transaction],
    value: str,
    origin: str,
    known_at: datetime | None = None,
    typology: str = "",
    note: str = "",
    seconded_by: Any = None,
) -> list[Given]:
    """As `give`, the same of each of them, in as many statements as of one.

    A payment whose label this person may not change keeps it, and is told with the reason.
    """
    value, known_at = Label.Value(value), _checked(known_at, transactions)
    standing = _locked(transactions)
    new = {
        "value": value,
        "origin": Label.Origin(origin),
        "known_at": known_at,
        "labeller": by if isinstance(by, models.Model) else None,
        "typology": typology,
        "note": note,
    }
    given = [
        _given(
            by,
            standing.get(paid.pk),
            Label(transaction=paid, event_time=paid.event_time, **new),
            seconded_by,
        )
        for paid in transactions
    ]
    _store([one.label for one in given if one.label is not None], by=seconded_by or by)
    return given


@database.atomic
def take_back(*, by: Any, label: Label) -> Label | None:
    """Undo a label: what stood before it stands again, else nothing is said (INCONCLUSIVE).

    Nothing is deleted. None when a later word stands already, which is left as it is.
    """
    Transaction.objects.select_for_update(no_key=True).get(pk=label.transaction_id)
    if Label.objects.filter(supersedes=label).exists():
        return None
    before = label.supersedes
    again = Label.objects.create(
        transaction_id=label.transaction_id,
        value=before.value if before else Label.Value.INCONCLUSIVE,
        origin=before.origin if before else label.origin,
        known_at=before.known_at if before else timezone.now(),
        labeller=before.labeller if before else label.labeller,
        typology=before.typology if before else "",
        note=before.note if before else "",
        supersedes=label,
    )
    frauds.remember([again.pk])
    record(
        by=by,
        action="label.taken_back",
        object=label.transaction,
        before={"label": label.value},
        after={"label": again.value},
    )
    return again


def _locked(transactions: Sequence[Transaction]) -> dict[int, Label]:
    """What stands of each, read once nobody else can say anything: two statements, since the second
    must see what others committed while the first waited. In the order of ids, so that two people
    cannot wait for each other in a circle; readers and new alerts of them do not wait at all."""
    ids = [one.pk for one in transactions]
    rows = Transaction.objects.select_for_update(no_key=True).filter(pk__in=ids)
    list(rows.order_by("pk").values_list("pk"))
    found = Label.objects.filter(transaction__in=ids).standing().select_related("labeller")
    return {one.transaction_id: one for one in found}


def _given(by: Any, standing: Label | None, new: Label, seconded_by: Any) -> Given:
    """Whether the new word may be said, beside what was said until now."""
    if standing is None:
        return Given(new, None)
    same = standing.value == new.value
    if same and new.typology in {"", standing.typology}:
        return Given(None, standing)
    adds_a_typology = same and not standing.typology
    if not adds_a_typology and seconded_by is None:
        try:
            _may_change(by, standing)
        except Refused as refusal:
            return Given(None, standing, refusal)
    new.supersedes = standing
    return Given(new, standing)


def _checked(known_at: datetime | None, transactions: Sequence[Transaction]) -> datetime:
    now = timezone.now()
    if known_at is None:
        return now
    if known_at > now:
        raise Refused(_("A label cannot be known in the future."))
    if any(known_at < one.event_time for one in transactions):
        raise Refused(_("A label cannot be known before its transaction took place."))
    return known_at


def _may_change(by: Any, standing: Label) -> None:
    """Only one's own label, and only while it is fresh; an inconclusive one claims nothing."""
    if standing.value == Label.Value.INCONCLUSIVE:
        return
    said = "fraud" if standing.value == Label.Value.TRUE_FRAUD else "legitimate"
    if standing.labeller is None:
        raise Refused(
            _("A report from outside says {said}. {second}").format(said=said, second=SECOND)
        )
    if standing.labeller != by:
        raise Refused(
            _("{labeller} said {said}. {second}").format(
                labeller=standing.labeller, said=said, second=SECOND
            )
        )
    if timezone.now() - standing.known_at > OWN_CHANGE:
        minutes = int(OWN_CHANGE.total_seconds() // 60)
        raise Refused(
            _("You said {said} more than {minutes} minutes ago. {second}").format(
                said=said, minutes=minutes, second=SECOND
            )
        )


def _store(new: Sequence[Label], *, by: Any) -> None:
    if not new:
        return
    try:
        Label.objects.bulk_create(new)
    except IntegrityError:  # a file was labelling it in the same moment
        raise Refused(_("It was labelled in the same moment. Look again.")) from None
    frauds.remember([one.pk for one in new if _is_fraud(one) != _is_fraud(one.supersedes)])
    record_all(
        event(
            by=by,
            action="label.given",
            object=one.transaction,
            before={"label": one.supersedes.value} if one.supersedes else None,
            after={"label": one.value, "typology": one.typology, "origin": one.origin},
        )  # not the note: the trail cannot be erased, and people write names into notes
        for one in new
    )


def _is_fraud(label: Label | None) -> bool:
    return label is not None and label.value == Label.Value.TRUE_FRAUD


# Two statements: the second must see what others committed while the first waited for its locks.
# Locked in the order of ids, so that two files at once cannot wait for each other in a circle.
LOCK = """
SELECT id FROM scoring_transaction WHERE source_id = %s AND external_id = ANY(%s)
ORDER BY id FOR NO KEY UPDATE
"""
# What is known later wins, whoever said it: a chargeback overrules the analyst who saw nothing.
# The standing label is the last of its transaction. Looked up row by row: joined as a set, and with
# the statistics of a table that a file is just filling, PostgreSQL compared all labels with all
# (30 s at 30,000). "+ 0" keeps it from walking the primary key instead of the transaction's index.
GIVE = """
WITH given AS (
    SELECT DISTINCT ON (external_id) external_id, value, known_at
    FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS given (external_id, value, known_at)
    ORDER BY external_id, known_at DESC
), said AS (
    INSERT INTO scoring_label
        (transaction_id, event_time, value, origin, known_at, typology, note, supersedes_id)
    SELECT paid.id, paid.event_time, given.value, %s, given.known_at, '', '', standing.id
    FROM given
    JOIN scoring_transaction AS paid
      ON paid.source_id = %s AND paid.external_id = given.external_id
    LEFT JOIN LATERAL (
        SELECT id, value, known_at FROM scoring_label
        WHERE transaction_id = paid.id ORDER BY id + 0 DESC LIMIT 1
    ) AS standing ON true
    WHERE standing.id IS NULL
       OR (standing.value <> given.value AND given.known_at > standing.known_at)
    RETURNING id, value, supersedes_id
)
SELECT count(*), coalesce(array_agg(id ORDER BY id) FILTER (
    WHERE value = 'TRUE_FRAUD' OR supersedes_id IS NOT NULL
), '{}')
FROM said
"""


@database.atomic
def from_file(
    rows: Iterable[tuple[str, str, datetime]],
    *,
    source: Source,
    by: Any = "worker",
    object: models.Model | None = None,
) -> int:
    """Label the transactions of a source, in the transaction of the block that stored them.

    Repeats change nothing; a later `known_at` supersedes an earlier one. Rows of the future or of
    unknown transactions are not for here: the caller has rejected them. Returns how many were new.
    """
    given = [Row(*row) for row in rows]
    if not given:
        return 0
    external_ids, values, moments = (list(column) for column in zip(*given, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [source.pk, external_ids])
        cursor.execute(GIVE, [external_ids, values, moments, Label.Origin.FILE, source.pk])
        count, of_frauds = cursor.fetchone()
    frauds.remember(of_frauds)
    if count:
        after = {"labels": count, "origin": Label.Origin.FILE}
        record(by=by, action="label.given", object=object or source, after=after)
    return count


def matured_until(cutoff: datetime, window: timedelta = MATURITY) -> datetime:
    """Events before this moment have had time to be reported: there, silence is an answer."""
    return cutoff - window
