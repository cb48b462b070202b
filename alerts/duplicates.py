"""An alert about what another one is about already: closed with a pointer, and without a word."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from alerts import consequences, guards, triage
from alerts.guards import Refused
from alerts.models import Alert, Note, Verdict
from anomalyshield.audit.record import record


@transaction.atomic
def close_as_duplicate(*, by: Any, alert: Alert, of: Alert, note: str = "") -> Alert:
    """Close it as a duplicate of the other one, which says what it was.

    Its payments are given no label, so that nothing is learnt twice; those that are held become
    what the other's became, at once or when that is decided. It is taken back as any verdict is.
    """
    alert, of = _both(alert, of)
    guards.still_open(alert)
    guards.nobody_elses(alert, by)
    _fits(alert, of)
    before = {name: getattr(alert, name) for name in triage.CHANGED}
    meant = Alert.Disposition.DUPLICATE
    triage.close(alert, by=by, disposition=meant, of=of)
    if note:
        Note.objects.create(alert=alert, author=by, text=note)
    verdict = Verdict.objects.create(
        alert=alert, disposition=meant, by=by, at=alert.closed_at, before=before
    )
    if original := of.verdicts.filter(undone_at=None).first():
        consequences.follow_original(verdict, original)
    after = {"status": alert.status, "disposition": meant.value, "of": str(of)}
    record(by=by, action="alert.decided", object=alert, before=before, after=after)
    return alert


def _both(alert: Alert, of: Alert) -> tuple[Alert, Alert]:
    """In the order of their numbers, so that two people never wait for each other."""
    if alert.pk == of.pk:
        raise Refused(_("An alert is no duplicate of itself."))
    there = {pk: guards.locked(Alert(pk=pk)) for pk in sorted((alert.pk, of.pk))}
    return there[alert.pk], there[of.pk]


def _fits(alert: Alert, of: Alert) -> None:
    if of.status == Alert.Status.MERGED:
        raise Refused(
            _("{of} was merged into A-{merged_into_id}: name that one.").format(
                of=of, merged_into_id=of.merged_into_id
            )
        )
    if of.duplicate_of_id:
        raise Refused(
            _("{of} is a duplicate of A-{duplicate_of_id}: name that one.").format(
                of=of, duplicate_of_id=of.duplicate_of_id
            )
        )
    if alert.duplicates.exists():
        raise Refused(_("Others are closed as duplicates of {alert}.").format(alert=alert))
    if alert.status == Alert.Status.ESCALATED:
        raise Refused(_("{alert} is part of a case, which decides it.").format(alert=alert))
    if not alert.subjects & of.subjects:
        raise Refused(_("{alert} and {of} have nobody in common.").format(alert=alert, of=of))
