"""Making people, giving them roles, suspending them."""

import secrets

from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import transaction

from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import ADMIN, TITLES
from anomalyshield.audit.record import record


class Refused(ValueError):
    """Why an account was not made or changed."""


def new_password() -> str:
    """A password nobody has to invent: 20 characters, shown once."""
    return secrets.token_urlsafe(15)


@transaction.atomic
def make_user(
    *, by: User | str, username: str, roles: list[str], full_name: str = "", is_lead: bool = False
) -> tuple[User, str]:
    """The person and their first password, which is not kept anywhere in clear."""
    if User.objects.filter(username__iexact=username).exists():
        raise Refused(f"There is already a user named {username}.")
    first, _, last = full_name.partition(" ")
    user = User(username=username, first_name=first, last_name=last, is_lead=is_lead)
    password = new_password()
    user.set_password(password)
    user.save()
    _set_roles(user, roles)
    record(by=by, action="user.made", object=user, after=_state(user))
    return user, password


@transaction.atomic
def change_user(*, by: User, user: User, roles: list[str], is_lead: bool, is_active: bool) -> User:
    """New roles and standing. Nobody changes themselves, and an admin always remains."""
    if by.pk == user.pk:
        raise Refused("Nobody changes their own roles; ask another admin.")
    user = User.objects.select_for_update().get(pk=user.pk)
    before = _state(user)
    if ADMIN in before["roles"] and not (ADMIN in roles and is_active):
        _another_admin_remains(user)
    user.is_lead, user.is_active = is_lead, is_active
    user.save(update_fields=["is_lead", "is_active"])
    _set_roles(user, roles)
    if not is_active:
        _end_sessions(user)
    record(by=by, action="user.changed", object=user, before=before, after=_state(user))
    return user


def _set_roles(user: User, roles: list[str]) -> None:
    if unknown := set(roles) - set(TITLES):
        raise Refused(f"Unknown role: {', '.join(sorted(unknown))}.")
    user.groups.set(Group.objects.filter(name__in=roles))


def _another_admin_remains(user: User) -> None:
    # Locked in id order, so that two admins removing each other wait instead of both succeeding.
    admins = User.objects.select_for_update(of=("self",)).order_by("pk")
    others = admins.filter(groups__name=ADMIN, is_active=True).exclude(pk=user.pk)
    if not list(others):
        raise Refused("This is the last admin; make another one first.")


def _end_sessions(user: User) -> None:
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()


def _state(user: User) -> dict[str, object]:
    roles = sorted(user.groups.values_list("name", flat=True))
    return {"roles": roles, "lead": user.is_lead, "active": user.is_active}
