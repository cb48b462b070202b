"""The clocks of a case: business hours that pause with a reason, and the regulator's."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from alerts.guards import Refused
from anomalyshield.audit.models import AuditEvent
from anomalyshield.together import alone
from cases import calendarwork, clocks, creation, progress, reopening, workflow
from cases.calendars import BadCalendar
from cases.clockfaces import breaches, clocks_of
from cases.models import BusinessCalendar, Case, Clock
from cases.terms import change_terms
from tests.alerts import making
from tests.rest import asking

pytestmark = pytest.mark.django_db
Kind = Clock.Kind
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:00")


@pytest.fixture
def bert(cards):
    return making.queue_member("bert", cards)


@pytest.fixture
def berlin(adam) -> BusinessCalendar:
    return calendarwork.save_calendar(
        by=adam,
        calendar=None,
        name="Berlin",
        zone="Europe/Berlin",
        week=WEEK,
        holidays=[("2026-12-25", "Christmas")],
    )


@pytest.fixture
def case(ana, cards, berlin, adam) -> Case:
    change_terms(by=adam, queue=cards, calendar=berlin, hours_high=16)
    return workflow.open_case(by=ana, alerts=[making.alert(cards, level="HIGH")])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


def restart(case: Case, text: str) -> Clock:
    """The same clock as if the case had been opened then."""
    Clock.objects.filter(case=case).delete()
    return clocks.start(case, now=at(text))


def work(case: Case) -> Clock:
    return case.clocks.get(kind=Kind.CASE)


# --- the work
def test_opening_a_case_starts_its_clock_by_the_terms_of_its_queue(case, berlin):
    clock = work(case)
    assert (clock.calendar, clock.length) == (berlin, timedelta(hours=16))
    case.refresh_from_db()
    assert case.due_at == clock.due_at > timezone.now()


def test_without_terms_the_defaults_hold(ana, loans, lena):
    making.queue("loans", lena)
    case = workflow.open_case(by=lena, alerts=[making.alert(loans, level="CRITICAL")])
    assert (work(case).length, work(case).calendar.is_default) == (timedelta(hours=8), True)


def test_a_case_of_two_queues_has_the_shorter_time(ana, lena, cards, loans, adam):
    for queue, number in ((cards, 30), (loans, 10)):
        making.queue(queue.slug, lena)
        change_terms(by=adam, queue=queue, hours_high=number)
    case = workflow.open_case(by=lena, alerts=[making.alert(cards, level="HIGH")])
    assert work(case).length == timedelta(hours=30)
    # What joins later is as bad as what was there: the time stays; a worse one shortens it.
    workflow.add_alert(by=lena, case=case, alert=making.alert(loans, level="CRITICAL"))
    assert work(case).length == timedelta(hours=8)


def test_a_pause_with_its_reason_moves_the_deadline(ana, case):
    clock = restart(case, "2026-11-20T15:00")
    assert clock.due_at == at("2026-11-24T15:00")
    clocks.pause(
        case, by=ana, reason="Waits for the customer: statement", now=at("2026-11-23T10:00")
    )
    assert work(case).stands_still
    case.refresh_from_db()
    assert case.due_at is None
    clocks.go_on(case, now=at("2026-11-25T12:00"))
    assert work(case).due_at == at("2026-11-26T17:00")
    assert [one.reason for one in clock.pauses.all()] == ["Waits for the customer: statement"]


def test_suspending_pauses_and_resuming_goes_on(ana, case):
    progress.suspend(by=ana, case=case, waits_for="BANK", reason="Recall.")
    assert work(case).stands_still
    [face] = alone(clocks_of(case))
    assert face.pause.reason == "Waits for another bank: Recall."
    progress.resume(by=ana, case=case)
    assert not work(case).stands_still


def test_a_closed_case_has_no_clock_and_a_reopened_one_a_new_one(ana, bert, case):
    case = workflow.propose_closure(by=ana, case=case, outcome="REFUTED", findings="x")
    case = workflow.approve_closure(by=bert, case=case, seen=case.proposal)
    case.refresh_from_db()
    assert (work(case).stopped_at is not None, case.due_at) == (True, None)
    case = reopening.ask(by=ana, case=case, reason="x")
    reopening.approve(by=bert, case=case, seen=case.proposal)
    assert case.clocks.filter(kind=Kind.CASE, stopped_at=None).count() == 1


def test_nothing_runs_before_somebody_agreed_that_it_is_a_case(ana, bert, cards, case, adam):
    change_terms(by=adam, queue=cards, creation_approval=True)
    asked = workflow.open_case(by=ana, alerts=[making.alert(cards)])
    assert not asked.clocks.exists()
    creation.admit(by=bert, case=asked, seen=asked.proposal)
    assert asked.clocks.count() == 1


# --- the regulator's
def test_the_regulators_clock_runs_from_the_determination_and_never_pauses(ana, case):
    today = timezone.now().date()
    clock = clocks.determine(by=ana, case=case, on=today - timedelta(days=4))
    assert clock.days == 30
    due = clock.due_at
    progress.suspend(by=ana, case=case, waits_for="POLICE", reason="x")
    clock.refresh_from_db()
    assert (clock.due_at, clock.stands_still) == (due, False)
    case.refresh_from_db()
    assert case.due_at == due
    with pytest.raises(IntegrityError, match="never_pauses"), transaction.atomic():
        Clock.objects.filter(pk=clock.pk).update(due_at=None)


def test_a_closed_case_may_still_owe_a_report(ana, bert, case):
    clock = clocks.determine(by=ana, case=case, on=timezone.now().date())
    case = workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="x")
    case = workflow.approve_closure(by=bert, case=case, seen=case.proposal)
    case.refresh_from_db()
    assert case.due_at == clock.due_at


def test_no_way_of_a_case_moves_or_stops_what_the_regulator_counts(ana, bert, adam, case, berlin):
    clock = clocks.determine(by=ana, case=case, on=timezone.now().date())
    due, started = clock.due_at, clock.started_at
    with pytest.raises(Refused, match="decide with a second person"):
        progress.abandon(by=ana, case=case, reason="It was nothing.")
    case = progress.suspend(by=ana, case=case, waits_for="POLICE", reason="x")
    case = progress.resume(by=ana, case=case)
    calendarwork.save_calendar(
        by=adam, calendar=berlin, name="Berlin", zone="Europe/Berlin", week=WEEK,
        holidays=[(due.date().isoformat(), "A holiday on the last day")],
    )  # fmt: skip
    case = workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="x")
    case = workflow.approve_closure(by=bert, case=case, seen=case.proposal)
    case = reopening.ask(by=ana, case=case, reason="More came.")
    reopening.approve(by=bert, case=case, seen=case.proposal)
    clock.refresh_from_db()
    assert (clock.due_at, clock.started_at, clock.stopped_at) == (due, started, None)
    assert not clock.pauses.exists()


def test_without_a_subject_there_is_more_time_and_another_day_needs_a_reason(ana, case):
    today = timezone.now().date()
    assert clocks.determine(by=ana, case=case, on=today, subject_known=False).days == 60
    with pytest.raises(Refused, match="Say why it was another day"):
        clocks.determine(by=ana, case=case, on=today - timedelta(days=1))
    clock = clocks.determine(
        by=ana, case=case, on=today - timedelta(days=1), reason="The call was the day before."
    )
    assert (clock.determined_on, clock.days) == (today - timedelta(days=1), 30)
    first, second = AuditEvent.objects.filter(action="case.determined").order_by("pk")
    assert second.before == first.after


@pytest.mark.parametrize("days, sentence", [(2, "still to come"), (-4000, "ten years back")])
def test_a_day_that_cannot_be_meant_is_refused(ana, case, days, sentence):
    with pytest.raises(Refused, match=sentence):
        clocks.determine(by=ana, case=case, on=timezone.now().date() + timedelta(days=days))


def test_what_goes_on_is_reported_again_in_120_days(case):
    clock = clocks.continue_from(case, date(2026, 11, 2))
    assert clock.due_at == at("2027-03-03T00:00")
    assert clock.due_at.astimezone(UTC).hour == 23


# --- calendars
def test_a_changed_calendar_moves_what_runs_by_it(adam, case, berlin):
    restart(case, "2026-12-23T15:00")
    assert work(case).due_at == at("2026-12-28T15:00")
    said = calendarwork.told(berlin)
    days = [*said.pop("holidays"), ("2026-12-24", "Christmas Eve")]
    calendarwork.save_calendar(by=adam, calendar=berlin, holidays=days, **said)
    assert work(case).due_at == at("2026-12-29T15:00")
    case.refresh_from_db()
    assert case.due_at == at("2026-12-29T15:00")
    event = AuditEvent.objects.filter(action="calendar.saved").latest("pk")
    assert event.after["clocks"] == 1


def test_one_calendar_is_the_default_one(adam, berlin):
    said = calendarwork.told(berlin) | {"is_default": True}
    calendarwork.save_calendar(by=adam, calendar=berlin, **said)
    assert BusinessCalendar.default() == berlin
    again = calendarwork.told(berlin) | {"is_default": False}
    calendarwork.save_calendar(by=adam, calendar=berlin, **again)
    assert BusinessCalendar.default() == berlin


def test_a_bad_calendar_changes_nothing(adam, case, berlin):
    said = calendarwork.told(berlin) | {"week": {"mon": "late"}}
    with pytest.raises(BadCalendar):
        calendarwork.save_calendar(by=adam, calendar=berlin, **said)
    berlin.refresh_from_db()
    assert berlin.week["mon"] == "09:00-17:00"


# --- the forecast
def test_the_pace_of_the_last_month_is_taken_for_the_next(ana, bert, cards, case):
    told = breaches(Case.objects.all())
    assert (told.each, told.late, told.breaches) == (None, [], [])
    other = workflow.open_case(by=ana, alerts=[making.alert(cards)])
    other = workflow.propose_closure(by=ana, case=other, outcome="REFUTED", findings="x")
    workflow.approve_closure(by=bert, case=other, seen=other.proposal)
    told = breaches(Case.objects.all())
    assert told.breaches == [case.pk]  # a month for each of them is not enough
    Clock.objects.filter(case=case).update(due_at=timezone.now() - timedelta(hours=1))
    assert breaches(Case.objects.all()).late == [case.pk]


# --- pages and programs
def test_clocks_on_the_page(as_ana, ana, case):
    page = as_ana.get(f"/cases/{case.pk}/").content.decode()
    assert "Work on the case" in page
    assert " left</time>" in page
    today = timezone.now().date()
    where = f"/cases/{case.pk}/determine/"
    assert as_ana.post(where, {"on": "soon"}).status_code == 400
    assert as_ana.post(where, {"on": "2099-01-01"}).status_code == 409
    as_ana.post(where, {"on": f"{today - timedelta(days=40)}", "subject_known": "on"})
    page = as_ana.get(f"/cases/{case.pk}/").content.decode()
    assert "Report to the authority" in page
    assert " late</time>" in page
    progress.suspend(by=ana, case=case, waits_for="CUSTOMER", reason="Statement")
    assert "stands still" in as_ana.get(f"/cases/{case.pk}/").content.decode()


def test_admins_write_calendars_as_people_do(as_adam, as_ana, berlin):
    assert as_ana.get("/cases/calendars/").status_code == 403
    assert "Europe/Berlin" in as_adam.get("/cases/calendars/").content.decode()
    said = {"name": "Desk", "zone": "Asia/Kathmandu", "mon": "10:00-13:00,14:00-18:00"}
    new = "/cases/calendars/new/"
    for wrong in ({"zone": "Nowhere"}, {"mon": "ten"}, {"name": "berlin"}, {"holidays": "Xmas"}):
        assert as_adam.post(new, said | wrong).status_code == 400
    as_adam.post(new, said | {"holidays": "2026-12-25 Christmas\n\n2026-12-26\n"})
    made = BusinessCalendar.objects.get(name="Desk")
    assert made.week["mon"] == "10:00-13:00, 14:00-18:00"
    assert made.holidays == [["2026-12-25", "Christmas"], ["2026-12-26", ""]]
    page = as_adam.get(f"/cases/calendars/{made.pk}/").content.decode()
    assert "2026-12-25 Christmas\n2026-12-26" in page
    as_adam.post(f"/cases/calendars/{made.pk}/", said | {"is_default": "on"})
    assert BusinessCalendar.default() == made


def test_calendars_and_clocks_for_programs(adam, ana, case, cards):
    body = {"name": "Desk", "zone": "UTC", "week": {"mon": "09:00-12:00"}}
    made = asking.post(adam, "cases/calendars", body, 201)
    assert made["week"]["tue"] == ""
    days = [{"day": "2026-12-25", "name": "Christmas"}]
    told = asking.patch(adam, f"cases/calendars/{made['id']}", {"holidays": days})
    assert (told["holidays"], told["name"]) == (days, "Desk")
    wrong = asking.patch(adam, f"cases/calendars/{made['id']}", {"week": {"mon": "x"}}, 400)
    assert asking.pointers(wrong) == ["/week/mon"]
    asking.post(adam, "cases/calendars", body, 409)
    asking.get(ana, "cases/calendars", 403)
    terms = asking.patch(adam, f"cases/terms/{cards.pk}", {"calendar": "Desk", "hours_low": 5})
    assert (terms["calendar"], terms["hours_low"]) == ("Desk", 5)
    asking.patch(adam, f"cases/terms/{cards.pk}", {"calendar": "None such"}, 400)
    asking.patch(adam, f"cases/terms/{cards.pk}", {"hours_low": 0}, 400)
    read = asking.post(ana, f"cases/{case.pk}/determine", {"on": "2026-11-02"})
    kinds = [(one["kind"], one["days"]) for one in read["clocks"]]
    assert kinds == [("CASE", None), ("REG_FILING", 30)]
    asking.post(ana, f"cases/{case.pk}/determine", {"on": "2026-11-03"}, 409)
