"""Entries of lists, put there by their verbs."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from anomalyshield.accounts.models import User
from scoring import lists
from scoring.models import ListEntry
from tests.conftest import person


def soon(days: float = 30) -> datetime:
    return timezone.now() + timedelta(days=days)


def wish(kind: str = "DENY", entity: str = "card", value: str = "c1", **more: Any) -> lists.Wish:
    reason = more.pop("reason", "reported stolen")
    return lists.Wish(kind, entity, value, reason, **{"expires_at": soon(), **more})


def denied(by: User, entity: str = "card", value: str = "c1", **more: Any) -> ListEntry:
    return lists.put(by=by, wish=wish("DENY", entity, value, **more))


def allowed(by: User, entity: str = "card", value: str = "c1", **more: Any) -> ListEntry:
    """In force: approved by a lead of its own."""
    entry = lists.put(by=by, wish=wish("ALLOW", entity, value, **more))
    lead = User.objects.filter(username="lola").first() or person("lola", "analyst", is_lead=True)
    return lists.approve(by=lead, entry=entry)
