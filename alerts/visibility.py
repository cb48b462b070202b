"""Who sees which alerts, and how much of them: queues by grant, personal data by right."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission
from django.db.models import BigIntegerField, Q, QuerySet
from django.db.models.functions import Cast
from guardian.models import GroupObjectPermission, UserObjectPermission

if TYPE_CHECKING:
    from alerts.models import Queue


def queues_of(user: Any) -> "QuerySet[Queue]":
    """The queues whose alerts this person may see, as one query that nests into others.

    Whoever works alerts sees the queues granted to them or to one of their groups, and no other,
    whatever further roles they hold. Admins see all; engineers and owners see all, masked.
    """
    from alerts.models import Queue

    if not user.may("alert.view"):
        return Queue.objects.none()
    if user.may("user.manage") or not user.may("alert.work"):
        return Queue.objects.all()
    return Queue.objects.filter(_granted(user))


def masked(user: Any) -> bool:
    """Whether personal data is hidden from this person: they may look, but not work alerts."""
    return not user.may("alert.work")


def _granted(user: Any) -> Q:
    # guardian keeps object ids as text and asks two queries per has_perm; these nest into ours.
    right = Permission.objects.filter(
        content_type__app_label="alerts", codename="work_queue"
    ).values("pk")
    number = Cast("object_pk", BigIntegerField())
    own = UserObjectPermission.objects.filter(permission__in=right, user_id=user.pk)
    teams = GroupObjectPermission.objects.filter(permission__in=right, group__user=user.pk)
    return Q(pk__in=own.values(queue=number)) | Q(pk__in=teams.values(queue=number))
