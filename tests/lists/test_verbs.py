"""Who may put whom on which list, for how long, and what is refused in which words."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from anomalyshield.audit.models import AuditEvent
from scoring import listed, lists
from scoring.engine.keys import entity_key, folded_key
from scoring.models import ListEntry, ListVersion
from tests.lists.making import allowed, denied, soon, wish

pytestmark = pytest.mark.django_db


def in_force() -> int:
    return len(listed.in_force()[0])


def version() -> int:
    return ListVersion.objects.values_list("version", flat=True).first() or 0


def test_denied_by_one_person_is_in_force_at_once(ana):
    entry = denied(ana, expires_at=None)
    assert (str(entry), entry.state, entry.key) == (f"L-{entry.pk}", "ACTIVE", entity_key("c1"))
    assert (in_force(), version()) == (1, 1)


def test_allowed_waits_for_a_second_person(ana, lena):
    entry = lists.put(by=ana, wish=wish("ALLOW"))
    assert (entry.state, in_force()) == ("PROPOSED", 0)
    with pytest.raises(lists.Refused, match="You proposed L-"):
        lists.approve(by=ana_as_lead(ana), entry=entry)
    entry = lists.approve(by=lena, entry=entry)
    assert (entry.state, entry.approved_by, in_force()) == ("ACTIVE", lena, 1)


def ana_as_lead(ana):
    ana.is_lead = True
    return ana


def test_the_second_person_is_a_lead_or_an_admin(ana, lena, adam):
    entry = lists.put(by=lena, wish=wish("ALLOW"))
    with pytest.raises(lists.Refused, match="A lead or an admin approves L-"):
        lists.approve(by=ana, entry=entry)
    assert lists.approve(by=adam, entry=entry).state == "ACTIVE"


def test_where_one_person_is_enough_allowed_is_in_force_at_once(ana, settings):
    settings.FOUR_EYES = False
    entry = lists.put(by=ana, wish=wish("ALLOW"))
    assert (entry.state, entry.approved_by) == ("ACTIVE", ana)


def test_the_database_allows_nobody_by_one_person(ana):
    entry = lists.put(by=ana, wish=wish("ALLOW"))
    with pytest.raises(IntegrityError, match="allowed_by_a_second_person"), transaction.atomic():
        ListEntry.objects.filter(pk=entry.pk).update(state="ACTIVE", approved_by=ana)
    with pytest.raises(IntegrityError, match="allowed_by_a_second_person"), transaction.atomic():
        ListEntry.objects.filter(pk=entry.pk).update(state="ACTIVE")


@pytest.mark.parametrize(
    "change, field, words",
    [
        ({"kind": "GREY"}, "kind", "deny or allow"),
        ({"entity": "city"}, "entity", "users, cards, devices and merchants"),
        ({"value": " "}, "value", "Say which card"),
        ({"value": "x" * 129}, "value", "too long"),
        ({"value": "a\x00b"}, "value", "Say which card"),
        ({"reason": "  "}, "reason", "Say why"),
        ({"reason": "x" * 501}, "reason", "500 characters"),
        ({"kind": "ALLOW", "expires_at": None}, "expires", "needs an end"),
        ({"kind": "ALLOW", "expires_at": soon(181)}, "expires", "at most 180 days"),
        ({"expires_at": soon(-1)}, "expires", "past already"),
    ],
)
def test_what_is_wrong_is_said_with_its_field(ana, change, field, words):
    with pytest.raises(lists.Refused, match=words) as refusal:
        lists.put(by=ana, wish=wish(**change))
    assert refusal.value.field == field
    assert (ListEntry.objects.count(), version()) == (0, 0)


def test_a_merchant_is_known_whatever_its_case_and_spacing(ana):
    entry = denied(ana, "merchant", "  Acme   Shop ")
    assert (entry.value, entry.key) == ("Acme Shop", folded_key("acme shop"))


def test_twice_is_once(ana, lena):
    first = denied(ana)
    with pytest.raises(lists.Already, match=f"on the deny list already: {first}"):
        denied(lena)


def test_nobody_is_allowed_while_denied(ana):
    first = denied(ana)
    with pytest.raises(lists.Refused, match=f"end {first} first"):
        lists.put(by=ana, wish=wish("ALLOW"))


def test_one_who_is_allowed_can_be_denied_at_once(ana):
    allowed(ana)
    denied(ana)
    assert in_force() == 2


def test_ended_it_has_no_effect_and_stays_with_its_reason(ana, lena):
    entry = lists.end(by=lena, entry=denied(ana), reason="found again")
    assert (entry.state, entry.ended_by, entry.ended_because) == ("ENDED", lena, "found again")
    assert (in_force(), ListEntry.objects.count(), version()) == (0, 1, 2)
    with pytest.raises(lists.Refused, match="has ended already"):
        lists.end(by=lena, entry=entry, reason="again")
    assert denied(ana).pk != entry.pk


def test_without_a_reason_nothing_ends(ana):
    with pytest.raises(lists.Refused, match="Say why it ends"):
        lists.end(by=ana, entry=denied(ana), reason=" ")


@pytest.mark.parametrize(
    "change, words",
    [
        ({"state": "ENDED"}, "has ended. Propose it again"),
        ({"expires_at": timezone.now() - timedelta(hours=1)}, "is over"),
    ],
)
def test_what_is_over_is_not_approved(ana, lena, change, words):
    entry = lists.put(by=ana, wish=wish("ALLOW"))
    ListEntry.objects.update(**change)
    with pytest.raises(lists.Refused, match=words):
        lists.approve(by=lena, entry=entry)


def test_its_time_over_it_has_no_effect_is_marked_and_can_be_made_again(ana):
    entry = denied(ana)
    then = timezone.now() - timedelta(seconds=1)
    ListEntry.objects.update(expires_at=then)
    assert in_force() == 0
    assert denied(ana).state == "ACTIVE"
    entry.refresh_from_db()
    assert (entry.state, entry.ended_at, entry.ended_by) == ("ENDED", then, None)
    assert (lists.end_run_out(), in_force()) == (0, 1)


def test_the_trail_knows_what_was_done_but_not_about_whom(ana, lena):
    entry = lists.put(by=ana, wish=wish("ALLOW", value="4000-secret", reason="Mrs Example"))
    lists.end(by=ana, entry=lists.approve(by=lena, entry=entry), reason="Mrs Example again")
    found = AuditEvent.objects.filter(object_type="scoring.listentry").order_by("pk")
    assert [event.action for event in found] == ["list.added", "list.approved", "list.ended"]
    said = "".join(f"{one.before}{one.after}{one.reason}" for one in found)
    assert "secret" not in said
    assert "Example" not in said


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_told_it_stands_there(ana, lena):
    start = Barrier(2)

    def put(person) -> str:
        try:
            start.wait()
            return denied(person).state
        except lists.Refused as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(put, [ana, lena]))
    assert answers[0] == "ACTIVE"
    assert "on the deny list already" in answers[1]
