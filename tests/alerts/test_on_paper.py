"""What leaves the house on paper or by e-mail is in its reader's language and on their clocks."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone, translation

from alerts import evidence, evidence_pdf, mailing
from alerts.mailing import Wish
from alerts.models import Alert, Queue, ReportLetter
from anomalyshield import pdf
from anomalyshield.accounts.models import User
from cases import report_export, reporting, workflow
from scoring.tasks import do_next, work_named
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(cards: Queue) -> Alert:
    sentence = "The amount of 12,345.60 is above the limit of 5,000.00."
    hit = {"code": "HIGH_AMOUNT", "sentence": sentence, "observed": 12345.6, "limit": 5000}
    return making.alert(cards, amount="12345.60", hits=[hit])


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All words of the documents that were made: titles, footers, and blocks as they read."""
    found: list[str] = []

    def kept(title, blocks, footer="", **rest) -> bytes:
        found.append(f"{title} {[*blocks]!r} {footer}")
        return b"%PDF-"

    monkeypatch.setattr(pdf, "document", kept)
    return found


def test_each_recipient_reads_a_letter_in_their_language(alert, ana, mona, printed) -> None:
    for one, language, zone in ((ana, "de", "Europe/Berlin"), (mona, "", "UTC")):
        address = f"{one.username}@bank.example"
        User.objects.filter(pk=one.pk).update(email=address, language=language, timezone=zone)
        one.refresh_from_db()
    wish = Wish("Monday", "money", "30d", "WEEKLY")
    report = mailing.make(by=mona, wish=wish, recipients=[ana, mona])
    report.next_at = timezone.now() - timedelta(days=20)
    report.save()
    mailing.follow()
    ReportLetter.objects.update(due_at=timezone.now() - timedelta(days=1))
    with translation.override("de"):  # whatever language the worker was left in
        while do_next(work_named("report")):
            pass
    letters = {one.to[0]: one.body for one in mail.outbox}
    assert "Mona lässt es jeden Montag senden" in letters["ana@bank.example"]
    assert "has it sent every Monday" in letters["mona@bank.example"]
    german, english = sorted(printed, key=lambda words: "Time" in words)
    assert "Warteschlangen" in german
    assert re.search(r"\bCES?T\b", german)
    assert "Alerts of queues" in english
    assert "CET" not in english
    assert "UTC" in english


def test_the_evidence_of_an_alert_is_told_in_the_language_of_who_asks(alert, ana, printed) -> None:
    document = evidence.evidence(alert, by=ana)
    evidence_pdf.as_pdf(document)
    with translation.override("de"):
        evidence_pdf.as_pdf(document)
    english, german = printed
    assert "The amount of 12,345.60 is above the limit" in english
    assert "liegt über der Grenze von 5.000,00" in german
    assert "Die Entscheidung über die führende Zahlung" in german


def test_a_report_of_a_case_has_its_headings_in_the_language_of_who_asks(
    alert, ana, printed
) -> None:
    case = workflow.open_case(by=ana, alerts=[alert])
    report = reporting.begin(by=ana, case=case, on=timezone.now().date())
    report_export.exported(by=ana, report=report, kind="pdf")
    with translation.override("de"):
        report_export.exported(by=ana, report=report, kind="pdf")
        _name, table = report_export.exported(by=ana, report=report, kind="csv")
    english, german = printed
    assert "Narrative" in english
    assert "Narrative" not in german
    assert "Betrag" in german
    assert "vertraulich" in german
    assert table.startswith(b"Row,Payment,Time (UTC),Amount")
    assert b",12345.60,USD," in table  # programs read it: never a comma within a number


def test_a_table_for_programs_has_points_in_numbers_whoever_takes_it(alert, ana) -> None:
    User.objects.filter(pk=ana.pk).update(language="de")
    here = client_of(ana)
    assert "12.345,60" in here.get("/alerts/").content.decode()
    table = b"".join(here.get("/analytics/live/latest.csv").streaming_content).decode()
    assert re.search(r",\d+\.\d", table)
    assert re.search(r'"\d+,\d', table) is None
