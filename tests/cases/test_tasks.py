"""Tasks of a case: their order, who does them, and closing a case without them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts import playbooks
from alerts.guards import Refused
from alerts.models import Alert
from anomalyshield.audit.models import AuditEvent
from cases import tasks, workflow
from cases.models import Case, CaseTask
from tests.alerts import making
from tests.conftest import client_of
from tests.rest import asking

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(ana, cards) -> Case:
    """Without the steps of its playbook."""
    case = workflow.open_case(by=ana, alerts=[making.alert(cards)])
    case.tasks.all().delete()
    return case


@pytest.fixture
def bert(cards):
    return making.queue_member("bert", cards)


def three(ana, case) -> list[CaseTask]:
    titles = ("Call the customer", "Freeze the card", "Tell the other bank")
    return [tasks.add(by=ana, case=case, title=title) for title in titles]


def order(case: Case) -> list[str]:
    return [title.split()[0] for title in case.tasks.values_list("title", flat=True)]


def test_tasks_keep_the_order_they_are_given(ana, case):
    call, freeze, tell = three(ana, case)
    assert order(case) == ["Call", "Freeze", "Tell"]
    tasks.move(by=ana, task=tell, up=True)
    assert order(case) == ["Call", "Tell", "Freeze"]
    tasks.move(by=ana, task=call, up=True)
    tasks.move(by=ana, task=freeze, up=False)
    assert order(case) == ["Call", "Tell", "Freeze"]
    tasks.move(by=ana, task=call, up=False)
    assert order(case) == ["Tell", "Call", "Freeze"]


def test_who_did_it_and_when_is_kept_until_it_is_taken_up_again(ana, bert, case):
    task = three(ana, case)[0]
    done = tasks.tick(by=bert, task=task, done=True)
    assert (done.done_by, done.done_at is not None) == (bert, True)
    assert tasks.tick(by=ana, task=task, done=True).done_by == bert
    again = tasks.tick(by=ana, task=task, done=False)
    assert (again.done_by, again.done_at) == (None, None)
    told = [event.kind for event in case.timeline.all()][-2:]
    assert told == ["TASK_DONE", "TASK_UNDONE"]


def test_the_trail_of_a_task_holds_no_words_of_it(ana, case):
    task = tasks.add(by=ana, case=case, title="Call Mrs Example", detail="0151 …")
    tasks.change(by=ana, task=task, title="Write to Mrs Example")
    trail = AuditEvent.objects.filter(action__startswith="case.task")
    assert [event.action for event in trail.order_by("pk")] == [
        "case.task_added",
        "case.task_changed",
    ]
    assert not [event for event in trail if "Example" in f"{event.before}{event.after}"]


def test_a_task_is_given_to_whoever_sees_the_case(ana, bert, case):
    stranger = making.queue_member("ines")
    with pytest.raises(Refused, match="Ines does not work cases of these queues"):
        tasks.add(by=ana, case=case, title="x", owner=stranger)
    assert tasks.add(by=ana, case=case, title="x", owner=bert).owner == bert


def test_a_case_is_not_closed_without_its_tasks_or_a_reason(ana, bert, case):
    call, freeze, _ = three(ana, case)
    tasks.change(by=ana, task=freeze, required=False)
    tasks.tick(by=ana, task=call, done=True)
    closing = {"outcome": "CONFIRMED", "findings": "Stolen."}
    with pytest.raises(Refused, match="1 task is not done: Tell the other bank"):
        workflow.propose_closure(by=ana, case=case, **closing)
    case.refresh_from_db()
    assert case.status == "OPEN"
    case = workflow.propose_closure(by=ana, case=case, left_open="There is none.", **closing)
    page = client_of(bert).get(f"/cases/{case.pk}/").content.decode()
    assert "There is none." in page
    assert workflow.approve_closure(by=bert, case=case, seen=case.proposal).status == "CLOSED"


def test_tasks_of_a_closed_case_stay_as_they_are(ana, bert, case):
    task = three(ana, case)[0]
    case = workflow.propose_closure(
        by=ana, case=case, outcome="REFUTED", findings="x", left_open="x"
    )
    for attempt in (
        lambda: tasks.tick(by=ana, task=task, done=True),
        lambda: tasks.add(by=ana, case=case, title="x"),
        lambda: tasks.move(by=ana, task=task, up=False),
        lambda: tasks.change(by=ana, task=task, title="x"),
    ):
        with pytest.raises(Refused, match="waits for the approval"):
            attempt()


def test_a_case_begins_with_the_steps_of_its_playbook(ana, bert, cards):
    alert = making.alert(cards, card_id="card-7")
    Alert.objects.filter(pk=alert.pk).update(suspected="CARD_TESTING")
    case = workflow.open_case(by=ana, alerts=[Alert.objects.get()])
    typology = "CARD_TESTING"
    assert list(case.tasks.values_list("title", flat=True)) == playbooks.steps_for(typology)
    assert not case.tasks.demanded().exists()  # they advise: a case is closed without them, too
    count = case.tasks.count()
    said = case.timeline.get(kind="TASK_ADDED").text
    assert said == f"{count} steps of Playbook Card testing"
    workflow.propose_closure(by=ana, case=case, outcome="REFUTED", findings="x")


def test_steps_of_a_playbook_become_tasks_once(ana, case):
    steps = [
        ("Call the customer", "By the number on file", True),
        ("Look at the device", "", False),
    ]
    made = [
        tasks.copy_steps(by=ana, case=case, steps=steps, playbook="Stolen card, version 2")
        for _ in range(2)
    ]
    assert made == [2, 0]
    assert [(one.title, one.required, one.playbook) for one in case.tasks.all()] == [
        ("Call the customer", True, "Stolen card, version 2"),
        ("Look at the device", False, "Stolen card, version 2"),
    ]


def test_there_is_an_end_to_tasks(ana, case, monkeypatch):
    monkeypatch.setattr(tasks, "MOST", 2)
    with pytest.raises(Refused, match="has 2 tasks"):
        three(ana, case)


# --- pages and programs
def test_tasks_on_the_page(as_ana, ana, bert, case):
    where = f"/cases/{case.pk}/tasks/"
    tomorrow = (timezone.now() + timedelta(days=1)).date()
    assert as_ana.post(where, {"title": ""}).status_code == 400
    assert as_ana.post(where, {"title": "x", "owner": "nobody"}).status_code == 400
    assert as_ana.post(where, {"title": "x", "due_at": "soon"}).status_code == 400
    said = {"title": "Call <b>", "owner": "bert", "due_at": f"{tomorrow}", "required": "on"}
    as_ana.post(where, said)
    task = case.tasks.get()
    assert (task.owner, task.required, task.due_at.date()) == (bert, True, tomorrow + timedelta(1))
    page = as_ana.get(f"/cases/{case.pk}/").content.decode()
    assert "Call &lt;b&gt;" in page
    assert "0 of 1 done" in page
    as_ana.post(f"{where}{task.pk}/tick/", {"done": "1"})
    assert "1 of 1 done" in as_ana.get(f"/cases/{case.pk}/").content.decode()
    as_ana.post(f"{where}{task.pk}/tick/", {})
    as_ana.post(f"{where}{task.pk}/", {"title": "Write", "detail": "By post"})
    task.refresh_from_db()
    assert (task.title, task.detail, task.owner, task.required) == ("Write", "By post", None, False)
    assert as_ana.post(f"{where}{task.pk}/move/", {"up": "1"}).status_code == 302
    other = workflow.open_case(by=ana, alerts=[case.alerts.get()])
    assert as_ana.post(f"/cases/{other.pk}/tasks/{task.pk}/tick/", {}).status_code == 404


def test_tasks_for_programs(ana, bert, case, mona):
    where = f"cases/{case.pk}/tasks"
    body = {"title": "Call", "owner": "bert", "due_at": "2099-01-01T12:00:00Z", "required": False}
    made = asking.post(ana, where, body, 201)
    assert (made["owner"], made["required"], made["place"]) == ("bert", False, 1)
    second = asking.post(ana, where, {"title": "Freeze"}, 201)
    assert asking.pointers(asking.post(ana, where, {"title": "x", "owner": "nobody"}, 400)) == [
        "/owner"
    ]
    asking.post(ana, where, {}, 400)
    moved = asking.post(ana, f"{where}/{second['id']}/move", {"up": True})
    assert moved["place"] == 1
    done = asking.post(bert, f"{where}/{made['id']}/tick", {"done": True})
    assert done["done_by"] == "bert"
    changed = asking.patch(ana, f"{where}/{made['id']}", {"owner": None, "detail": ""})
    assert (changed["owner"], changed["title"]) == (None, "Call")
    assert len(asking.get(ana, where)["results"]) == 2
    asking.get(mona, where, 403)
