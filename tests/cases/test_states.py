"""States of a case: the table, the verbs that walk it, and the second person at each gate."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from alerts import staffing
from alerts.guards import Refused
from alerts.models import Alert
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from cases import creation, evidence, progress, reopening, workflow
from cases.models import Case, CaseEvent, QueueTerms, Reopening
from cases.states import TABLE, Verb, Who, move, verbs_for
from cases.terms import change_terms
from scoring.models import Label
from tests.alerts import making
from tests.conftest import client_of
from tests.rest import asking

S = Case.Status
pytestmark = pytest.mark.django_db


@pytest.fixture
def bert(cards):
    return making.queue_member("bert", cards)


@pytest.fixture
def case(ana, cards) -> Case:
    return workflow.open_case(by=ana, alerts=[making.alert(cards)])


@pytest.fixture
def strict(cards, adam) -> QueueTerms:
    """Ana's queue asks for a second person to open a case."""
    return change_terms(by=adam, queue=cards, creation_approval=True)


@pytest.fixture
def asked(ana, cards, strict) -> Case:
    return workflow.open_case(by=ana, alerts=[making.alert(cards)])


@pytest.fixture
def closed(ana, bert, case) -> Case:
    case = workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="Stolen.")
    return workflow.approve_closure(by=bert, case=case, seen=case.proposal)


# --- the table
@given(state=st.sampled_from(S), verb=st.sampled_from(Verb), owner=st.booleans())
def test_a_verb_leads_where_the_table_says_or_nowhere(state, verb, owner):
    class Somebody:
        pk, is_lead = (1 if owner else 2), False

        def may(self, action: str) -> bool:
            return False

    case = Case(pk=3, status=state, four_eyes=False, owner=User(pk=1), opened_by_id=1)
    rows = [one for one in TABLE if one.source == state and one.verb == verb]
    if state == S.PENDING_REOPEN_APPROVAL and verb == Verb.REOPEN:
        return  # asks the database who proposed it
    fits = [one for one in rows if one.who != Who.KEEPER or owner]
    if not fits:
        with pytest.raises(Refused):
            move(case, verb, by=Somebody())
        assert case.status == state
        return
    for row in fits:
        case.status = state
        move(case, verb, by=Somebody(), to=row.target)
        assert case.status == row.target


def test_every_state_can_be_reached_and_only_abandoned_is_the_end():
    assert {row.target for row in TABLE} | {S.DRAFT} == set(S)
    assert set(S) - {row.source for row in TABLE} == {S.ABANDONED}


def test_every_way_out_of_waiting_for_approval_to_its_goal_asks_a_second_person():
    goals = {row.verb for row in TABLE if row.who == Who.SECOND}
    assert goals == {Verb.ADMIT, Verb.CLOSE, Verb.REOPEN}
    into = {row for row in TABLE if row.target == S.CLOSED and row.source != S.CLOSED}
    assert {row.who for row in into if row.verb != Verb.LEAVE_CLOSED} == {Who.SECOND}


# --- opening
def test_without_terms_a_case_is_open_at_once(case):
    assert (case.status, case.creation_asked, case.submitted_by) == ("OPEN", False, case.opened_by)


def test_where_the_terms_ask_a_second_person_opens_it(ana, bert, asked):
    assert asked.status == S.PENDING_CREATION_APPROVAL
    assert asked.alerts.get().status == Alert.Status.ESCALATED
    with pytest.raises(Refused, match=r"You asked to open C-\d+\. A second person"):
        creation.admit(by=ana, case=asked, seen=asked.proposal)
    with pytest.raises(Refused, match="changed while you were reading"):
        creation.admit(by=bert, case=asked, seen="something else")
    opened = creation.admit(by=bert, case=asked, seen=asked.proposal)
    assert (opened.status, opened.admitted_by) == ("OPEN", bert)


def test_nothing_is_done_with_a_case_that_nobody_has_approved(ana, asked, cards):
    attempts: list[Callable[[], Any]] = [
        lambda: workflow.add_alert(by=ana, case=asked, alert=making.alert(cards)),
        lambda: evidence.add(by=ana, case=asked, name="a.txt", content=b"x"),
        lambda: workflow.propose_closure(by=ana, case=asked, outcome="REFUTED", findings="x"),
        lambda: progress.start(by=ana, case=asked),
    ]
    for attempt in attempts:
        with pytest.raises(Refused, match="waits for the approval of its opening"):
            attempt()


