"""Cases of the demo's fraud desk: closed ones, one whose closure waits, one under way."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from alerts.models import Alert
from anomalyshield.demodesk import DAY, FRESH_DAYS, HOUR, TYPOLOGY, Desk, Item
from cases import clocks, progress, reporting, tasks, workflow
from cases.models import Case
from scoring import lists
from scoring.models import ListEntry

CLOSED = 2
SETTLED = 8 * HOUR  # a case that was opened yesterday is not about a payment of this morning
INVESTIGATED = {"MULE", "STRUCTURING", "BUST_OUT", "ACCOUNT_TAKEOVER", "CARD_TESTING"}
FINDINGS = "The customer confirms that the payments are not theirs. The card is blocked."


def open_and_close(desk: Desk) -> None:
    """Each subject once: a demo that is made again after it was cut short finds its cases."""
    old = [one for one in desk.items if one.kind and not one.waits and one.age < 30 * DAY]
    for items in _by_subject([one for one in old if one.age > FRESH_DAYS * DAY])[:CLOSED]:
        _closed(desk, items)
    waiting = [one for one in desk.waiting if one.kind in INVESTIGATED]
    settled = _by_subject([one for one in waiting if one.age > SETTLED])
    under_way, proposed, *more = settled if len(settled) > 1 else _by_subject(waiting)
    _under_way(desk, under_way)
    _proposed(desk, proposed)
    if more:
        _suspended(desk, more[0])


def _by_subject(items: list[Item]) -> list[list[Item]]:
    """The most alerts first, then the earlier payment; but one of each kind before the next."""
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.alert.user_id].append(item)
    ranked = sorted(found.values(), key=lambda own: (-len(own), own[0].number))
    before: Counter[str] = Counter()
    rounds = []
    for own in ranked:
        rounds.append((before[own[0].kind], own))
        before[own[0].kind] += 1
    return [own for _, own in sorted(rounds, key=lambda pair: pair[0])]


@transaction.atomic
def _closed(desk: Desk, items: list[Item]) -> None:
    if _there(items):
        return
    case = _opened(desk, items, "Four eyes on this one: the sums grow from day to day.")
    case = workflow.propose_closure(
        by=desk.ana, case=case, outcome=Case.Outcome.CONFIRMED, findings=FINDINGS
    )
    case = workflow.approve_closure(by=desk.lena, case=case, seen=case.proposal)
    last = max(one.alert.last_event for one in items)
    end = _date(case, last + 2 * HOUR, timedelta(hours=4))
    for item in items:
        item.alert.refresh_from_db()
        item.closed = end


@transaction.atomic
def _under_way(desk: Desk, items: list[Item]) -> None:
    """Begun, with tasks, and with the draft of a report to the authority."""
    if _there(items):
        return
    case = _opened(desk, items, "Asked the other bank where the money went.")
    case = progress.start(by=desk.ana, case=case)
    tasks.add(by=desk.ana, case=case, title="Look at the others of the same device")
    for task in case.tasks.all()[:2]:
        tasks.tick(by=desk.ana, task=task, done=True)
    workflow.add_note(
        by=desk.lena, case=case, text="They froze what is left of it. The report follows by noon."
    )
    made = reporting.begin(by=desk.lena, case=case, on=desk.until.date() - 2 * DAY)
    made = reporting.step(by=desk.lena, report=made, step="prepare")
    reporting.draft(by=desk.lena, report=made)
    _date_until(case, items, desk.until - HOUR)


@transaction.atomic
def _suspended(desk: Desk, items: list[Item]) -> None:
    if _there(items):
        return
    case = _opened(desk, items, "The customer looks for the receipt.")
    tasks.add(by=desk.ana, case=case, title="Compare the receipt with the payments")
    progress.suspend(
        by=desk.ana,
        case=case,
        waits_for=Case.Waiting.CUSTOMER,
        reason="The receipt of the purchase.",
        until=timezone.now() + 3 * DAY,
    )
    _date_until(case, items, desk.until - 3 * HOUR)


@transaction.atomic
def _proposed(desk: Desk, items: list[Item]) -> None:
    if _there(items):
        return
    case = _opened(desk, items, "Reached the customer in the evening.")
    workflow.propose_closure(
        by=desk.ana, case=case, outcome=Case.Outcome.CONFIRMED, findings=FINDINGS
    )
    _date_until(case, items, desk.until - 2 * HOUR)


def _date_until(case: Case, items: list[Item], end: datetime) -> None:
    """From the last payment, as soon as somebody looked at it, but not before yesterday."""
    for item in items:
        item.opened = item.alert.last_event + timedelta(minutes=2)
    last = max(one.alert.last_event for one in items)
    start = min(max(last + timedelta(minutes=20), end - 22 * HOUR), end - HOUR)
    _date(case, start, (end - start) / (case.timeline.count() - 1))


def _there(items: list[Item]) -> bool:
    return Case.objects.filter(alerts=items[0].alert).exists()


def _opened(desk: Desk, items: list[Item], note: str) -> Case:
    alerts = [one.alert for one in items]
    title = Alert.Typology(TYPOLOGY[items[0].kind]).label  # told in each reader's language
    case = workflow.open_case(by=desk.ana, alerts=alerts, title=str(title))
    workflow.add_note(by=desk.ana, case=case, text=note)
    for alert in alerts:
        alert.refresh_from_db(fields=["status", "assignee"])
    return case


def _date(case: Case, start: datetime, step: timedelta) -> datetime:
    """Its timeline from `start`, an entry every `step`; the moment of the last one."""
    moment = start
    for event in case.timeline.all():
        event.at, last = moment, moment
        event.save(update_fields=["at"])
        moment += step
    case.refresh_from_db()
    case.opened_at = start
    case.proposed_at = case.proposed_at and last - step * (not case.is_open)
    case.closed_at = case.closed_at and last
    case.save(update_fields=["opened_at", "proposed_at", "closed_at"])
    _set_clocks(case, start, last)
    return last


def _set_clocks(case: Case, start: datetime, last: datetime) -> None:
    """The work began with the case; what was done, and what stands still, since its last entry."""
    case.tasks.exclude(done_at=None).update(done_at=last)
    for clock in case.clocks.select_related("calendar"):
        clock.pauses.update(begun_at=last)
        clock.started_at, clock.stopped_at = start, clock.stopped_at and last
        clock.save(update_fields=["started_at", "stopped_at"])
        clocks.rederive(clock.calendar)


def put_on_lists(desk: Desk) -> None:
    """A thief's phone is denied; a shopkeeper's deposits wait to be allowed by a second person."""
    phones = [one.alert.transaction.device_id for one in desk.items if one.kind and one.told]
    denied = max(sorted(set(phones) - {""}), key=phones.count)
    _wish(desk, "DENY", "device", denied, "Used in several account takeovers.", None)
    honest = [one.alert.user_id for one in desk.items if not one.kind and not one.waits]
    often = max(sorted(set(honest)), key=honest.count)
    reason = "Deposits the takings of a shop every week; seen three times."
    _wish(desk, "ALLOW", "user", often, reason, desk.until + 90 * DAY)


def _wish(
    desk: Desk, kind: str, entity: str, value: str, reason: str, until: datetime | None
) -> None:
    if not ListEntry.objects.filter(kind=kind, entity=entity, value=value).exists():
        lists.put(by=desk.ana, wish=lists.Wish(kind, entity, value, reason, until))
