"""Scheduled reports: made, paused, tried; the letters that come due, sent and sent again."""

import logging
import smtplib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.analytics import TABS
from alerts.analytics.calendar import next_after
from alerts.models import ReportLetter, ScheduledReport
from alerts.report_pdf import pdf_of
from anomalyshield import bell, leases
from anomalyshield.accounts.models import User
from anomalyshield.accounts.reading import as_read_by
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import zone_named

log = logging.getLogger(__name__)
WORK = "report"
MOST = 20  # recipients of one report
MINUTE, HOUR = 60.0, 3600.0
PAUSES = (MINUTE, 10 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR)  # before the second try, the third …


class Refused(Exception):
    """This cannot be done; the sentence is for the person, `field` what it is about."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Wish:
    """Which figures somebody wants sent, how often and at what hour of their clocks."""

    name: str
    tab: str
    last: str
    cadence: str
    hour: int = 7


def reachable() -> Any:
    """Who can be sent something: whoever may log in and has an address."""
    return User.objects.filter(is_active=True).exclude(email="").order_by("username")


@transaction.atomic
def make(*, by: Any, wish: Wish, recipients: Iterable[User]) -> ScheduledReport:
    """Figures that are sent from their next time on."""
    people = list(recipients)
    _checked(wish, people)
    made = ScheduledReport.objects.create(
        name=" ".join(wish.name.split()),
        owner=by,
        tab=wish.tab,
        last=wish.last,
        cadence=wish.cadence,
        hour=wish.hour,
        next_at=_next(wish.cadence, wish.hour, by, timezone.now()),
    )
    made.recipients.set(people)
    told = {**vars(wish), "recipients": sorted(one.username for one in people)}
    record(by=by, action="figures.scheduled", object=made, after=told)
    return made


@transaction.atomic
def pause(*, by: Any, report: ScheduledReport) -> ScheduledReport:
    """Nothing is sent until it is taken up again; letters on their way are not called back."""
    report = _own(by, report)
    if not report.paused:
        report.paused = True
        report.save(update_fields=["paused"])
        record(by=by, action="figures.paused", object=report)
    return report


@transaction.atomic
def resume(*, by: Any, report: ScheduledReport) -> ScheduledReport:
    """From its next time on; what was missed is not made up for."""
    report = _own(by, report)
    if report.paused:
        report.paused = False
        report.next_at = _next(report.cadence, report.hour, report.owner, timezone.now())
        report.save(update_fields=["paused", "next_at"])
        record(by=by, action="figures.resumed", object=report)
    return report


@transaction.atomic
def try_out(*, by: Any, report: ScheduledReport) -> ReportLetter:
    """Send it now, to whoever asks and nobody else."""
    report = _own(by, report)
    if not by.email:
        raise Refused(_("You have no e-mail address here; an admin gives you one."))
    letter = ReportLetter.objects.create(
        report=report, recipient=by, slot=timezone.now(), test=True
    )
    record(by=by, action="figures.tried", object=report)
    bell.leave(WORK)
    return letter


def follow() -> int:
    """Leave a letter to each recipient of what is due; any number of tickers may do it at once.

    What was missed while no ticker ran is sent once.
    """
    now, left = timezone.now(), 0
    with transaction.atomic():
        due = ScheduledReport.objects.filter(paused=False, next_at__lte=now)
        for report in due.select_for_update(skip_locked=True, of=("self",)).select_related("owner"):
            letters = [
                ReportLetter(report=report, recipient=one, slot=report.next_at)
                for one in report.recipients.all()
            ]
            ReportLetter.objects.bulk_create(letters, ignore_conflicts=True)
            report.next_at = _next(report.cadence, report.hour, report.owner, now)
            report.save(update_fields=["next_at"])
            left += len(letters)
        if left:
            bell.leave(WORK)
    return left


def perform(letter: ReportLetter) -> None:
    """Build it for its reader and send it.

    A process killed between sending and writing that down sends once more, with the same
    Message-ID, by which mail programs show one.
    """
    letter = ReportLetter.objects.select_related("report", "recipient").get(pk=letter.pk)
    reader, report = letter.recipient, letter.report
    if not (reader.email and reader.is_active and reader.may("analytics.view")):
        _end(letter, note="The recipient may not read it any more, or has no address.")
        return
    try:
        with as_read_by(reader):
            message = _message(letter)
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        _again(letter, error)
        return
    _end(letter, note="")
    log.info("report %s was sent to %s", report.pk, reader.username)


def _message(letter: ReportLetter) -> EmailMessage:
    report, reader = letter.report, letter.recipient
    tab = TABS[report.tab]
    file = pdf_of(reader, tab, report.last, title=report.name)
    day = timezone.localtime(letter.slot, zone_named(reader.timezone)).date()
    words = _(
        "{name}: {title}, {lengths}, as PDF.\n\n{owner} has it sent "
        "{get_cadence_display}. It shows what your own pages show under Analytics; "
        "ask them or an admin to take you off the list.\n"
    ).format(
        name=report.name,
        title=tab.title,
        lengths=tab.lengths[report.last],
        owner=report.owner,
        get_cadence_display=report.get_cadence_display(),
    )
    message = EmailMessage(
        subject=f"{_('Test: ') if letter.test else ''}{report.name}, {day}",
        body=words,
        to=[reader.email],
        headers={
            "Message-ID": f"<report-{letter.pk}@anomalyshield.invalid>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach(f"{tab.key}-{day}.pdf", file, "application/pdf")
    return message


@transaction.atomic
def _end(letter: ReportLetter, *, note: str) -> None:
    action = "figures.not_sent" if note else "figures.sent"
    told = {"to": letter.recipient.username, "test": letter.test}
    record(by="worker", action=action, object=letter.report, after=told, reason=note)
    leases.finish(letter, note=note, tries=letter.tries + 1)


@transaction.atomic
def _again(letter: ReportLetter, error: BaseException) -> None:
    """The mail server did not take it: later, and after the last try a person looks at it."""
    tries = letter.tries + 1
    if letter.tries < len(PAUSES):
        leases.postpone(letter, PAUSES[letter.tries], tries=tries, error=leases.said(error))
        return
    leases.advance(letter, tries=tries)
    leases.quarantine(letter, leases.said(error))


def _checked(wish: Wish, people: list[User]) -> None:
    tab = TABS.get(wish.tab)
    if tab is None or not tab.reported:
        raise Refused(_("There are no such figures to be sent."), "tab")
    if wish.last not in tab.lengths:
        raise Refused(_("These figures do not know this length of time."), "last")
    if wish.cadence not in ScheduledReport.Cadence.values:
        raise Refused(_("Every day, every Monday, or on the first of the month."), "cadence")
    if not 0 <= wish.hour <= 23:
        raise Refused(_("An hour is from 0 to 23."), "hour")
    if not " ".join(wish.name.split()):
        raise Refused(_("Give it a name."), "name")
    if not people or len(people) > MOST:
        raise Refused(_("Choose from one to {most} recipients.").format(most=MOST), "recipients")
    known = set(reachable().filter(pk__in=[one.pk for one in people]))
    if strangers := [one for one in people if one not in known]:
        names = ", ".join(map(str, strangers))
        raise Refused(_("Not reachable by e-mail: {names}.").format(names=names), "recipients")


def _own(by: Any, report: ScheduledReport) -> ScheduledReport:
    """Held; its owner or an admin changes it."""
    held = ScheduledReport.objects.select_for_update(of=("self",)).select_related("owner")
    found = held.get(pk=report.pk)
    if found.owner != by and not by.may("user.manage"):
        raise Refused(_("It is {owner}'s: ask them to change it.").format(owner=found.owner))
    return found


def _next(cadence: str, hour: int, owner: Any, after: datetime) -> datetime:
    return next_after(after, cadence, hour, zone_named(owner.timezone))