def test_sent_back_it_is_a_draft_that_can_be_submitted_again(ana, bert, asked):
    draft = creation.send_back(by=bert, case=asked, reason="Which card?")
    assert draft.status == S.DRAFT
    again = creation.submit(by=ana, case=draft)
    assert creation.admit(by=bert, case=again, seen=again.proposal).status == S.OPEN


def test_a_draft_asks_nobody_before_it_is_submitted(ana, cards, strict):
    draft = workflow.open_case(by=ana, alerts=[making.alert(cards)], draft=True)
    assert (draft.status, draft.creation_asked) == ("DRAFT", False)
    assert creation.submit(by=ana, case=draft).status == S.PENDING_CREATION_APPROVAL


def test_with_four_eyes_off_no_terms_ask_for_a_second_person(ana, cards, strict, settings):
    settings.FOUR_EYES = False
    assert workflow.open_case(by=ana, alerts=[making.alert(cards)]).status == S.OPEN


def test_the_database_opens_nothing_for_the_one_who_asked(ana, asked):
    row = Case.objects.filter(pk=asked.pk)
    for person in (ana, None):
        with pytest.raises(IntegrityError, match="opened_by_a_second"), transaction.atomic():
            row.update(status="OPEN", admitted_by=person)
    with pytest.raises(IntegrityError, match="opened_by_a_second"), transaction.atomic():
        row.update(status="OPEN", submitted_by=None, admitted_by=ana)


# --- work
def test_begun_suspended_and_resumed(ana, case):
    assert progress.start(by=ana, case=case).status == S.IN_PROGRESS
    tomorrow = timezone.now() + timedelta(days=1)
    waiting = progress.suspend(
        by=ana, case=case, waits_for="CUSTOMER", reason="Statement", until=tomorrow
    )
    assert (waiting.status, waiting.waits_for, waiting.waits_until) == (
        "SUSPENDED", "CUSTOMER", tomorrow,
    )  # fmt: skip
    with pytest.raises(Refused, match=r"is suspended\. Resume it first"):
        workflow.propose_closure(by=ana, case=case, outcome="REFUTED", findings="x")
    resumed = progress.resume(by=ana, case=case, why="It came.")
    assert (resumed.status, resumed.waits_for, resumed.waits_until) == ("IN_PROGRESS", "", None)
    texts = list(case.timeline.values_list("kind", "text"))
    assert ("SUSPENDED", "Waits for the customer: Statement") in texts
    assert texts[-1] == ("RESUMED", "It came.")


def test_nobody_waits_until_yesterday(ana, case):
    with pytest.raises(Refused, match="still to come"):
        progress.suspend(by=ana, case=case, waits_for="BANK", reason="x", until=timezone.now())
    case.refresh_from_db()
    assert case.status == S.OPEN


def test_a_new_alert_wakes_a_suspended_case(ana, cards, case):
    progress.suspend(by=ana, case=case, waits_for="BANK", reason="x")
    assert workflow.escalate(by=ana, alert=making.alert(cards)).status == S.IN_PROGRESS


def test_its_owner_or_a_lead_hands_it_over_to_whoever_sees_it(ana, lena, bert, case):
    making.queue("cards", lena)
    stranger = making.queue_member("ines")
    with pytest.raises(Refused, match="Ines does not work cases of these queues"):
        progress.hand_over(by=ana, case=case, to=stranger)
    with pytest.raises(Refused, match="is Ana's"):
        progress.hand_over(by=bert, case=case, to=bert)
    assert progress.hand_over(by=ana, case=case, to=bert).owner == bert
    assert progress.hand_over(by=lena, case=case, to=ana).owner == ana
    assert AuditEvent.objects.filter(action="case.handed_over").count() == 2


def test_what_was_no_case_gives_its_alerts_back(ana, bert, case, cards):
    decided = making.alert(cards)
    workflow.add_alert(by=ana, case=case, alert=decided)
    with pytest.raises(Refused, match="is Ana's"):
        progress.abandon(by=bert, case=case, reason="x")
    abandoned = progress.abandon(by=ana, case=case, reason="Opened by a slip.")
    assert abandoned.status == S.ABANDONED
    assert not abandoned.is_open
    for alert in abandoned.alerts.all():
        assert (alert.status, alert.assignee, alert.disposition) == ("NEW", None, "")
    with pytest.raises(Refused, match="was abandoned by Ana"):
        workflow.add_note(by=ana, case=abandoned, text="x")
    assert workflow.escalate(by=ana, alert=decided) != abandoned


def test_an_alert_of_two_cases_stays_out_of_the_line_while_one_goes_on(ana, case, cards):
    alert = case.alerts.get()
    other = workflow.open_case(by=ana, alerts=[alert])
    progress.abandon(by=ana, case=other, reason="Twice.")
    alert.refresh_from_db()
    assert alert.status == Alert.Status.ESCALATED


