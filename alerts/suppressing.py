"""What raises no alert for a while: one reason of one entity, told by a person, never for ever.

A payment is kept out only where every reason that wanted a person is suppressed for somebody it
names. What is blocked, on a list or scored only in part always raises its alert. The decision is
made and stored as ever; what is kept out is counted, listed, and held against later labels.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.candidates import Candidate
from alerts.entities import COLUMNS, named
from alerts.grouping import Placing
from alerts.guards import Refused, leads
from alerts.models import Alert, SuppressedHit, Suppression
from anomalyshield.audit.record import record
from scoring import resolving
from scoring.engine.decision import NOVELTY, RAISING, SCORE, Level, Outcome, Policy, asked_for
from scoring.models import Decision, Resolution

LONGEST, ALONE = timedelta(days=180), timedelta(days=30)  # with a lead, and without
POSSIBLE = frozenset({SCORE, NOVELTY, *RAISING})
REASON_LENGTH = 500


@transaction.atomic
def suppress(
    *,
    by: Any,
    alert: Alert,
    codes: Sequence[str],
    kind: str,
    expires_at: datetime,
    reason: str,
    releases: bool = True,
) -> list[Suppression]:
    """From now on these reasons raise no alert for this entity of the alert's payment, in its
    queue. One row each; the alert itself stays as it is. Without a lead at most thirty days."""
    reason, value = reason.strip(), value_in(alert, kind)
    entity = named(kind, value)
    if entity is None:
        raise Refused(_("The payment names no {kind}.").format(kind=kind))
    _possible(by, alert, codes, expires_at, reason)
    said = {"queue": alert.queue, "kind": kind, "value": entity.value, "key": entity.key}
    said |= {"reason": reason, "releases": releases, "alert": alert, "author": by}
    living = Suppression.objects.living().filter(queue=alert.queue, kind=kind, key=entity.key)
    there = set(living.values_list("code", flat=True))
    if again := there & set(codes):
        raise Refused(
            _("{again} is suppressed for this {kind} already.").format(
                again=", ".join(sorted(again)), kind=kind
            )
        )
    made = [
        Suppression.objects.create(code=code, expires_at=expires_at, **said)
        for code in dict.fromkeys(codes)
    ]
    for one in made:
        record(by=by, action="suppression.made", object=one, after=_told(one))
    return made


@transaction.atomic
def end(*, by: Any, suppression: Suppression, reason: str) -> Suppression:
    """It raises alerts again from now on. What it kept out stays listed with it."""
    rows = Suppression.objects.select_for_update(of=("self",)).select_related("queue")
    suppression = rows.get(pk=suppression.pk)
    if not suppression.is_living:
        raise Refused(_("{suppression} has ended already.").format(suppression=suppression))
    if not reason.strip() or len(reason) > REASON_LENGTH or "\x00" in reason:
        raise Refused(
            _("Say why it ends, in at most {reason_length} characters.").format(
                reason_length=REASON_LENGTH
            )
        )
    suppression.ended_at, suppression.ended_by = timezone.now(), by
    suppression.ended_because = reason.strip()
    suppression.save(update_fields=["ended_at", "ended_by", "ended_because"])
    record(by=by, action="suppression.ended", object=suppression, before=_told(suppression))
    return suppression


def keep_out(placings: Sequence[Placing]) -> list[Placing]:
    """Those that raise alerts. The others are stored as kept out, and released if it says so."""
    asked = [(one, reasons_of(one.candidate.decision)) for one in placings]
    living = _living([one for one, reasons in asked if reasons])
    kept: dict[int, Suppression] = {}
    for one, reasons in asked:
        if living and reasons and (found := _covering(one, reasons, living)):
            kept[one.candidate.decision.pk] = found
    if not kept:
        return list(placings)
    out = [one.candidate for one in placings if one.candidate.decision.pk in kept]
    _store([(candidate, kept[candidate.decision.pk]) for candidate in out])
    return [one for one in placings if one.candidate.decision.pk not in kept]


def reasons_of(decision: Decision) -> frozenset[str]:
    """What of it wanted a person and can be suppressed; empty: its alert is always raised."""
    safe = decision.outcome == Outcome.REVIEW and decision.level != Level.CRITICAL
    if not safe or decision.degraded:
        return frozenset()
    policy = Policy.from_dict(decision.policy.values)
    return asked_for(decision.reason_codes, decision.risk_score, policy)


def value_in(alert: Alert, kind: str) -> str:
    """What the leading payment calls its user, card, device or merchant; empty if it names none."""
    return str(getattr(alert.transaction, COLUMNS[kind][1])) if kind in COLUMNS else ""


def _living(placings: Sequence[Placing]) -> dict[tuple[int, str, int], dict[str, Suppression]]:
    """By queue, kind and key: code → what suppresses it. One query for all of them."""
    keys = {
        getattr(one.candidate.payment, key) for one in placings for key, _unused in COLUMNS.values()
    }
    found: dict[tuple[int, str, int], dict[str, Suppression]] = {}
    if keys - {0}:
        for one in Suppression.objects.living().filter(key__in=keys - {0}).order_by("-pk"):
            found.setdefault((one.queue_id, one.kind, one.key), {})[one.code] = one
    return found


def _covering(
    placing: Placing,
    reasons: frozenset[str],
    living: Mapping[tuple[int, str, int], Mapping[str, Suppression]],
) -> Suppression | None:
    """The oldest of what suppresses it, if every reason is suppressed for somebody it names."""
    queue, payment = placing.route.queue_id, placing.candidate.payment
    there: dict[str, Suppression] = {}
    for kind, (key, _unused) in COLUMNS.items():
        there |= living.get((queue, str(kind), getattr(payment, key)), {})
    if not reasons <= there.keys():
        return None
    return min((there[code] for code in reasons), key=lambda one: one.pk)


def _store(kept: Sequence[tuple[Candidate, Suppression]]) -> None:
    SuppressedHit.objects.bulk_create(
        SuppressedHit(suppression=one, decision=c.decision, transaction=c.payment)
        for c, one in kept
    )
    for candidate, one in kept:
        if one.releases:
            state, said = Resolution.State.RELEASED, str(one)
            decision = candidate.decision
            resolving.resolve(by="system", decision=decision, state=state, reason=None, behind=said)


def _possible(
    by: Any, alert: Alert, codes: Sequence[str], expires_at: datetime, reason: str
) -> None:
    ahead = expires_at - timezone.now()
    if not codes:
        raise Refused(_("Say which reasons raise no alert."))
    if wrong := set(codes) - POSSIBLE:
        raise Refused(_("{wrong} is never suppressed.").format(wrong=", ".join(sorted(wrong))))
    if not reasons_of(alert.decision):
        raise Refused(_("What is blocked, listed or scored only in part is never suppressed."))
    if not reason or len(reason) > REASON_LENGTH:
        raise Refused(
            _("Say why, in at most {reason_length} characters.").format(reason_length=REASON_LENGTH)
        )
    if ahead <= timedelta(0):
        raise Refused(_("The end is past already."))
    if ahead > LONGEST + timedelta(minutes=1):
        raise Refused(_("A suppression lasts at most {days} days.").format(days=LONGEST.days))
    if ahead > ALONE + timedelta(minutes=1) and not leads(by):
        raise Refused(_("For longer than {days} days a lead suppresses.").format(days=ALONE.days))


def _told(one: Suppression) -> dict[str, Any]:
    """Without the value: the trail names nobody it could not forget."""
    told = {"code": one.code, "kind": one.kind, "queue": one.queue.slug, "releases": one.releases}
    return {**told, "expires_at": one.expires_at.isoformat()}
