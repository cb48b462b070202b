"""Reports by e-mail: built for each reader, sent when due, tried again, never to strangers."""

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from alerts import mailing
from alerts.mailing import Refused, Wish
from alerts.models import ReportLetter, ScheduledReport
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.tasks import do_next, work_named
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
WORK = work_named("report")
WISH = Wish("Monday figures", "money", "30d", "WEEKLY")


@pytest.fixture
def people(ana: User, mona: User, cards) -> list[User]:
    for one in (ana, mona):
        one.email = f"{one.username}@bank.example"
        one.save()
    making.alert(cards)
    return [ana, mona]


@pytest.fixture
def report(people, ana) -> ScheduledReport:
    return mailing.make(by=ana, wish=WISH, recipients=people)


def due(report: ScheduledReport) -> None:
    ScheduledReport.objects.update(next_at=timezone.now() - timedelta(days=20))
    mailing.follow()


def send() -> None:
    # This test is one transaction, so its now() stands still.
    waiting = ReportLetter.objects.filter(state="READY")
    waiting.update(due_at=timezone.now() - timedelta(days=1))
    while do_next(WORK):
        pass


def test_what_is_due_is_sent_to_each_once_and_next_week_again(report):
    due(report)
    mailing.follow()
    send()
    assert sorted(letter.to[0] for letter in mail.outbox) == [
        "ana@bank.example", "mona@bank.example",
    ]  # fmt: skip
    [(name, content, kind)] = mail.outbox[0].attachments
    assert (name[:6], content[:5], kind) == ("money-", b"%PDF-", "application/pdf")
    assert mail.outbox[0].extra_headers["Message-ID"] != mail.outbox[1].extra_headers["Message-ID"]
    assert AuditEvent.objects.filter(action="figures.sent").count() == 2
    report.refresh_from_db()
    assert report.next_at > timezone.now()
    assert (report.next_at.weekday(), report.next_at.hour) == (0, 7)


def test_before_its_time_and_while_paused_nothing_is_sent(report, ana):
    assert mailing.follow() == 0
    mailing.pause(by=ana, report=report)
    due(report)
    assert not ReportLetter.objects.exists()
    resumed = mailing.resume(by=ana, report=report)
    assert resumed.next_at > timezone.now(), "what was missed is not made up for"


def test_a_mail_server_that_fails_is_asked_again_and_the_failure_is_told(report, monkeypatch, ana):
    def broken(self: mail.EmailMessage) -> None:
        raise smtplib.SMTPServerDisconnected("gone for lunch")

    due(report)
    with monkeypatch.context() as patched:
        patched.setattr(mail.EmailMessage, "send", broken)
        send()
    letter = ReportLetter.objects.first()
    assert (letter.state, letter.tries) == ("READY", 1)
    assert letter.due_at > timezone.now()
    assert "gone for lunch" in client_of(ana).get("/analytics/reports/").content.decode()
    ReportLetter.objects.update(due_at=timezone.now() - timedelta(days=1))
    send()
    assert len(mail.outbox) == 2
    assert ReportLetter.objects.first().tries == 2


def test_after_the_last_try_it_is_set_aside(report, monkeypatch):
    def broken(self: mail.EmailMessage) -> None:
        raise smtplib.SMTPException("no")

    monkeypatch.setattr(mail.EmailMessage, "send", broken)
    due(report)
    ReportLetter.objects.update(tries=len(mailing.PAUSES))
    send()
    assert {letter.state for letter in ReportLetter.objects.all()} == {"QUARANTINED"}


def test_who_was_suspended_meanwhile_gets_nothing(report, mona):
    due(report)
    User.objects.filter(pk=mona.pk).update(is_active=False)
    send()
    assert [letter.to for letter in mail.outbox] == [["ana@bank.example"]]
    assert "not read it any more" in ReportLetter.objects.get(recipient=mona).note


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"tab": "live"}, "tab"),
        ({"tab": "nothing"}, "tab"),
        ({"last": "6h"}, "last"),
        ({"cadence": "HOURLY"}, "cadence"),
        ({"hour": 24}, "hour"),
        ({"name": " \n"}, "name"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(changes, field, people, ana):
    with pytest.raises(Refused) as refusal:
        mailing.make(by=ana, wish=Wish(**{**vars(WISH), **changes}), recipients=people)
    assert refusal.value.field == field


def test_strangers_and_people_without_an_address_are_no_recipients(people, ana, dana):
    for chosen in ([dana], []):
        with pytest.raises(Refused) as refusal:
            mailing.make(by=ana, wish=WISH, recipients=chosen)
        assert refusal.value.field == "recipients"


def test_the_page_makes_pauses_and_tries_and_a_test_goes_to_oneself(people, ana, mona):
    browser = client_of(ana)
    typed = {**vars(WISH), "recipients": [ana.pk, mona.pk]}
    assert browser.post("/analytics/reports/", {**typed, "hour": "99"}).status_code == 400
    assert browser.post("/analytics/reports/", typed).status_code == 302
    made = ScheduledReport.objects.get()
    page = client_of(mona).get("/analytics/reports/").content.decode()
    assert "Monday figures" in page
    assert "Send a test" not in page, "it is ana's"
    assert client_of(mona).post(f"/analytics/reports/{made.pk}/pause/").status_code == 409
    browser.post(f"/analytics/reports/{made.pk}/try/")
    send()
    assert [letter.to for letter in mail.outbox] == [["ana@bank.example"]]
    assert mail.outbox[0].subject.startswith("Test: ")
    browser.post(f"/analytics/reports/{made.pk}/pause/")
    assert "paused" in browser.get("/analytics/reports/").content.decode()


def test_others_reports_are_not_there(report, dana):
    assert client_of(dana).post(f"/analytics/reports/{report.pk}/pause/").status_code == 404
    assert "Monday figures" not in client_of(dana).get("/analytics/reports/").content.decode()


def test_a_name_of_several_lines_breaks_no_letter(people, ana):
    wish = Wish(**{**vars(WISH), "name": "Figures\r\nBcc: all@else.example"})
    report = mailing.make(by=ana, wish=wish, recipients=people[:1])
    due(report)
    send()
    assert mail.outbox[0].subject.startswith("Figures Bcc: all@else.example")
    assert mail.outbox[0].recipients() == ["ana@bank.example"]
