"""Tasks of a case: added, changed, ticked off, put into another order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from anomalyshield.audit.record import record
from cases.models import Case, CaseEvent, CaseTask
from cases.states import Refused, takes_content
from cases.steps import locked, tell

Kind = CaseEvent.Kind
MOST = 60  # of one case


@transaction.atomic
def add(
    *,
    by: Any,
    case: Case,
    title: str,
    detail: str = "",
    required: bool = True,
    owner: Any = None,
    due_at: datetime | None = None,
    playbook: str = "",
) -> CaseTask:
    """One more thing to do, behind the others."""
    case = locked(case)
    takes_content(case)
    last = case.tasks.aggregate(last=Max("place"))["last"] or 0
    if case.tasks.count() >= MOST:
        raise Refused(f"{case} has {MOST} tasks: do some first.")
    _works(case, owner)
    task = CaseTask.objects.create(
        case=case,
        place=last + 1,
        title=title,
        detail=detail,
        required=required,
        owner=owner,
        due_at=due_at,
        playbook=playbook,
        made_by=by,
    )
    tell(case, Kind.TASK_ADDED, by, title)
    record(by=by, action="case.task_added", object=case, after={"task": task.pk, **_told(task)})
    return task


@transaction.atomic
def change(*, by: Any, task: CaseTask, **values: Any) -> CaseTask:
    """Another title, detail, owner, date, or whether the case can be closed without it."""
    task = _held(task)
    before, titled = _told(task), task.title
    if "owner" in values:
        _works(task.case, values["owner"])
    for name, value in values.items():
        setattr(task, name, value)
    task.save(update_fields=[*values])
    if task.title != titled:
        tell(task.case, Kind.TASK_CHANGED, by, f"{titled} → {task.title}")
    after = {"task": task.pk, **_told(task)}
    record(by=by, action="case.task_changed", object=task.case, before=before, after=after)
    return task


@transaction.atomic
def tick(*, by: Any, task: CaseTask, done: bool) -> CaseTask:
    """Say that it is done, or that it is not after all. Saying it again changes nothing."""
    task = _held(task)
    if done == (task.done_at is not None):
        return task
    task.done_by, task.done_at = (by, timezone.now()) if done else (None, None)
    task.save(update_fields=["done_by", "done_at"])
    tell(task.case, Kind.TASK_DONE if done else Kind.TASK_UNDONE, by, task.title)
    action = "case.task_done" if done else "case.task_undone"
    record(by=by, action=action, object=task.case, after={"task": task.pk})
    return task


@transaction.atomic
def move(*, by: Any, task: CaseTask, up: bool) -> CaseTask:
    """One place up or down; the first stays the first, the last the last."""
    task = _held(task)
    others = task.case.tasks.exclude(pk=task.pk)
    near = (
        others.filter(place__lt=task.place).order_by("-place")
        if up
        else others.filter(place__gt=task.place).order_by("place")
    ).first()
    if near is None:
        return task
    before = {"place": task.place}
    task.place, near.place = near.place, task.place
    CaseTask.objects.bulk_update([task, near], ["place"])
    after = {"task": task.pk, "place": task.place}
    record(by=by, action="case.task_changed", object=task.case, before=before, after=after)
    return task


@transaction.atomic
def copy_steps(
    *, by: Any, case: Case, steps: Sequence[tuple[str, str, bool]], playbook: str
) -> int:
    """The steps of a playbook (title, detail, required) as tasks, once each, in their order; how
    many are new. One entry of the timeline tells of all of them."""
    case = locked(case)
    takes_content(case)
    known = set(case.tasks.filter(playbook=playbook).values_list("title", flat=True))
    last = case.tasks.aggregate(last=Max("place"))["last"] or 0
    wanted = [one for one in steps if one[0] not in known][: max(0, MOST - last)]
    made = [
        CaseTask(
            case=case, place=place, title=title, detail=detail, required=required,
            playbook=playbook, made_by=by,
        )
        for place, (title, detail, required) in enumerate(wanted, last + 1)
    ]  # fmt: skip
    CaseTask.objects.bulk_create(made)
    if made:
        tell(case, Kind.TASK_ADDED, by, f"{len(made)} steps of {playbook}")
        after = {"tasks": len(made), "playbook": playbook}
        record(by=by, action="case.task_added", object=case, after=after)
    return len(made)


def left_open(case: Case) -> list[str]:
    """The titles of what should be done before it is closed."""
    return list(case.tasks.demanded().values_list("title", flat=True))


def _held(task: CaseTask) -> CaseTask:
    case = locked(task.case)
    takes_content(case)
    found = CaseTask.objects.select_for_update(of=("self",)).get(pk=task.pk)
    found.case = case
    return found


def _works(case: Case, owner: Any) -> None:
    if owner is None:
        return
    if not (owner.may("case.work") and Case.objects.visible_to(owner).filter(pk=case.pk).exists()):
        raise Refused(f"{owner} does not work cases of these queues.")


def _told(task: CaseTask) -> dict[str, Any]:
    """Without its words: the trail cannot be erased, and people write names into tasks."""
    owner = task.owner.get_username() if task.owner else ""
    due = task.due_at.isoformat() if task.due_at else ""
    return {"owner": owner, "due_at": due, "required": task.required, "place": task.place}
