"""Snoozing: out of the way until a moment, never out of sight, and back by itself."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts import bulk, leasing, moments, routing, snoozing, triage
from alerts.models import Alert, Bulk, Snooze
from anomalyshield.audit.models import AuditEvent
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def sleep(by: Any, alert: Alert, **said: Any) -> Alert:
    known = {"until": timezone.now() + HOUR, "reason": "Customer not reached"}
    return snoozing.snooze(by=by, alert=alert, **(known | said))


def shown(client: Client, query: str = "") -> list[int]:
    return [alert.pk for alert in client.get(f"/alerts/?{query}").context["page"].rows]


def over(alert: Alert) -> None:
    """Its time comes."""
    Alert.objects.filter(pk=alert.pk).update(snoozed_until=timezone.now() - timedelta(seconds=1))


def row(alert: Alert) -> dict[str, Any]:
    return Alert.objects.filter(pk=alert.pk).values().get()


def test_it_leaves_the_working_lists_and_is_given_to_nobody(cards, ana, as_ana):
    alert, other = making.alert(cards, amount="900"), making.alert(cards, amount="10")
    sleep(ana, alert)
    assert shown(as_ana) == [other.pk]
    assert shown(as_ana, "status=unassigned") == [other.pk]
    assert shown(as_ana, "status=snoozed") == [alert.pk]
    assert shown(as_ana, "status=open") == [alert.pk, other.pk]
    assert shown(as_ana, "q=is:snoozed") == [alert.pk]
    taken = leasing.take_next(by=ana, asked={})
    assert taken == other
    assert leasing.take_next(by=ana, asked={}, behind=other) is None


def test_it_comes_back_by_the_clock_above_all_others_until_somebody_looks(cards, ana, as_ana):
    alert, dear = making.alert(cards, amount="10"), making.alert(cards, amount="9000")
    sleep(ana, alert)
    assert snoozing.wake_due() == 0
    over(alert)
    assert snoozing.wake_due() == 1
    assert snoozing.wake_due() == 0
    assert shown(as_ana) == [alert.pk, dear.pk]
    assert b"It slept for" in as_ana.get(f"/alerts/{alert.pk}/").content
    assert shown(as_ana) == [dear.pk, alert.pk]
    ended = Snooze.objects.get()
    assert (ended.how, ended.ended_by) == ("TIME", None)
    told = AuditEvent.objects.get(action="alert.woken")
    assert (told.actor, told.after["how"]) == ("system", "TIME")


def test_a_look_of_somebody_who_reads_along_ends_no_boost(cards, ana, mona):
    alert = sleep(ana, making.alert(cards))
    over(alert)
    snoozing.wake_due()
    client_of(mona).get(f"/alerts/{alert.pk}/")
    assert Alert.objects.get().boost == 1


def test_pages_of_boosted_and_other_alerts_follow_without_a_gap(cards, ana, as_ana, monkeypatch):
    monkeypatch.setattr("alerts.listing.PAGE", 2)
    alerts = [making.alert(cards, amount=str(100 + n)) for n in range(5)]
    for one in alerts[:2]:
        sleep(ana, one)
        over(one)
    snoozing.wake_due()
    seen, query = [], ""
    while True:
        page = as_ana.get(f"/alerts/?{query}").context
        seen += [one.pk for one in page["page"].rows]
        if not page["next_page"]:
            break
        query = page["next_page"]
    order = [alerts[1], alerts[0], alerts[4], alerts[3], alerts[2]]
    assert seen == [one.pk for one in order]


def test_a_payment_that_joins_wakes_it_at_once(cards, ana):
    making.decision(making.payment())
    routing.sweep()
    alert = Alert.objects.get()
    triage.claim(by=ana, alert=alert)
    sleep(ana, alert)
    making.decision(making.payment())
    routing.sweep()
    alert.refresh_from_db()
    assert (alert.status, alert.hit_count, alert.boost) == ("ASSIGNED", 2, 1)
    assert (alert.assignee, alert.snoozed_until) == (ana, None)
    assert Snooze.objects.get().how == "PAYMENT"


def test_its_clock_runs_on_and_no_snooze_hides_that_it_is_late(cards, ana, as_ana):
    alert = making.alert(cards)
    due = alert.due_at
    sleep(ana, alert)
    Alert.objects.update(due_at=timezone.now() - HOUR)
    assert shown(as_ana, "status=overdue") == [alert.pk]
    assert as_ana.get("/alerts/").context["figures"].overdue == 1
    Alert.objects.update(due_at=due)
    over(alert)
    snoozing.wake_due()
    assert Alert.objects.get().due_at == due


def test_while_the_customer_is_asked_its_clock_stands_still(cards, ana, as_ana):
    alert = making.alert(cards)
    due = alert.due_at
    sleep(ana, alert, for_customer=True)
    assert Alert.objects.get().status == "PENDING_INFO"
    Alert.objects.update(due_at=timezone.now() - HOUR)
    assert shown(as_ana, "status=overdue") == []
    assert not Alert.objects.get().is_late
    Alert.objects.update(due_at=due)
    Snooze.objects.update(at=timezone.now() - 3 * HOUR)
    over(alert)
    snoozing.wake_due()
    moved = Alert.objects.get().due_at - due
    assert 3 * HOUR <= moved < 3 * HOUR + timedelta(minutes=1)


def test_taken_back_within_ten_minutes_it_is_as_if_nobody_had(cards, ana):
    alert = making.alert(cards)
    triage.claim(by=ana, alert=alert)
    before = row(alert)
    sleep(ana, alert, for_customer=True)
    snoozing.wake(by=ana, alert=alert)
    assert row(alert) == before
    assert Snooze.objects.get().how == "UNDONE"


def test_taken_up_later_it_is_at_work_without_a_boost(cards, ana):
    alert = sleep(ana, making.alert(cards))
    Snooze.objects.update(at=timezone.now() - HOUR)
    snoozing.wake(by=ana, alert=alert)
    assert Snooze.objects.get().how == "PERSON"
    assert (Alert.objects.get().status, Alert.objects.get().boost) == ("NEW", 0)


def test_a_verdict_on_it_and_its_undo_leave_it_asleep(cards, ana):
    alert = sleep(ana, making.alert(cards))
    before = row(alert)
    triage.decide(by=ana, alert=alert, disposition="FALSE_POSITIVE")
    over(alert)
    assert snoozing.wake_due() == 0
    Alert.objects.update(snoozed_until=before["snoozed_until"])
    triage.undo(by=ana, alert=alert)
    assert row(alert) == before | {"assignee_id": None}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"until": timezone.now() - HOUR}, "is past"),
        ({"until": timezone.now() + timedelta(days=31)}, "at most 30 days"),
        ({"reason": "  "}, "Say why"),
        ({"reason": "x" * 501}, "500 characters"),
    ],
)
def test_what_cannot_be_is_told(cards, ana, said, sentence):
    alert = making.alert(cards)
    with pytest.raises(triage.Refused, match=sentence):
        sleep(ana, alert, **said)
    assert Alert.objects.get().status == "NEW"


def test_nobody_snoozes_what_is_decided_in_a_case_or_somebody_elses(cards, ana):
    bob = making.queue_member("bob", cards)
    alert = making.alert(cards)
    triage.claim(by=bob, alert=alert)
    with pytest.raises(triage.Refused, match="Bob is working"):
        sleep(ana, alert)
    triage.escalate(by=bob, alert=alert, why="C-1")
    with pytest.raises(triage.Refused, match="part of a case"):
        sleep(bob, alert)
    triage.decide(by=bob, alert=alert, disposition="INCONCLUSIVE")
    with pytest.raises(triage.Refused, match="already decided"):
        sleep(bob, alert)


def test_from_its_page_and_back_by_the_key_that_undoes(cards, as_ana):
    alert, other = making.alert(cards, amount="900"), making.alert(cards, amount="10")
    said = {"why": "Not reached", "when": "tomorrow"}
    answer = as_ana.post(f"/alerts/{alert.pk}/snooze/", said)
    assert answer.url == f"/alerts/{other.pk}/"
    page = as_ana.get(answer.url).content.decode()
    assert f'action="/alerts/{alert.pk}/wake/"' in page
    assert 'is snoozed until <time datetime="20' in page
    assert "Waits for" not in page
    as_ana.post(f"/alerts/{alert.pk}/wake/")
    assert Alert.objects.get(pk=alert.pk).status == "NEW"


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"when": "tomorrow"}, 400, "Say why it waits."),
        ({"why": "x", "when": "never"}, 400, "is no such moment"),
        ({"why": "x", "when": "date"}, 400, "on which day"),
        ({"why": "x", "when": "date", "day": "2020-01-01"}, 409, "is past"),
        ({"why": "x", "when": "date", "day": "soon"}, 400, "Write the day like"),
    ],
)
def test_a_wrong_form_is_answered_with_its_reason(cards, as_ana, said, status, words):
    alert = making.alert(cards)
    answer = as_ana.post(f"/alerts/{alert.pk}/snooze/", said)
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert Alert.objects.get().status == "NEW"


def test_many_at_once_and_all_of_it_back(cards, lena):
    making.assign_perm("work_queue", lena, cards)
    alerts = [making.alert(cards) for _ in range(3)]
    before = [row(one) for one in alerts]
    choices = [bulk.Choice(one.pk) for one in alerts]
    until = timezone.now() + HOUR
    done = bulk.act(by=lena, action=Bulk.Action.SNOOZE, choices=choices, reason="Holiday",
                    until=until)  # fmt: skip
    assert Alert.objects.asleep().count() == 3
    bulk.undo(by=lena, bulk=done)
    assert [row(one) for one in alerts] == before
    with pytest.raises(triage.Refused, match="when they come back"):
        bulk.act(by=lena, action=Bulk.Action.SNOOZE, choices=choices, reason="Holiday")


def test_the_form_for_many_says_until_when(cards, lena):
    making.assign_perm("work_queue", lena, cards)
    alert = making.alert(cards)
    said = {"alert": f"{alert.pk}:1", "action": "SNOOZE", "when": "monday", "reason": "Holiday"}
    client_of(lena).post("/alerts/bulk/act/", said)
    assert Alert.objects.get().snoozed_until.weekday() == 0


@pytest.mark.parametrize(
    ("choice", "zone", "expected"),
    [
        ("hour", "UTC", datetime(2026, 11, 21, 18, 30, tzinfo=UTC)),
        ("tomorrow", "UTC", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("tomorrow", "Asia/Kolkata", datetime(2026, 11, 22, 2, 30, tzinfo=UTC)),
        ("tomorrow", "Pacific/Auckland", datetime(2026, 11, 22, 19, tzinfo=UTC)),
        ("monday", "America/New_York", datetime(2026, 11, 23, 13, tzinfo=UTC)),
        ("date", "Nowhere/Atlantis", datetime(2026, 12, 1, 8, tzinfo=UTC)),
    ],
)
def test_mornings_are_those_of_whoever_asks(choice, zone, expected):
    now = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)
    day = date(2026, 12, 1)
    assert moments.moment_of(choice, now=now, zone=zone, day=day) == expected


def test_the_undo_key_knows_the_last_thing_done_wherever_one_is_since(cards, as_ana):
    alert, other = making.alert(cards, amount="900"), making.alert(cards, amount="10")
    as_ana.post(f"/alerts/{alert.pk}/snooze/", {"why": "Not reached", "when": "tomorrow"})
    as_ana.get(f"/alerts/{other.pk}/")  # tells it, once
    for address in (f"/alerts/{other.pk}/", "/alerts/"):
        page = as_ana.get(address).content.decode()
        assert f'action="/alerts/{alert.pk}/wake/"' in page
        assert f"Undo {alert}<" in page
    as_ana.post(f"/alerts/{alert.pk}/wake/")
    as_ana.get("/alerts/")
    assert f"Undo {alert}" not in as_ana.get("/alerts/").content.decode()
