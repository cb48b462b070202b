"""Making people, giving them roles, suspending them."""

import secrets
from collections.abc import Sequence

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _

from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import ADMIN, TITLES
from anomalyshield.accounts.sessions import end_all
from anomalyshield.accounts.signals import suspended
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import masked_if

HINTS = ("queue", "alert", "case", "model")  # pages that begin with a few words, once


class Refused(ValueError):
    """Why an account was not made or changed."""


def new_password() -> str:
    """A password nobody has to invent: 120 random bits, shown once."""
    return secrets.token_urlsafe(15)


@transaction.atomic
def make_user(
    *,
    by: User | str,
    username: str,
    roles: list[str],
    full_name: str = "",
    is_lead: bool = False,
    may_unmask: bool = False,
    email: str = "",
) -> tuple[User, str]:
    """The person and their first password, which is not kept anywhere in clear."""
    if User.objects.filter(username__iexact=username).exists():
        raise Refused(_("There is already a user named {username}.").format(username=username))
    _only_what_one_holds(by, may_unmask)
    first, _unused, last = full_name.strip().partition(" ")
    user = User(username=username, first_name=first, last_name=last, email=email)
    user.is_lead, user.may_unmask = is_lead, may_unmask
    password = new_password()
    user.set_password(password)
    user.save()
    _set_roles(user, roles)
    record(by=by, action="user.made", object=user, after=_state(user))
    return user, password


@transaction.atomic
def change_user(
    *,
    by: User,
    user: User,
    roles: list[str] | None = None,
    is_lead: bool | None = None,
    is_active: bool | None = None,
    may_unmask: bool | None = None,
    email: str | None = None,
) -> User:
    """New roles, standing, address; None stays. Nobody changes themselves; an admin remains.

    A suspended person's sessions and tokens end, the keys they made stop working while it lasts,
    and what they were working on goes back.
    """
    if by.pk == user.pk:
        raise Refused(_("Nobody changes their own roles; ask another admin."))
    admins = _lock_admins()
    user = User.objects.select_for_update().get(pk=user.pk)
    before = _state(user)
    roles = _roles_of(user) if roles is None else roles
    is_lead = user.is_lead if is_lead is None else is_lead
    is_active = user.is_active if is_active is None else is_active
    if user in admins and not (ADMIN in roles and is_active) and admins == [user]:
        raise Refused(_("This is the last admin; make another one first."))
    if may_unmask is not None and may_unmask != user.may_unmask:
        _only_what_one_holds(by, may_unmask)
        user.may_unmask = may_unmask
    user.is_lead, user.is_active = is_lead, is_active
    user.email = user.email if email is None else email
    user.save(update_fields=["is_lead", "is_active", "may_unmask", "email"])
    _set_roles(user, roles)
    if not is_active:
        end_all(user)
    if before["active"] and not is_active:
        suspended.send(sender=User, by=by, user=user)
    if (after := _state(user)) != before:
        record(by=by, action="user.changed", object=user, before=before, after=after)
    return user


@transaction.atomic
def choose_timezone(*, by: User, timezone: str) -> User:
    """How times read for this person from now on; inside everything stays in UTC."""
    before = {"timezone": by.timezone}
    by.timezone = timezone
    by.save(update_fields=["timezone"])
    if before["timezone"] != timezone:
        record(
            by=by, action="profile.changed", object=by, before=before, after={"timezone": timezone}
        )
    return by


@transaction.atomic
def choose_language(*, by: User, language: str) -> User:
    """In which language pages speak to this person from now on; empty: as the browser asks."""
    before, by.language = {"language": by.language}, language
    by.save(update_fields=["language"])
    if before["language"] != language:
        record(
            by=by, action="profile.changed", object=by, before=before, after={"language": language}
        )
    return by


@transaction.atomic
def choose_hints(*, by: User, closed: Sequence[str]) -> User:
    """Which pages no longer begin with their first words; none: all of them are told again.

    No event: it is a look, as with the columns of a queue.
    """
    by.displays = {**by.displays, "hints_closed": sorted({*closed} & {*HINTS})}
    by.save(update_fields=["displays"])
    return by


@transaction.atomic
def choose_keys(*, by: User, keys: bool) -> User:
    """Whether single letters act on their pages from now on."""
    before, by.keys = {"keys": by.keys}, keys
    by.save(update_fields=["keys"])
    if before["keys"] != keys:
        record(by=by, action="profile.changed", object=by, before=before, after={"keys": keys})
    return by


@transaction.atomic
def give_new_password(*, by: User | str, user: User) -> str:
    """For someone who lost theirs; whoever was logged in as them is not any more."""
    if getattr(by, "pk", None) == user.pk:
        raise Refused(_("Change your own password from the menu with your name."))
    password = new_password()
    user.set_password(password)
    user.save(update_fields=["password"])
    end_all(user)
    record(by=by, action="user.changed", object=user, reason="new password")
    return password


def _roles_of(user: User) -> list[str]:
    """Asked anew: what the object remembers may be older than the lock."""
    return list(user.groups.filter(name__in=TITLES).values_list("name", flat=True))


def _set_roles(user: User, roles: list[str]) -> None:
    if unknown := set(roles) - set(TITLES):
        raise Refused(_("Unknown role: {unknown}.").format(unknown=", ".join(sorted(unknown))))
    user.groups.set(Group.objects.filter(name__in=roles))


def _only_what_one_holds(by: User | str, may_unmask: bool) -> None:
    """Roles are an admin's to give; a right of one person over another's data is not."""
    if may_unmask and isinstance(by, User) and not by.may_unmask:
        raise Refused(_("Only someone who may see personal data can give that right."))


def _lock_admins() -> list[User]:
    """Everyone who is admin now. Locked, so that two admins suspending each other take turns."""
    admins = User.objects.filter(groups__name=ADMIN, is_active=True).order_by("pk")
    return list(admins.select_for_update(of=("self",)))


def _state(user: User) -> dict[str, object]:
    return {
        "roles": sorted(user.groups.values_list("name", flat=True)),
        "lead": user.is_lead,
        "unmask": user.may_unmask,
        "active": user.is_active,
        "email": masked_if(user.email, True),  # the trail cannot forget: its ends are enough
    }