def test_work_that_was_begun_is_closed_not_abandoned(ana, case):
    progress.start(by=ana, case=case)
    with pytest.raises(Refused, match=r"is in progress: you cannot abandon it now"):
        progress.abandon(by=ana, case=case, reason="x")


# --- reopening
def test_a_closed_case_is_reopened_by_two_and_its_verdicts_stay(ana, bert, closed):
    waits = reopening.ask(by=ana, case=closed, reason="Another card of hers.")
    assert (waits.status, waits.is_open) == ("PENDING_REOPEN_APPROVAL", False)
    with pytest.raises(Refused, match=r"You asked to reopen C-\d+\. A second person"):
        reopening.approve(by=ana, case=waits, seen=waits.proposal)
    again = reopening.approve(by=bert, case=waits, seen=waits.proposal)
    assert (again.status, again.closed_by, again.closed_at) == ("IN_PROGRESS", None, None)
    alert = again.alerts.get()
    assert (alert.status, alert.disposition) == ("CLOSED", "TRUE_POSITIVE_FRAUD")
    assert Label.objects.standing().get(transaction=alert.transaction).value == "TRUE_FRAUD"
    proposed = workflow.propose_closure(by=bert, case=again, outcome="REFUTED", findings="No.")
    assert workflow.approve_closure(by=ana, case=proposed, seen=proposed.proposal).closed_by == ana
    alert.refresh_from_db()
    assert alert.disposition == "TRUE_POSITIVE_FRAUD"


def test_refused_it_stays_closed_and_can_be_asked_again(ana, bert, closed):
    first = reopening.ask(by=ana, case=closed, reason="Look again.")
    seen = first.proposal
    left = reopening.refuse(by=bert, case=first, reason="Nothing new.")
    assert (left.status, left.closed_by) == ("CLOSED", bert)
    second = reopening.ask(by=ana, case=left, reason="Now there is.")
    with pytest.raises(Refused, match="changed while you were reading"):
        reopening.approve(by=bert, case=second, seen=seen)
    assert [one.state for one in closed.reopenings.all()] == ["REFUSED", "ASKED"]


def test_one_person_alone_reopens_at_once_where_the_house_says_so(ana, closed, settings):
    settings.FOUR_EYES = False
    assert reopening.ask(by=ana, case=closed, reason="x").status == S.IN_PROGRESS


def test_answers_to_what_nobody_asked_are_refused(ana, bert, case, closed):
    for verb in (reopening.approve, creation.admit):
        with pytest.raises(Refused, match=r"Nobody has asked|was closed by Bert"):
            verb(by=bert, case=closed, seen="x")
    with pytest.raises(Refused, match="Nobody has asked to reopen"):
        reopening.refuse(by=bert, case=closed, reason="x")


def test_the_database_reopens_nothing_for_the_one_who_asked(ana, closed):
    reopening.ask(by=ana, case=closed, reason="x")
    row = Reopening.objects.filter(case=closed)
    for person in (ana, None):
        with pytest.raises(IntegrityError, match="reopened_by_a_second"), transaction.atomic():
            row.update(state="APPROVED", answered_by=person)


# --- any verbs, any people, any order
def walk(dice: Random, people: list[Any], case: Case) -> None:
    """One random verb by a random person; refusals change nothing."""
    by, before = dice.choice(people), (case.status, case.timeline.count())
    trail = AuditEvent.objects.filter(object_type="cases.case", outcome="DONE")
    written = trail.count()
    seen = case.proposal
    acts: list[Callable[[], Any]] = [
        lambda: creation.submit(by=by, case=case),
        lambda: creation.admit(by=by, case=case, seen=seen),
        lambda: creation.send_back(by=by, case=case, reason="x"),
        lambda: progress.start(by=by, case=case),
        lambda: progress.suspend(by=by, case=case, waits_for="BANK", reason="x"),
        lambda: progress.resume(by=by, case=case),
        lambda: workflow.propose_closure(by=by, case=case, outcome="CONFIRMED", findings="x"),
        lambda: workflow.propose_closure(by=by, case=case, outcome="REFUTED", findings="x"),
        lambda: workflow.approve_closure(by=by, case=case, seen=seen),
        lambda: workflow.approve_closure(by=by, case=case, seen=seen),
        lambda: workflow.return_case(by=by, case=case, reason="x"),
        lambda: reopening.ask(by=by, case=case, reason="x"),
        lambda: reopening.approve(by=by, case=case, seen=seen),
        lambda: reopening.refuse(by=by, case=case, reason="x"),
    ]
    if dice.random() < 0.03:
        acts = [lambda: progress.abandon(by=by, case=case, reason="x")]
    try:
        dice.choice(acts)()
    except Refused:
        case.refresh_from_db()
        assert (case.status, case.timeline.count(), trail.count()) == (*before, written)
        return
    case.refresh_from_db()
    steps = {(row.source, row.target) for row in TABLE}
    assert (before[0], case.status) in steps
    assert case.timeline.count() == before[1] + 1
    assert trail.count() == written + 1


