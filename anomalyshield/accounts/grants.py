"""Rights on single objects, given to a person or to one of their groups, as part of a query."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import BigIntegerField, Q
from django.db.models.functions import Cast
from guardian.models import GroupObjectPermission, UserObjectPermission


def granted(user: Any, right: str) -> Q:
    """The objects on which this person holds `app.codename`, themselves or through a group.

    guardian keeps object ids as text and asks two queries per has_perm; these nest into ours.
    """
    app, _, codename = right.partition(".")
    named = Permission.objects.filter(content_type__app_label=app, codename=codename).values("pk")
    number = Cast("object_pk", BigIntegerField())
    own = UserObjectPermission.objects.filter(permission__in=named, user_id=user.pk)
    teams = GroupObjectPermission.objects.filter(permission__in=named, group__user=user.pk)
    return Q(pk__in=own.values(found=number)) | Q(pk__in=teams.values(found=number))
