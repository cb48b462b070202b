"""Queues and who works them, for programs of admins."""

from typing import Any

from rest_framework import serializers as s
from rest_framework.request import Request

from alerts import staffing
from alerts.models import Queue
from anomalyshield.problems import Problem
from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Listed, Strict, Text, Whole, page


class QueueIn(Strict):
    """A queue's name, clock and people."""

    name = Text(max_length=80)
    sla_minutes = Whole(min_value=5, max_value=43_200, required=False, default=240)
    people = s.ListField(
        child=Text(max_length=150),
        max_length=500,
        required=False,
        default=list,
        help_text="Analysts by user name",
    )


class QueueChangeIn(Strict):
    """What changes; what is not named stays."""

    name = Text(max_length=80, required=False)
    sla_minutes = Whole(min_value=5, max_value=43_200, required=False)
    people = s.ListField(child=Text(max_length=150), max_length=500, required=False)


class QueueRowOut(s.ModelSerializer):
    """A queue."""

    class Meta:
        model = Queue
        fields = ("id", "slug", "name", "is_default", "sla_minutes")


class QueueOut(QueueRowOut):
    """A queue and who works it."""

    people = s.SerializerMethodField()

    class Meta(QueueRowOut.Meta):
        fields = (*QueueRowOut.Meta.fields, "people")

    def get_people(self, queue: Queue) -> list[str]:
        return _names(queue)


class AboutQueue(Resource):
    """One queue."""

    def one(self, request: Request, pk: int) -> Queue:
        return self.found(Queue.objects.all(), pk)


class Queues(AboutQueue):
    """The queues."""

    @does("listQueues", "route.view", page(QueueRowOut), asked=Listed)
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """All queues, latest first; routes say what goes where."""
        return latest_first(Queue.objects.all(), asked)

    @does("makeQueue", "user.manage", QueueOut, body=QueueIn, status=201, refused=(409,))
    def post(self, request: Request, given: dict[str, Any]) -> Queue:
        """Make a queue. Nothing comes into it until a route says so."""
        _free(given["name"])
        given["people"] = _people(given["people"])
        return staffing.make_queue(by=request.user, **given)


class OneQueue(AboutQueue):
    @does("readQueue", "user.manage", QueueOut, versioned=True)
    def get(self, request: Request, pk: int) -> Queue:
        """One queue and who works it."""
        return self.one(request, pk)

    @does("staffQueue", "user.manage", QueueOut, body=QueueChangeIn, versioned=True, refused=(409,))
    def patch(self, request: Request, pk: int, given: dict[str, Any]) -> Queue:
        """Say what a queue is called, how soon it is worked, and by whom."""
        queue = self.found(Queue.objects.select_for_update(no_key=True), pk)
        if "name" in given:
            _free(given["name"], but=queue)
        people = _people(given.get("people", _names(queue)), known=queue)
        said = {"name": queue.name, "sla_minutes": queue.sla_minutes, **given, "people": people}
        return staffing.staff(by=request.user, queue=queue, **said)


def _names(queue: Queue) -> list[str]:
    return [person.get_username() for person in staffing.workers(queue)]


def _free(name: str, but: Queue | None = None) -> None:
    taken = Queue.objects.filter(name__iexact=name).exclude(pk=but and but.pk)
    if taken.exists():
        sentence = f"There is a queue called {name} already."
        raise Problem(409, "taken", sentence, pointer="/name")


def _people(names: list[str], known: Queue | None = None) -> list[Any]:
    """Analysts, and whoever works it already, to be kept or dropped."""
    found = {person.get_username(): person for person in staffing.analysts()}
    if known is not None:
        found |= {person.get_username(): person for person in staffing.workers(known)}
    for index, name in enumerate(names):
        if name not in found:
            sentence = "No analyst is called that."
            raise Problem(400, "unknown_user", sentence, pointer=f"/people/{index}")
    return [found[name] for name in names]