@pytest.mark.parametrize("seed", range(4))
def test_random_verbs_by_random_people_reach_no_forbidden_state(ana, lena, bert, cards, adam, seed):
    making.queue("cards", lena)
    dice = Random(seed)
    change_terms(by=adam, queue=cards, creation_approval=seed % 2 == 0)
    case = workflow.open_case(by=ana, alerts=[making.alert(cards)], draft=seed > 1)
    for _ in range(60):
        walk(dice, [ana, lena, bert], case)
        if case.status in ("CLOSED", "PENDING_REOPEN_APPROVAL"):
            assert case.closed_by_id not in (None, case.proposed_by_id)
        if case.creation_asked and case.status not in (
            "DRAFT", "PENDING_CREATION_APPROVAL", "ABANDONED",
        ):  # fmt: skip
            assert case.admitted_by_id not in (None, case.submitted_by_id)
        for one in case.reopenings.filter(state="APPROVED"):
            assert one.answered_by_id not in (None, one.asked_by_id)
    assert case.timeline.count() > 3


def test_what_may_be_done_is_what_the_table_says(ana, bert, case):
    assert verbs_for(case, ana) == {Verb.START, Verb.SUSPEND, Verb.PROPOSE, Verb.ABANDON}
    assert verbs_for(case, bert) == {Verb.START, Verb.SUSPEND, Verb.PROPOSE}


# --- terms
def test_terms_are_on_the_trail_and_only_when_they_change(adam, cards):
    change_terms(by=adam, queue=cards, creation_approval=True)
    change_terms(by=adam, queue=cards, creation_approval=True)
    [event] = AuditEvent.objects.filter(action="case.terms_changed")
    assert event.after["creation_approval"] is True
    assert event.object_id == str(cards.pk)


def test_the_timeline_has_words_for_every_kind():
    from cases.telling import GROUPS, WORDS

    assert set(WORDS) == set(CaseEvent.Kind)
    assert set().union(*(members for _, members in GROUPS.values())) == set(CaseEvent.Kind)


def test_analysts_can_be_given_cases(ana, bert):
    assert {ana, bert} <= set(staffing.analysts())


# --- pages
def test_a_case_is_opened_by_two_on_its_pages(ana, bert, asked):
    mine, theirs = client_of(ana), client_of(bert)
    page = mine.get(f"/cases/{asked.pk}/").content.decode()
    assert "You asked for this" in page
    assert "Approve the opening" not in page
    answer = mine.post(f"/cases/{asked.pk}/admit/", {"seen": asked.proposal})
    assert answer.status_code == 409
    assert AuditEvent.objects.get(outcome="DENIED").action == "case.admit"
    page = theirs.get(f"/cases/{asked.pk}/").content.decode()
    seen = page.split('name="seen" value="')[1].split('"')[0]
    theirs.post(f"/cases/{asked.pk}/admit/", {"seen": seen})
    asked.refresh_from_db()
    assert asked.status == S.OPEN


def test_the_steps_of_a_case_on_its_page(as_ana, ana, bert, case):
    def send(what: str, **data: str) -> int:
        return as_ana.post(f"/cases/{case.pk}/{what}/", data).status_code

    assert send("start") == 302
    assert send("suspend", waits_for="CUSTOMER", reason="") == 400
    assert send("suspend", waits_for="NOBODY", reason="x") == 400
    assert send("suspend", waits_for="CUSTOMER", reason="Statement", until="soon") == 400
    assert send("suspend", waits_for="CUSTOMER", reason="Statement", until="2099-01-31") == 302
    assert "the customer" in as_ana.get(f"/cases/{case.pk}/").content.decode()
    assert send("start") == 409
    assert send("resume", why="It came.") == 302
    assert send("hand-over", to="nobody") == 400
    assert send("hand-over", to="bert") == 302
    case.refresh_from_db()
    assert (case.status, case.owner) == ("IN_PROGRESS", bert)
    words = as_ana.get(f"/cases/{case.pk}/?kind=states").content.decode()
    for said in ("began to work on it", "suspended it", "resumed it", "handed it over"):
        assert said in words


