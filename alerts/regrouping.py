"""Alerts put together and taken apart by people: payments move, and none is ever lost.

A payment is a hit of exactly one alert before and after. What was merged away points to where its
payments went and stands in no list of work; what was split off takes nothing more by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from alerts import grouping, ranking
from alerts.candidates import candidates
from alerts.guards import Refused, leads, nobody_elses, still_open
from alerts.models import Alert, AlertHit, AlertLease, Look, Profile, Regrouping
from alerts.triage import UNDO_WITHIN
from anomalyshield.audit.record import record
from scoring import costs

MOST = 20  # alerts put into another at once
OF_HITS = (
    "decision_id", "transaction_id", "risk_score", "user_id", "amount", "currency", "level",
    "hit_count", "total", "expected_loss", "reason_codes", "first_event", "last_event",
    "last_hit_at",
)  # fmt: skip
KEPT = (*OF_HITS, "status", "due_at", "merged_into_id")
Moved = Mapping[str, Sequence[Sequence[Any]]]  # alert → its hits, each with when it had joined


@transaction.atomic
def merge(*, by: Any, into: Alert, alerts: Sequence[Alert], reason: str = "") -> Regrouping:
    """Put all payments of these alerts into that one; they become MERGED and point to it.

    All lie in one queue, are about somebody in common, and are neither decided, snoozed, part of a
    case nor somebody else's. The earliest clock holds. A verdict on it is about all of them.
    """
    if not 0 < len({one.pk for one in alerts} - {into.pk}) <= MOST:
        raise Refused(_("Choose between 1 and {most} other alerts.").format(most=MOST))
    rows = _locked([into.pk, *(one.pk for one in alerts)])
    into = rows.pop(into.pk)
    others = list(rows.values())
    for one in (into, *others):
        _movable(one, by)
    _belong(into, others)
    before = _before([into, *others])
    moved = {str(one.pk): _placed(one) for one in others}
    for one in others:
        _leave(one, into)
    into.due_at = min(one.due_at for one in (into, *others))
    _made_of_its_hits(into, timezone.now())
    return _noted(
        Regrouping.Kind.MERGE, by=by, into=into, reason=reason, moved=moved, before=before
    )


@transaction.atomic
def split(*, by: Any, alert: Alert, payments: Sequence[int], reason: str = "") -> Regrouping:
    """Put some of its payments, by the numbers of their transactions, into an alert of their own.

    That one is due when this one is, belongs to the same person, and takes no further payments.
    """
    [alert] = _locked([alert.pk]).values()
    _movable(alert, by)
    chosen = alert.hits.filter(transaction__in=payments)
    if not 0 < (many := chosen.count()) < alert.hit_count or many < len(set(payments)):
        raise Refused(_("Choose some of its payments, and leave at least one."))
    before = _before([alert])
    moved = {str(alert.pk): [place for place in _placed(alert) if place[2] in set(payments)]}
    part = _part_of(alert)
    grouping.rebuild(part, candidates(hit.decision for hit in _whole(chosen)), costs.in_force())
    part.save()
    chosen.update(alert=part)
    _made_of_its_hits(part, part.last_hit_at)
    _made_of_its_hits(alert, alert.last_hit_at)
    _seen_less(alert, many)
    Look.objects.create(alert=part, person=by, hits=many)
    return _noted(
        Regrouping.Kind.SPLIT, by=by, into=part, reason=reason, moved=moved, before=before
    )


@transaction.atomic
def undo(*, by: Any, regrouping: Regrouping) -> Regrouping:
    """Take it back within ten minutes: every payment is in the alert that had it.

    Refused when somebody has decided, moved or snoozed one of them meanwhile. Payments that joined
    since stay where they joined.
    """
    done = Regrouping.objects.select_for_update(of=("self",)).get(pk=regrouping.pk)
    _undoable(by, done)
    rows = _locked([done.into_id, *map(int, done.before)])
    into = rows[done.into_id]
    _as_left(done, rows)
    for pk, places in done.moved.items():
        for hit, at, _unused in places:
            AlertHit.objects.filter(pk=hit).update(alert=int(pk), at=parse_datetime(at))
    gone = sum(map(len, done.moved.values()))
    if done.kind == Regrouping.Kind.MERGE:
        _seen_less(into, gone)
    else:
        _leave(into, rows[int(next(iter(done.moved)))])
    for pk, fields in done.before.items():
        _restored(rows[int(pk)], fields)
    # A new cost model passes by what is merged away, and what it was counted by is of before.
    ranking.anew([rows[int(pk)] for pk in done.before])
    done.undone_at, done.undone_by = timezone.now(), by
    done.save(update_fields=["undone_at", "undone_by"])
    record(by=by, action="alert.regrouping_undone", object=into, after={"alerts": [*done.before]})
    return done


def may_undo(by: Any, done: Regrouping) -> bool:
    """Is it worth offering? The verb looks again."""
    fresh = timezone.now() - done.at < UNDO_WITHIN
    return done.undone_at is None and fresh and (done.by_id == by.pk or leads(by))


def mergeable(alert: Alert, others: Sequence[Alert]) -> list[Alert]:
    """Of these alerts about the same entity those that could go into it. The verb looks again."""
    if alert.status not in Alert.MOVABLE:
        return []
    near = [one for one in others if one.queue_id == alert.queue_id]
    return [one for one in near if one.status in Alert.MOVABLE]


def _locked(pks: Sequence[int]) -> dict[int, Alert]:
    rows = Alert.objects.select_for_update(of=("self",)).select_related("assignee", "merged_into")
    return {one.pk: one for one in rows.filter(pk__in=pks).order_by("pk")}


def _movable(alert: Alert, by: Any) -> None:
    still_open(alert)
    nobody_elses(alert, by)
    if alert.status == Alert.Status.ESCALATED:
        raise Refused(
            _("{alert} is part of a case: its payments stay together there.").format(alert=alert)
        )
    if alert.is_asleep:
        raise Refused(_("{alert} is snoozed: take it up first.").format(alert=alert))


def _belong(into: Alert, others: Sequence[Alert]) -> None:
    for one in others:
        if one.queue_id != into.queue_id:
            raise Refused(_("{one} lies in another queue than {into}.").format(one=one, into=into))
        same = (one.entity_kind, one.entity) == (into.entity_kind, into.entity)
        if not (same or one.subjects & into.subjects):
            raise Refused(_("{one} and {into} have nobody in common.").format(one=one, into=into))
    if into.hit_count + sum(one.hit_count for one in others) > Alert.MOST:
        raise Refused(_("An alert has at most {most} payments.").format(most=Alert.MOST))


def _leave(alert: Alert, into: Alert) -> None:
    """Its payments go there, and it points to where they went; nothing is counted twice."""
    alert.hits.update(alert=into, at=timezone.now())
    alert.status, alert.merged_into = Alert.Status.MERGED, into
    alert.hit_count, alert.total, alert.expected_loss = 0, 0, 0
    alert.save(update_fields=["status", "merged_into", "hit_count", "total", "expected_loss"])
    AlertLease.objects.filter(alert=alert).delete()


def _part_of(alert: Alert) -> Alert:
    same = ("queue_id", "route_id", "entity_kind", "entity", "suspected", "status", "assignee_id",
            "due_at", "last_hit_at")  # fmt: skip
    return Alert(**{name: getattr(alert, name) for name in same}, created_at=timezone.now())


def _made_of_its_hits(alert: Alert, at: Any) -> None:
    hits = _whole(alert.hits)
    found = candidates(hit.decision for hit in hits)
    alert.last_hit_at = at
    grouping.rebuild(alert, found, costs.in_force())
    alert.save(update_fields=[*OF_HITS, "due_at"])
    lead = next(one for one in found if one.decision.pk == alert.decision_id)
    _profiled(alert, lead.spec, lead.vector)


def _whole(hits: Any) -> list[AlertHit]:
    return list(hits.select_related("decision__transaction").order_by("pk"))


def _profiled(alert: Alert, spec: str, vector: bytes) -> None:
    if vector:
        said = {"spec": spec, "vector": vector}
        Profile.objects.update_or_create(alert=alert, defaults=said)
    else:
        Profile.objects.filter(alert=alert).delete()


def _seen_less(alert: Alert, gone: int) -> None:
    """Of those who looked nobody has seen more than is left: what joins is new to them."""
    alert.looks.update(hits=Greatest(F("hits") - gone, 0))


def _placed(alert: Alert) -> list[list[Any]]:
    places = alert.hits.order_by("pk").values_list("pk", "at", "transaction_id")
    return [[pk, at.isoformat(), paid] for pk, at, paid in places]


def _before(alerts: Sequence[Alert]) -> dict[str, dict[str, Any]]:
    """As JSON that loses nothing: moments and sums as they are written in full."""
    return {str(one.pk): {name: _written(getattr(one, name)) for name in KEPT} for one in alerts}


def _written(value: Any) -> Any:
    return (
        value
        if isinstance(value, int | float | str | list | None)
        else (value.isoformat() if hasattr(value, "isoformat") else str(value))
    )


def _restored(alert: Alert, fields: Mapping[str, Any]) -> None:
    """As it was; if more joined meanwhile, with those as well. Whoever took it up keeps it."""
    hits = _whole(alert.hits)
    alert.refresh_from_db()
    kept = [name for name in KEPT if name != "status" or alert.status == Alert.Status.MERGED]
    columns = {field.attname: field for field in Alert._meta.concrete_fields}
    for name in kept:
        setattr(alert, name, columns[name].to_python(fields[name]))
    alert.save(update_fields=kept)
    if len(hits) != fields["hit_count"]:
        _made_of_its_hits(alert, timezone.now())
        return
    [lead] = candidates([hit.decision for hit in hits if hit.decision_id == alert.decision_id])
    _profiled(alert, lead.spec, lead.vector)


def _noted(kind: Regrouping.Kind, *, by: Any, into: Alert, **said: Any) -> Regrouping:
    done = Regrouping.objects.create(kind=kind, by=by, into=into, **said)
    merged = kind == Regrouping.Kind.MERGE
    action = "alert.merged" if merged else "alert.split"
    after = {"into": str(into), "payments": sum(map(len, done.moved.values()))}
    touched = Alert.objects.filter(pk__in=[into.pk, *map(int, done.before)]).order_by("pk")
    for one in touched:
        record(by=by, action=action, object=one, after=after)
    return done


def _undoable(by: Any, done: Regrouping) -> None:
    if done.undone_at is not None:
        raise Refused(_("It was taken back already."))
    if done.by_id != by.pk and not leads(by):
        raise Refused(_("{by} did it. Ask them, or a lead, to take it back.").format(by=done.by))
    if timezone.now() - done.at > UNDO_WITHIN:
        raise Refused(
            _("It can be undone for {minutes} minutes.").format(
                minutes=int(UNDO_WITHIN.total_seconds() // 60)
            )
        )


def _as_left(done: Regrouping, rows: Mapping[int, Alert]) -> None:
    """Nobody went on with one of them meanwhile, and every payment is where it was put."""
    into = rows[done.into_id]
    merged = done.kind == Regrouping.Kind.MERGE
    others = [one for pk, one in rows.items() if pk != into.pk]
    for one in (into, *others):
        gone = merged and one is not into
        if gone and one.status == Alert.Status.MERGED and one.merged_into_id == into.pk:
            continue
        if gone or one.status not in Alert.MOVABLE:
            raise Refused(
                _("Somebody went on with {one} meanwhile: it stays as it is.").format(one=one)
            )
    hits = [place[0] for places in done.moved.values() for place in places]
    if into.hits.filter(pk__in=hits).count() != len(hits):
        raise Refused(
            _("Payments of {into} were moved on meanwhile: it stays as it is.").format(into=into)
        )
