"""The allow and deny lists: put on, approved, refused, ended. Each change is one verb."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield.audit.record import record
from scoring.engine.keys import entity_key, folded_key
from scoring.models import ListEntry

LONGEST_ALLOW = timedelta(days=180)
LONGEST_VALUE = {"merchant": 200}  # others: 128, as in a transaction
Kind, State = ListEntry.Kind, ListEntry.State
TOUCH = """
INSERT INTO scoring_listversion (id, version) VALUES (1, 1)
ON CONFLICT (id) DO UPDATE SET version = scoring_listversion.version + 1
"""


class Refused(Exception):
    """The lists do not allow this; the message is a sentence, `field` what it is about."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class Already(Refused):
    """It stands there already; nothing has to be done."""


@dataclass(frozen=True)
class Wish:
    """Whom somebody wants on which list, why, and until when."""

    kind: str
    entity: str
    value: str
    reason: str
    expires_at: datetime | None = None


@transaction.atomic
def put(*, by: Any, wish: Wish, behind: str = "") -> ListEntry:
    """Put one entity on a list: denied at once, allowed when a second person approved it.

    A deny entry is in force in every process within two seconds of the commit.
    """
    wish = checked(wish)
    key = key_of(wish)
    touch()  # first: of two people at once the second sees what the first one put
    end_run_out()
    _not_listed(wish, key)
    entry = unsaved(wish, by=by, behind=behind)
    entry.save()
    record(by=by, action="list.added", object=entry, after=_state(entry))
    return entry


@transaction.atomic
def approve(*, by: Any, entry: ListEntry) -> ListEntry:
    """Put a proposed entry into force. Never by the person who proposed it."""
    entry = _locked(entry)
    _waits(entry)
    if not (by.is_lead or by.may("user.manage")):
        raise Refused(_("A lead or an admin approves {entry}.").format(entry=entry))
    if entry.four_eyes and entry.proposed_by_id == by.pk:
        raise Refused(
            _("You proposed {entry}. A second person has to approve it.").format(entry=entry)
        )
    entry.state, entry.approved_by, entry.in_force_since = State.ACTIVE, by, timezone.now()
    entry.save(update_fields=["state", "approved_by", "in_force_since"])
    touch()
    record(by=by, action="list.approved", object=entry, after=_state(entry))
    return entry


@transaction.atomic
def end(*, by: Any, entry: ListEntry, reason: str) -> ListEntry:
    """Take it off the list, or withdraw or refuse what was proposed. The row stays."""
    entry = _locked(entry)
    if entry.state == State.ENDED:
        raise Refused(_("{entry} has ended already.").format(entry=entry))
    if not reason.strip():
        raise Refused(_("Say why it ends."), "reason")
    before = _state(entry)
    entry.state, entry.ended_at = State.ENDED, timezone.now()
    entry.ended_by, entry.ended_because = by, reason.strip()[:500]
    entry.save(update_fields=["state", "ended_by", "ended_at", "ended_because"])
    touch()
    record(by=by, action="list.ended", object=entry, before=before, after=_state(entry))
    return entry


@transaction.atomic
def end_run_out() -> int:
    """Mark those whose time is over. They have no effect since that moment; this is bookkeeping."""
    over = list(ListEntry.objects.run_out().select_for_update(skip_locked=True))
    for entry in over:
        before = _state(entry)
        entry.state, entry.ended_at = State.ENDED, entry.expires_at
        entry.ended_because = _("Its time was over.")
        entry.save(update_fields=["state", "ended_at", "ended_because"])
        record(by="system", action="list.ended", object=entry, before=before, after=_state(entry))
    return len(over)