def test_reopening_on_its_pages(as_ana, bert, closed):
    assert as_ana.post(f"/cases/{closed.pk}/ask-reopening/", {"reason": ""}).status_code == 400
    as_ana.post(f"/cases/{closed.pk}/ask-reopening/", {"reason": "Another card."})
    theirs = client_of(bert)
    home = theirs.get("/").content.decode()
    assert "asks to reopen" in home
    page = theirs.get(f"/cases/{closed.pk}/").content.decode()
    assert "Another card." in page
    seen = page.split('name="seen" value="')[1].split('"')[0]
    theirs.post(f"/cases/{closed.pk}/reopen/", {"seen": seen})
    closed.refresh_from_db()
    assert closed.status == S.IN_PROGRESS


def test_an_admin_says_where_two_open_a_case(as_adam, as_ana, cards):
    assert as_ana.get("/cases/terms/").status_code == 403
    assert "at once" in as_adam.get("/cases/terms/").content.decode()
    hours = {f"hours_{level}": "16" for level in QueueTerms.LEVELS}
    as_adam.post(f"/cases/terms/{cards.pk}/", {"creation_approval": "on", **hours})
    assert "a second person approves it" in as_adam.get("/cases/terms/").content.decode()
    assert as_adam.post(f"/cases/terms/{cards.pk}/", {**hours, "hours_low": "0"}).status_code == 400
    as_adam.post(f"/cases/terms/{cards.pk}/", hours)
    terms = QueueTerms.objects.get()
    assert (terms.creation_approval, terms.hours("LOW")) == (False, 16)


# --- programs
def test_programs_walk_the_same_way(ana, bert, cards, strict):
    alert = making.alert(cards)
    told = asking.post(ana, "cases", {"alerts": [alert.pk], "draft": True}, 201)
    case = told["id"]
    assert told["status"] == "DRAFT"
    told = asking.post(ana, f"cases/{case}/submit")
    asking.post(ana, f"cases/{case}/admit", {"seen": told["proposal"]}, 409)
    back = asking.post(bert, f"cases/{case}/send-back", {"reason": "Which card?"})
    assert back["status"] == "DRAFT"
    told = asking.post(ana, f"cases/{case}/submit")
    assert asking.post(bert, f"cases/{case}/admit", {"seen": told["proposal"]})["status"] == "OPEN"
    assert asking.post(ana, f"cases/{case}/start")["status"] == "IN_PROGRESS"
    waits = {"waits_for": "BANK", "reason": "Recall.", "until": "2099-01-01T00:00:00Z"}
    assert asking.post(ana, f"cases/{case}/suspend", waits)["waits_for"] == "BANK"
    assert asking.post(ana, f"cases/{case}/resume", {})["status"] == "IN_PROGRESS"
    unknown = asking.post(ana, f"cases/{case}/hand-over", {"to": "nobody"}, 400)
    assert asking.pointers(unknown) == ["/to"]
    assert asking.post(ana, f"cases/{case}/hand-over", {"to": "bert"})["owner"] == "bert"
    asking.post(ana, f"cases/{case}/abandon", {"reason": "x"}, 409)
    closing = {"outcome": "REFUTED", "findings": "Her son."}
    told = asking.post(ana, f"cases/{case}/propose", closing)
    asking.post(bert, f"cases/{case}/approve", {"seen": told["proposal"]})
    told = asking.post(ana, f"cases/{case}/ask-reopening", {"reason": "New card."})
    asking.post(ana, f"cases/{case}/reopen", {"seen": told["proposal"]}, 409)
    left = asking.post(bert, f"cases/{case}/leave-closed", {"reason": "Old card."})
    assert left["reopenings"][0]["answer"] == "Old card."
    told = asking.post(ana, f"cases/{case}/ask-reopening", {"reason": "New card, really."})
    told = asking.post(bert, f"cases/{case}/reopen", {"seen": told["proposal"]})
    assert told["status"] == "IN_PROGRESS"


def test_programs_of_admins_change_terms(adam, ana, cards):
    told = asking.patch(adam, f"cases/terms/{cards.pk}", {"creation_approval": True})
    assert (told["queue"], told["name"], told["creation_approval"]) == (cards.pk, "Cards", True)
    assert asking.get(adam, "cases/terms")["results"] == [told]
    asking.patch(ana, f"cases/terms/{cards.pk}", {}, 403)
    asking.patch(adam, f"cases/terms/{cards.pk}", {"creation_approval": "yes"}, 400)
