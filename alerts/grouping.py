"""Which payments make one alert: one entity, one suspicion, one queue, and near in time.

The rule of what comes later: a closed alert takes nothing more, because what was decided, labelled
and told upstream is never changed by it; nor does one that a case investigates, because two people
judge what is in it. Such a payment opens a new alert, which shows the old one as an earlier alert
of the same entity. The clock of an alert is that of its first payment: what joins never stops it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from alerts.candidates import Candidate
from alerts.conditions import matches
from alerts.models import Alert, AlertHit, Route
from alerts.typologies import Suspicion, entity_of, suspected
from scoring.engine.costs import Costs, confidence
from scoring.engine.decision import Level
from scoring.engine.keys import entity_key
from scoring.engine.transaction import UNITS
from scoring.models import Decision

LEVELS = list(Level)  # from LOW to CRITICAL
DEFAULTS = Costs()
PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class Placing:
    """Where a candidate belongs: its route, what it is suspected of, whom it is about."""

    candidate: Candidate
    route: Route
    suspicion: Suspicion
    kind: str
    entity: str

    @cached_property
    def key(self) -> int:
        """Payments with one key may share an alert; 0 shares with nobody."""
        if self.route.grouping == Route.Grouping.NONE:
            return 0
        parts = (str(self.route.queue_id), self.kind, self.entity, self.suspicion.typology)
        return entity_key("\x1f".join(parts))

    @property
    def window(self) -> timedelta:
        return timedelta(hours=self.route.window_hours)


def place(candidate: Candidate, routes: Sequence[Route]) -> Placing:
    """By the first route that matches; the default, which is the last, always does."""
    route = next(one for one in routes if one.is_default or matches(one, candidate))
    suspicion = suspected(candidate)
    by_suspicion = route.grouping in (Route.Grouping.TYPOLOGY, Route.Grouping.NONE)
    wanted = suspicion.kind if by_suspicion else route.grouping.lower()
    return Placing(candidate, route, suspicion, *entity_of(candidate, wanted))


def group(
    placings: Iterable[Placing], alerts: Iterable[Alert], now: datetime, figures: Costs = DEFAULTS
) -> list[AlertHit]:
    """Each placing as the unsaved hit of an alert of these, or of a new one.

    Without a database, so that a dry run groups as routing does. Alerts that took something have
    changed in memory; new ones have no id.
    """
    waiting: dict[int, list[Alert]] = {}
    for alert in alerts:
        waiting.setdefault(alert.group_key, []).append(alert)
    return [_join(one, waiting.setdefault(one.key, []), now, figures) for one in placings]


@dataclass
class Span:
    """As much of an alert as decides whether it takes another payment."""

    MOST, takes = Alert.MOST, Alert.takes

    first_event: datetime
    last_event: datetime
    hit_count: int = 1


def count(placings: Iterable[Placing]) -> int:
    """How many alerts `group` would make of them, if nothing were closed in between."""
    waiting: dict[int, list[Span]] = {}
    alone = 0
    for one in placings:
        moment, known = one.candidate.payment.event_time, waiting.setdefault(one.key, [])
        near = (span for span in reversed(known) if span.takes(moment, one.window))
        if not one.key:
            alone += 1
        elif span := next(near, None):
            span.first_event = min(span.first_event, moment)
            span.last_event = max(span.last_event, moment)
            span.hit_count += 1
        else:
            known.append(Span(moment, moment))
    return alone + sum(map(len, waiting.values()))


def _join(placing: Placing, waiting: list[Alert], now: datetime, figures: Costs) -> AlertHit:
    moment = placing.candidate.payment.event_time
    near = (alert for alert in reversed(waiting) if alert.takes(moment, placing.window))
    alert = next(near, None) if placing.key else None
    if alert is None:
        alert = opened(placing, now, figures)
        waiting.append(alert)
    else:
        extend(alert, placing, now, figures)
    return hit_of(alert, placing.candidate, now)


def opened(placing: Placing, now: datetime, figures: Costs = DEFAULTS) -> Alert:
    """The unsaved alert of a first payment."""
    alert = Alert(
        queue=placing.route.queue,
        route=placing.route if placing.route.pk else None,
        entity_kind=placing.kind,
        entity=placing.entity,
        suspected=placing.suspicion.typology,
        group_key=placing.key,
        level=placing.candidate.decision.level,
        expected_loss=Decimal(0),
        hit_count=0,
        total=Decimal(0),
        created_at=now,
        first_event=placing.candidate.payment.event_time,
        last_event=placing.candidate.payment.event_time,
        due_at=now + timedelta(minutes=placing.route.sla),
    )
    _lead(alert, placing.candidate)
    _add(alert, placing.candidate, now, figures)
    return alert


def extend(alert: Alert, placing: Placing, now: datetime, figures: Costs = DEFAULTS) -> None:
    """One payment more; it leads from now on if its score is the highest."""
    _add(alert, placing.candidate, now, figures)
    if placing.candidate.decision.risk_score > alert.risk_score:
        _lead(alert, placing.candidate)


def rebuild(alert: Alert, found: Sequence[Candidate], figures: Costs = DEFAULTS) -> None:
    """What stands on an alert of its payments, of these, which are all it has now."""
    alert.hit_count, alert.total, alert.expected_loss = 0, Decimal(0), Decimal(0)
    alert.level, alert.reason_codes = found[0].decision.level, []
    alert.first_event = alert.last_event = found[0].payment.event_time
    for candidate in found:
        _add(alert, candidate, alert.last_hit_at, figures)
    _lead(alert, max(found, key=lambda one: one.decision.risk_score))


def hit_of(alert: Alert, candidate: Candidate, now: datetime) -> AlertHit:
    payment = candidate.payment
    return AlertHit(
        alert=alert,
        decision=candidate.decision,
        transaction=payment,
        user_id=payment.user_id,
        score=candidate.decision.risk_score,
        amount=payment.amount,
        at=now,
    )


def expected_loss(decision: Decision, amount_units: int, figures: Costs) -> Decimal:
    """What this payment is expected to cost, in the base currency: net loss × how sure it is."""
    sure = confidence(
        figures,
        level=decision.level,
        score=decision.risk_score,
        probability=None if decision.degraded else decision.probability,
        codes=decision.reason_codes,
    )
    return Decimal(repr(figures.expected_loss(amount_units / UNITS, sure))).quantize(PLACES)


def _add(alert: Alert, candidate: Candidate, now: datetime, figures: Costs) -> None:
    decision, payment = candidate.decision, candidate.payment
    base = Decimal(payment.amount_units) / UNITS
    alert.hit_count += 1
    alert.total += base
    alert.expected_loss += expected_loss(decision, payment.amount_units, figures)
    alert.level = max(alert.level, decision.level, key=LEVELS.index)
    alert.reason_codes = list(dict.fromkeys([*alert.reason_codes, *decision.reason_codes]))
    alert.first_event = min(alert.first_event, payment.event_time)
    alert.last_event = max(alert.last_event, payment.event_time)
    alert.last_hit_at = now


def _lead(alert: Alert, candidate: Candidate) -> None:
    decision, payment = candidate.decision, candidate.payment
    alert.decision, alert.transaction = decision, payment
    alert.risk_score, alert.user_id = decision.risk_score, payment.user_id
    alert.amount, alert.currency = payment.amount, payment.currency
