"""The pages of cases, as each person of the cast."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from anomalyshield.audit.models import AuditEvent
from cases import progress, views, workflow
from cases.models import Case
from tests.alerts import making
from tests.conftest import client_of
from tests.rest import asking

pytestmark = pytest.mark.django_db
NASTY = "<svg onload=alert(1)>"


@pytest.fixture
def case(ana, cards) -> Case:
    return workflow.open_case(by=ana, alerts=[making.alert(cards)], note="Looks stolen")


@pytest.fixture
def as_lena(lena, cards):
    making.queue("cards", lena)
    return client_of(lena)


def say(client, case: Case, what: str, **data):
    return client.post(f"/cases/{case.pk}/{what}/", data)


def read(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_the_way_of_a_case_through_its_pages(as_ana, as_lena, lena, case):
    say(as_ana, case, "note", text="Called the customer")
    say(as_ana, case, "propose", outcome="CONFIRMED", findings="The card was stolen")
    page = read(as_lena, f"/cases/{case.pk}/")
    for words in ("Looks stolen", "Called the customer", "The card was stolen", "Approve closure"):
        assert words in page
    seen = page.split('name="seen" value="')[1].split('"')[0]
    response = as_lena.post(f"/cases/{case.pk}/approve/", {"seen": seen}, follow=True)
    assert f"{case} is closed: fraud confirmed." in response.content.decode()
    case.refresh_from_db()
    assert (case.status, case.closed_by) == (Case.Status.CLOSED, lena)


def test_the_proposer_sees_no_button_and_is_refused_and_recorded(as_ana, ana, case):
    case = workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="x")
    page = read(as_ana, f"/cases/{case.pk}/")
    assert "Approve closure" not in page
    response = say(as_ana, case, "approve", seen=case.proposal)
    assert response.status_code == 409
    assert "A second person has to approve it." in response.content.decode()
    assert AuditEvent.objects.get(outcome="DENIED").action == "case.close"
    case.refresh_from_db()
    assert case.awaits_approval


def test_an_approval_that_does_not_say_what_was_read_is_refused(as_lena, ana, case):
    workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="x")
    assert say(as_lena, case, "approve").status_code == 409


def test_it_is_sent_back_with_what_is_missing(as_lena, ana, case):
    workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="x")
    assert say(as_lena, case, "return", reason="Which card?").status_code == 302
    assert "Which card?" in read(as_lena, f"/cases/{case.pk}/")
    assert say(as_lena, case, "return", reason="Again?").status_code == 409


def test_a_case_of_a_foreign_queue_does_not_exist(as_ana, lena, loans):
    making.queue("loans", lena)
    case = workflow.open_case(by=lena, alerts=[making.alert(loans)])
    assert as_ana.get(f"/cases/{case.pk}/").status_code == 404
    for what in ("note", "propose", "approve", "return"):
        assert say(as_ana, case, what, text="x", outcome="CONFIRMED").status_code == 404
    assert case.title not in read(as_ana, "/cases/")


def test_of_a_shared_case_everybody_sees_the_alerts_of_their_queues(as_ana, lena, cards, loans):
    making.queue("cards", lena)
    making.queue("loans", lena)
    mine, foreign = making.alert(cards), making.alert(loans)
    case = workflow.open_case(by=lena, alerts=[mine, foreign])
    page = read(as_ana, f"/cases/{case.pk}/")
    assert f"/alerts/{mine.pk}/" in page
    assert f"/alerts/{foreign.pk}/" not in page


@pytest.mark.parametrize("who", ["as_mona", "as_dana"])
def test_those_who_do_not_work_cases_do_not_see_them(who, request, case):
    client = request.getfixturevalue(who)
    assert client.get("/cases/").status_code == 403
    assert client.get(f"/cases/{case.pk}/").status_code == 403
    for what in ("note", "propose", "approve", "return"):
        assert say(client, case, what, text="x").status_code == 403


@pytest.fixture
def as_dana(dana):
    return client_of(dana)


@pytest.mark.parametrize(
    "what, data, words",
    [
        ("note", {"text": " "}, "Write the note first."),
        ("note", {"text": "x" * 9000}, "at most 8000 characters"),
        ("propose", {"findings": "x"}, "Choose how it ends."),
        ("propose", {"outcome": "MAYBE", "findings": "x"}, "“MAYBE” is not an outcome."),
        ("propose", {"outcome": "CONFIRMED"}, "Say what was found."),
        ("return", {"reason": ""}, "Say what is missing."),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(as_ana, case, what, data, words):
    response = say(as_ana, case, what, **data)
    assert response.status_code == 400
    assert words in response.content.decode()
    assert case.timeline.count() == 2


def test_what_was_typed_is_still_there_after_a_refusal(as_ana, case):
    response = say(as_ana, case, "propose", outcome="MAYBE", findings="A long report")
    assert "A long report" in response.content.decode()


def test_what_people_typed_is_shown_as_text(as_ana, ana, cards):
    alert = making.alert(cards, user=NASTY, location=NASTY)
    case = workflow.open_case(by=ana, alerts=[alert], title=NASTY, note=NASTY)
    workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings=NASTY)
    for page in (read(as_ana, f"/cases/{case.pk}/"), read(as_ana, "/cases/")):
        assert NASTY not in page
        assert "&lt;svg onload" in page


def test_reading_a_case_leaves_a_row_in_the_trail(as_ana, case):
    read(as_ana, f"/cases/{case.pk}/")
    event = AuditEvent.objects.get(action="data.read")
    assert (event.object_type, event.object_id) == ("cases.case", str(case.pk))


def test_the_lists(as_ana, as_lena, ana, lena, cards, case):
    hers = workflow.open_case(by=lena, alerts=[making.alert(cards, user="customer-7")])
    waiting = workflow.open_case(by=ana, alerts=[making.alert(cards, user="customer-8")])
    workflow.propose_closure(by=ana, case=waiting, outcome="CONFIRMED", findings="x")
    done = workflow.open_case(by=lena, alerts=[making.alert(cards, user="customer-9")])
    done = workflow.propose_closure(by=lena, case=done, outcome="REFUTED", findings="x")
    workflow.approve_closure(by=ana, case=done, seen=done.proposal)

    def listed(client, show: str) -> list[Case]:
        return client.get(f"/cases/?show={show}").context["cases"]

    assert listed(as_ana, "") == [waiting, hers, case]
    assert listed(as_ana, "mine") == [waiting, case]
    assert listed(as_ana, "closed") == [done]
    assert (listed(as_ana, "approval"), listed(as_lena, "approval")) == ([], [waiting])


def test_older_cases_are_on_the_next_page(as_ana, ana, cards, monkeypatch):
    monkeypatch.setattr(views, "PAGE", 2)
    made = [
        workflow.open_case(by=ana, alerts=[making.alert(cards, user=f"customer-{n}")])
        for n in range(3)
    ]
    first = as_ana.get("/cases/")
    assert first.context["cases"] == [made[2], made[1]]
    older = as_ana.get("/cases/", {"before": first.context["older"]})
    assert older.context["cases"] == [made[0]]
    assert as_ana.get("/cases/?before=yesterday").context["cases"] == [made[2], made[1]]


def test_an_empty_list_says_where_cases_come_from(as_ana, cards):
    assert "Open one from an alert" in read(as_ana, "/cases/")


def test_the_list_takes_few_queries(as_ana, ana, cards):
    for n in range(20):
        workflow.open_case(by=ana, alerts=[making.alert(cards, user=f"customer-{n}")])
    with CaptureQueriesContext(connection) as captured:
        read(as_ana, "/cases/")
    assert len(captured) <= 12, [query["sql"][:90] for query in captured]


def test_other_open_alerts_of_the_subject_are_offered_and_brought_in(as_ana, ana, cards, case):
    other, stranger = making.alert(cards), making.alert(cards, user="somebody-else")
    page = read(as_ana, f"/cases/{case.pk}/")
    assert "Open too, about the same" in page
    assert str(stranger) not in page
    assert say(as_ana, case, "alert", alert=stranger.pk).status_code == 409
    assert say(as_ana, case, "alert", alert=10**9).status_code == 400
    assert say(as_ana, case, "alert", alert=other.pk).status_code == 302
    assert case.alerts.count() == 2
    assert "Open too" not in read(as_ana, f"/cases/{case.pk}/")


def test_programs_bring_an_alert_in(ana, cards, loans, case):
    other, foreign = making.alert(cards), making.alert(loans)
    asking.post(ana, f"cases/{case.pk}/alerts", {"alert": foreign.pk}, 400)
    told = asking.post(ana, f"cases/{case.pk}/alerts", {"alert": other.pk})
    assert {one["id"] for one in told["alerts"]} == set(case.alerts.values_list("pk", flat=True))


def test_a_case_that_waited_long_enough_says_so(as_ana, ana, case):
    tomorrow = timezone.now() + timedelta(days=1)
    progress.suspend(by=ana, case=case, waits_for="BANK", reason="Recall.", until=tomorrow)
    assert "look again" not in read(as_ana, "/cases/")
    Case.objects.update(waits_until=timezone.now() - timedelta(hours=1))
    assert "look again" in read(as_ana, "/cases/?show=late")
    assert "look again" in read(as_ana, "/cases/board/")
    assert "look again: it was until" in read(as_ana, f"/cases/{case.pk}/")
