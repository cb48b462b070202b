"""Reports over real SMTP: with TLS and a password, and every way in which a mail server says no."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from alerts import mailing
from alerts.mailing import Wish
from alerts.models import ReportLetter
from anomalyshield.accounts.models import User
from scoring.tasks import do_next, work_named
from tests.alerts import mail_server
from tests.alerts.mail_server import Box
from tests.certificates import Authority

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """A mail server whose certificate this process believes, and our settings for it."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with mail_server.listening(authority) as box:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "localhost", box.port
        settings.EMAIL_HOST_USER = mail_server.USER
        settings.EMAIL_HOST_PASSWORD = mail_server.PASSWORD
        settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = True, False
        yield box


@pytest.fixture
def letter(cards, mona: User) -> ReportLetter:
    """To a reader of German, with a name that ASCII does not hold."""
    mona.email, mona.language = "mona@bank.example", "de"
    mona.save()
    wish = Wish("Zahlen für Zürich", "money", "30d", "WEEKLY")
    report = mailing.make(by=mona, wish=wish, recipients=[mona])
    return mailing.try_out(by=mona, report=report)


def tried(letter: ReportLetter) -> ReportLetter:
    ReportLetter.objects.update(due_at=timezone.now() - timedelta(days=1))
    do_next(work_named("report"))
    letter.refresh_from_db()
    return letter


def test_it_arrives_whole_and_in_secret(box: Box, letter: ReportLetter) -> None:
    assert tried(letter).state == "DONE"
    [(to, got)] = box.letters
    assert (to, box.secret) == ("mona@bank.example", [True])
    assert got["Subject"].startswith("Test: Zahlen für Zürich, ")
    assert got["Message-ID"] == f"<report-{letter.pk}@anomalyshield.invalid>"
    body, file = got.get_body(), next(got.iter_attachments())
    assert body is not None
    assert "als PDF" in body.get_content()
    assert file.get_content_type() == "application/pdf"
    assert file.get_content().startswith(b"%PDF-")
    assert file.get_content().rstrip().endswith(b"%%EOF")


@pytest.mark.parametrize(
    "command, answer",
    [
        ("RCPT", "450 4.2.0 greylisted, come back later"),
        ("MAIL", "421 4.3.2 closing"),
        ("DATA", "452 4.3.1 no room"),
        ("AUTH", "454 4.7.0 not now"),
    ],
)
def test_whatever_is_refused_is_told_and_sent_once_later(
    command: str, answer: str, box: Box, letter: ReportLetter
) -> None:
    box.no[command] = answer
    refused = tried(letter)
    assert (refused.state, refused.tries, box.letters) == ("READY", 1, [])
    assert answer[4:9] in refused.error
    assert tried(letter).state == "DONE"
    assert len(box.letters) == 1


def test_a_wrong_password_is_told_without_the_password(
    box: Box, letter: ReportLetter, settings
) -> None:
    settings.EMAIL_HOST_PASSWORD = "another mail password"
    refused = tried(letter)
    assert "user name or password is wrong" in refused.error
    assert "another" not in refused.error
    assert box.letters == []


def test_a_server_of_another_name_is_not_believed(
    box: Box, letter: ReportLetter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path, "another").file))
    refused = tried(letter)
    assert "certificate verify failed" in refused.error.lower()
    assert box.letters == []


def test_nobody_there_is_told(box: Box, letter: ReportLetter, settings) -> None:
    settings.EMAIL_PORT = 1
    assert "refused" in tried(letter).error.lower()
