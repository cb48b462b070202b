"""Keys of machines: made once, shown once, revoked."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from anomalyshield.accounts.models import ApiKey, User
from anomalyshield.accounts.roles import SCOPES
from anomalyshield.audit.record import record

LAST_USED_EVERY = timedelta(minutes=1)


class Refused(ValueError):
    """Why a key was not made."""


def digest_of(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


@transaction.atomic
def make_key(
    *, by: User, name: str, scopes: list[str], source=None, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """The row and the key itself, which is nowhere else and never shown again."""
    if unknown := set(scopes) - set(SCOPES):
        raise Refused(f"Unknown scope: {', '.join(sorted(unknown))}.")
    if not scopes:
        raise Refused("A key needs at least one scope.")
    prefix = "as_" + secrets.token_hex(4)
    key = f"{prefix}_{secrets.token_urlsafe(24)}"
    made = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        digest=digest_of(key),
        scopes=scopes,
        source=source,
        created_by=by,
        expires_at=expires_at,
    )
    record(by=by, action="key.made", object=made, after={"name": name, "scopes": scopes})
    return made, key


@transaction.atomic
def revoke_key(*, by: User, key: ApiKey) -> None:
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=Now()):
        record(by=by, action="key.revoked", object=key)


def find_key(key: str) -> ApiKey | None:
    """The living key behind this text; compared in constant time."""
    prefix = "_".join(key.split("_")[:2])
    found = (
        ApiKey.objects.select_related("source")
        .filter(Q(expires_at=None) | Q(expires_at__gt=Now()), prefix=prefix, revoked_at=None)
        .first()
    )
    if found and secrets.compare_digest(bytes(found.digest), digest_of(key)):
        return found
    return None


def note_use(key: ApiKey) -> None:
    """At most one write a minute, whatever the traffic."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - LAST_USED_EVERY)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=Now())
