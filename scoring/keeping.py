"""Who keeps a source: sees it, its files and what was refused of them. By grant, as with queues."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q, QuerySet
from guardian.shortcuts import assign_perm, get_users_with_perms, remove_perm

from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import ENGINEER
from anomalyshield.audit.record import record
from scoring.models import Source

RIGHT = "scoring.use_source"


def team() -> Group:
    """All data engineers, of whom each holds what the group holds."""
    return Group.objects.get_or_create(name=ENGINEER)[0]


def engineers() -> "QuerySet[User]":
    """Who can be given a source: whoever sees sources at all, but admins, who see each anyway."""
    return User.objects.filter(groups__name=ENGINEER, is_active=True).order_by("username")


def keepers(source: Source) -> "QuerySet[User]":
    """The persons to whom it is granted by name."""
    named = get_users_with_perms(
        source, with_group_users=False, only_with_perms_in=[RIGHT.partition(".")[2]]
    )
    return named.order_by("username")


def eligible(source: Source) -> "QuerySet[User]":
    """Who can be named: engineers, and whoever holds it already, to be kept or dropped."""
    either = Q(pk__in=engineers()) | Q(pk__in=keepers(source))
    return User.objects.filter(either).order_by("username")


def kept_by_team(source: Source) -> bool:
    return source.teams().filter(group__name=ENGINEER).exists()


def grant_new(source: Source, *, by: Any) -> None:
    """A new source is its maker's; every engineer has it already, by the model's own hand."""
    if isinstance(by, User):
        assign_perm(RIGHT, by, source)


@transaction.atomic
def set_keepers(*, by: User, source: Source, people: Iterable[User], whole_team: bool) -> Source:
    """From now on these persons keep it, or all data engineers. Admins always see it."""
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    before, wanted = _told(source), set(people)
    known = set(keepers(source))
    for person in wanted - known:
        assign_perm(RIGHT, person, source)
    for person in known - wanted:
        remove_perm(RIGHT, person, source)
    (assign_perm if whole_team else remove_perm)(RIGHT, team(), source)
    if (after := _told(source)) != before:
        record(by=by, action="source.keepers", object=source, before=before, after=after)
    return source


def _told(source: Source) -> dict[str, Any]:
    names = list(keepers(source).values_list("username", flat=True))
    return {"all_engineers": kept_by_team(source), "people": names}
