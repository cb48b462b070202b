"""Keys of machines: made once, shown once, revoked."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield.accounts.models import ApiKey, User
from anomalyshield.accounts.roles import ADMIN, EVENTS, SCOPES
from anomalyshield.audit.record import record

if TYPE_CHECKING:
    from scoring.models import Source

LAST_USED_EVERY = timedelta(minutes=1)
NOBODY = bytes(32)
MOST_PER_MINUTE = 1_000_000


class Refused(ValueError):
    """Why a key was not made."""


class NotYours(Refused):
    """It can be made, but not by this person."""


def digest_of(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


@transaction.atomic
def make_key(
    *,
    by: User,
    name: str,
    scopes: list[str],
    source: "Source | None" = None,
    expires_at: datetime | None = None,
    per_minute: int | None = None,
) -> tuple[ApiKey, str]:
    """The row and the key itself, which is nowhere else and never shown again."""
    _check(by, scopes, expires_at)
    if per_minute is not None and not 0 < per_minute <= MOST_PER_MINUTE:
        raise Refused(f"A key makes between 1 and {MOST_PER_MINUTE:,} requests a minute.")
    if source is not None and not type(source).objects.visible_to(by).filter(pk=source.pk).exists():
        raise NotYours(_("This source is not yours to open."))
    prefix = "as_" + secrets.token_hex(4)
    key = f"{prefix}_{secrets.token_urlsafe(24)}"
    made = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        digest=digest_of(key),
        scopes=sorted(scopes),
        source=source,
        created_by=by,
        expires_at=expires_at,
        per_minute=per_minute,
    )
    record(by=by, action="key.made", object=made, after=_state(made))
    return made, key


def _check(by: User, scopes: list[str], expires_at: datetime | None) -> None:
    if unknown := set(scopes) - set(SCOPES):
        raise Refused(_("Unknown scope: {unknown}.").format(unknown=", ".join(sorted(unknown))))
    if not scopes:
        raise Refused(_("A key needs at least one scope."))
    if expires_at is not None and expires_at <= timezone.now():
        raise Refused(_("This moment is already past."))
    if ADMIN not in by.roles and set(scopes) - {EVENTS}:
        raise NotYours(
            _("A data engineer makes keys for {events} only; ask an admin.").format(events=EVENTS)
        )
    if not all(by.may(action) for scope in scopes for action in SCOPES[scope]):
        raise NotYours(_("A key cannot do more than its maker."))


@transaction.atomic
def revoke_key(*, by: User, key: ApiKey) -> bool:
    """Nothing opens with this key any more; False when it was revoked before."""
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=Now()):
        return False
    record(by=by, action="key.revoked", object=key, before=_state(key))
    return True


def find_key(key: str) -> ApiKey | None:
    """The living key behind this text; compared in constant time, also when there is none.

    A key speaks for who made it: while they are suspended it opens nothing.
    """
    prefix = "_".join(key.split("_")[:2])[:12].replace("\x00", "")
    found = (
        ApiKey.objects.living()
        .select_related("source")
        .filter(prefix=prefix, created_by__is_active=True)
        .first()
    )
    expected = bytes(found.digest) if found else NOBODY
    return found if secrets.compare_digest(expected, digest_of(key)) else None


def note_use(key: ApiKey) -> None:
    """At most one write a minute, whatever the traffic."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - LAST_USED_EVERY)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=Now())


def _state(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "source": key.source and key.source.name,
        "expires": key.expires_at and key.expires_at.isoformat(),
        "per_minute": key.per_minute,
    }
