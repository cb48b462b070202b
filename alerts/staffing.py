"""Queues and who works them: membership is a guardian grant on the queue."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import slugify
from guardian.shortcuts import assign_perm, get_users_with_perms, remove_perm

from alerts.models import Queue
from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import ANALYST
from anomalyshield.audit.record import record

RIGHT = "alerts.work_queue"


def analysts() -> "QuerySet[User]":
    """Who can be given a queue: whoever decides alerts."""
    return User.objects.filter(groups__name=ANALYST, is_active=True).order_by("username")


def workers(queue: Queue) -> "QuerySet[User]":
    """The persons to whom it is granted by name."""
    right = RIGHT.partition(".")[2]
    named = get_users_with_perms(queue, with_group_users=False, only_with_perms_in=[right])
    return named.order_by("username")


@transaction.atomic
def make_queue(*, by: Any, name: str, sla_minutes: int, people: Iterable[User]) -> Queue:
    """A new pile. Nothing comes into it until a route says so."""
    made = Queue.objects.create(name=name, slug=_slug(name), sla_minutes=sla_minutes)
    record(by=by, action="queue.made", object=made, after=_told(made))
    return staff(by=by, queue=made, name=name, sla_minutes=sla_minutes, people=people)


@transaction.atomic
def staff(*, by: Any, queue: Queue, name: str, sla_minutes: int, people: Iterable[User]) -> Queue:
    """From now on it is called this, is worked within this time, and by these persons."""
    queue = Queue.objects.select_for_update(no_key=True).get(pk=queue.pk)
    before, wanted, known = _told(queue), set(people), set(workers(queue))
    queue.name, queue.sla_minutes = name, sla_minutes
    queue.save(update_fields=["name", "sla_minutes"])
    for person in wanted - known:
        assign_perm(RIGHT, person, queue)
    for person in known - wanted:
        remove_perm(RIGHT, person, queue)
    if (after := _told(queue)) != before:
        record(by=by, action="queue.staffed", object=queue, before=before, after=after)
    return queue


def _slug(name: str) -> str:
    """Of its first name; a number is put behind it while another queue has it."""
    wanted, number = slugify(name)[:70] or "queue", 1
    slug = wanted
    while Queue.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _told(queue: Queue) -> dict[str, Any]:
    people = list(workers(queue).values_list("username", flat=True))
    return {"name": queue.name, "sla_minutes": queue.sla_minutes, "people": people}
