"""Tasks of a case, for programs."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers as s
from rest_framework.request import Request

from anomalyshield.rest.paging import latest_first
from anomalyshield.rest.resource import Resource, does
from anomalyshield.rest.shapes import Flag, Listed, Moment, Person, Strict, Text, page
from cases import tasks
from cases.api import analyst
from cases.forms import LENGTH
from cases.models import CaseTask
from cases.states import Refused
from cases.views import find


class TaskChangeIn(Strict):
    """What changes; what is not named stays."""

    title = Text(max_length=300, required=False)
    detail = Text(max_length=LENGTH, required=False, allow_blank=True)
    required = Flag(required=False, help_text="Without it, closing the case asks for a reason")
    owner = Text(max_length=150, required=False, allow_null=True, help_text="By user name")
    due_at = Moment(required=False, allow_null=True)


class TaskIn(TaskChangeIn):
    """One more thing to do."""

    title = Text(max_length=300)


class TickIn(Strict):
    """Whether it is done."""

    done = Flag()


class TaskMoveIn(Strict):
    """One place up, or down."""

    up = Flag()


class TaskOut(s.ModelSerializer):
    """A task of a case, in its place."""

    owner = Person()
    made_by = Person()
    done_by = Person()
    done_at = s.DateTimeField(allow_null=True)
    due_at = s.DateTimeField(allow_null=True)

    class Meta:
        model = CaseTask
        fields = (
            "id", "place", "title", "detail", "required", "owner", "due_at", "playbook",
            "made_by", "made_at", "done_by", "done_at",
        )  # fmt: skip


class AboutTasks(Resource):
    """The tasks of one case."""

    refusals = (Refused,)

    def one(self, request: Request, pk: int, number: int) -> CaseTask:
        return self.found(_tasks(request, pk), number)


class Tasks(AboutTasks):
    @does("listTasks", "case.view", page(TaskOut), asked=Listed)
    def get(self, request: Request, pk: int, asked: dict[str, Any]) -> dict[str, Any]:
        """The tasks of a case; the one made last comes first, `place` says their order."""
        return latest_first(_tasks(request, pk), asked)

    @does("addTask", "case.work", TaskOut, body=TaskIn, status=201)
    def post(self, request: Request, pk: int, given: dict[str, Any]) -> CaseTask:
        """Add something to do to an open case."""
        return tasks.add(by=request.user, case=find(request, pk), **_named(given))


class OneTask(AboutTasks):
    @does("changeTask", "case.work", TaskOut, body=TaskChangeIn, versioned=True)
    def patch(self, request: Request, pk: int, number: int, given: dict[str, Any]) -> CaseTask:
        """Change what a task says, whose it is or until when."""
        tasks.change(by=request.user, task=self.one(request, pk, number), **_named(given))
        return self.one(request, pk, number)


class Tick(AboutTasks):
    @does("tickTask", "case.work", TaskOut, body=TickIn, versioned=True)
    def post(self, request: Request, pk: int, number: int, given: dict[str, Any]) -> CaseTask:
        """Say that a task is done, or that it is not."""
        tasks.tick(by=request.user, task=self.one(request, pk, number), **given)
        return self.one(request, pk, number)


class Move(AboutTasks):
    @does("moveTask", "case.work", TaskOut, body=TaskMoveIn, versioned=True)
    def post(self, request: Request, pk: int, number: int, given: dict[str, Any]) -> CaseTask:
        """Change places with the task before or behind."""
        tasks.move(by=request.user, task=self.one(request, pk, number), **given)
        return self.one(request, pk, number)


def _tasks(request: Request, pk: int) -> QuerySet[CaseTask]:
    return find(request, pk).tasks.select_related("owner", "made_by", "done_by", "case")


def _named(given: dict[str, Any]) -> dict[str, Any]:
    if given.get("owner") is not None:
        given["owner"] = analyst(given["owner"], "/owner")
    return given