def checked(wish: Wish) -> Wish:
    """The wish as it is stored; Refused with the field that is wrong."""
    value, reason, now = " ".join(wish.value.split()), wish.reason.strip(), timezone.now()
    if wish.kind not in Kind.values:
        raise Refused(_("The list is deny or allow."), "kind")
    if wish.entity not in ListEntry.Entity.values:
        raise Refused(_("Listed are users, cards, devices and merchants."), "entity")
    if wish.entity != "merchant":
        value = wish.value.strip()  # ids are compared to the letter, names are folded
    if not value or "\x00" in value:
        raise Refused(_("Say which {entity}.").format(entity=wish.entity), "value")
    if len(value) > LONGEST_VALUE.get(wish.entity, 128):
        raise Refused(
            _("No {entity} is called that: it is too long.").format(entity=wish.entity), "value"
        )
    if not reason or len(reason) > 500 or "\x00" in reason:
        raise Refused(_("Say why, in at most 500 characters."), "reason")
    if wish.expires_at is None and wish.kind == Kind.ALLOW:
        raise Refused(_("An allow entry needs an end."), "expires")
    if wish.expires_at is not None and wish.expires_at <= now:
        raise Refused(_("The end is past already."), "expires")
    if wish.kind == Kind.ALLOW and wish.expires_at and wish.expires_at > now + LONGEST_ALLOW:
        raise Refused(
            _("Allowed is at most {days} days.").format(days=LONGEST_ALLOW.days), "expires"
        )
    return Wish(wish.kind, wish.entity, value, reason, wish.expires_at)


def key_of(wish: Wish) -> int:
    """The key under which the engine sees it: of a merchant, whatever its case and spacing."""
    return folded_key(wish.value) if wish.entity == "merchant" else entity_key(wish.value)


def unsaved(wish: Wish, *, by: Any, behind: str = "") -> ListEntry:
    """The entry of a checked wish: denied at once, allowed later unless one person is enough."""
    alone = not settings.FOUR_EYES
    active = wish.kind == Kind.DENY or alone
    return ListEntry(
        kind=wish.kind,
        entity=wish.entity,
        key=key_of(wish),
        value=wish.value,
        reason=wish.reason,
        behind=behind[:80],
        expires_at=wish.expires_at,
        state=State.ACTIVE if active else State.PROPOSED,
        proposed_by=by,
        proposed_at=timezone.now(),
        four_eyes=not alone,
        approved_by=by if active and wish.kind == Kind.ALLOW else None,
        in_force_since=timezone.now() if active else None,
    )


def living_like(wishes: Sequence[tuple[Wish, int]]) -> dict[tuple[str, str, int], ListEntry]:
    """What stands already about these keys, on either list."""
    found = ListEntry.objects.living().filter(key__in=[key for _unused, key in wishes])
    return {(one.kind, one.entity, one.key): one for one in found}


def in_the_way(wish: Wish, key: int, stands: dict[tuple[str, str, int], ListEntry]) -> None:
    """Raise if it is listed already, or allowed where it is denied."""
    if same := stands.get((wish.kind, wish.entity, key)):
        which = _("the {kind} list already").format(kind=wish.kind.lower())
        raise Already(
            _("This {entity} is on {which}: {same}.").format(
                entity=wish.entity, which=which, same=same
            ),
            "value",
        )
    if wish.kind == Kind.ALLOW and (denied := stands.get((Kind.DENY, wish.entity, key))):
        raise Refused(
            _("This {entity} is on the deny list: end {denied} first.").format(
                entity=wish.entity, denied=denied
            ),
            "value",
        )


def touch() -> None:
    """Have every process read the lists again, once this transaction has committed."""
    with connection.cursor() as cursor:
        cursor.execute(TOUCH)


def _not_listed(wish: Wish, key: int) -> None:
    in_the_way(wish, key, living_like([(wish, key)]))


def _locked(entry: ListEntry) -> ListEntry:
    locked = ListEntry.objects.select_for_update(of=("self",)).select_related("proposed_by")
    return locked.get(pk=entry.pk)


def _waits(entry: ListEntry) -> None:
    if entry.state == State.ACTIVE:
        raise Refused(_("{entry} is in force already.").format(entry=entry))
    if entry.state == State.ENDED:
        raise Refused(_("{entry} has ended. Propose it again.").format(entry=entry))
    if entry.expires_at and entry.expires_at <= timezone.now():
        raise Refused(
            _("The time of {entry} is over. Propose it again with another end.").format(entry=entry)
        )


def _state(entry: ListEntry) -> dict[str, Any]:
    """For the trail, which cannot be erased: no value and no words of people."""
    return {
        "list": entry.kind,
        "entity": entry.entity,
        "state": entry.state,
        "expires": entry.expires_at and entry.expires_at.isoformat(),
        "behind": entry.behind,
    }
