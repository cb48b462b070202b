"""Writes what happened, in the transaction that made it happen."""

import math
from collections.abc import Iterable
from typing import Any

from django.db import connection, connections, models, transaction

from anomalyshield.audit.models import AuditEvent
from anomalyshield.context import asking


def record(
    *,
    by: Any,
    action: str,
    object: models.Model | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    outcome: str = AuditEvent.Outcome.DONE,
) -> AuditEvent:
    """Add one event to the caller's transaction: it is kept exactly if what it tells of is."""
    made = event(
        by=by,
        action=action,
        object=object,
        before=before,
        after=after,
        reason=reason,
        outcome=outcome,
    )
    made.save(force_insert=True)
    return made


def record_all(events: Iterable[AuditEvent]) -> None:
    """As `record`, many in one statement, in this order."""
    AuditEvent.objects.bulk_create(events)


def event(
    *,
    by: Any,
    action: str,
    object: models.Model | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    outcome: str = AuditEvent.Outcome.DONE,
) -> AuditEvent:
    """One event, for `record_all` to add."""
    made = _event(by, action, object, reason, outcome)
    made.before, made.after = storable(before), storable(after)
    return made


def denied(
    by: Any, action: str, object: models.Model | None = None, reason: str = ""
) -> AuditEvent:
    """Add the refusal of an attempt; it stays when the caller's transaction rolls back."""
    made = _event(by, action, object, reason, AuditEvent.Outcome.DENIED)
    try:
        with transaction.atomic(durable=True):
            made.save(force_insert=True)
    except RuntimeError:  # inside a transaction that is about to be rolled back
        _save_apart(made)
    return made


def _save_apart(event: AuditEvent) -> None:
    """Save on a connection of its own, which the caller's rollback cannot reach."""
    alias = "audit_apart"
    apart = connection.copy(alias)
    connections[alias] = apart
    try:
        event.save(force_insert=True, using=alias)
    finally:
        apart.close()
        del connections[alias]


def _event(
    by: Any, action: str, object: models.Model | None, reason: str, outcome: str
) -> AuditEvent:
    circumstances = asking()
    return AuditEvent(
        actor=actor_of(by)[:150],
        role=role_of(by)[:100],
        ip=circumstances.ip,
        request_id=circumstances.request_id[:36],
        action=action[:64],
        object_type=object._meta.label_lower if object is not None else "",
        object_id=str(object.pk)[:64] if object is not None else "",
        outcome=outcome,
        reason=storable(reason),
    )


def actor_of(by: Any) -> str:
    """The name the trail keeps: of a person, of a key by its prefix, of a process as given."""
    if isinstance(by, str):
        return by
    if (key := getattr(by, "key", None)) is not None:
        return f"key:{key.prefix}"
    return by.get_username() or "anonymous"


def role_of(by: Any) -> str:
    """The roles held at that moment, read once per user object."""
    if not getattr(by, "pk", None) or not hasattr(by, "group_names"):
        return ""
    return ", ".join(by.group_names)


def storable(value: Any) -> Any:
    """`value` as PostgreSQL's jsonb can hold it: no NUL, no lone surrogate, no NaN, no Decimal."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case dict():
            return {storable(str(key)): storable(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [storable(item) for item in value]
    return str(value).replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")
