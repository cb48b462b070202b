"""Snoozing, merging, splitting, suppressing and playbooks for programs: the verbs of the pages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts import snoozing
from alerts.models import Alert, Queue
from anomalyshield.accounts.models import User
from tests.alerts import making
from tests.rest.asking import answer, get, pointers, post

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def in_(days: float) -> str:
    return (timezone.now() + days * DAY).isoformat()


def test_an_alert_is_snoozed_listed_and_taken_up_again(cards: Queue, ana: User) -> None:
    alert = making.alert(cards)
    said = {"until": in_(1), "reason": "Not reached", "for_customer": True}
    told = post(ana, f"alerts/{alert.pk}/snooze", said)
    assert (told["status"], told["snoozed_until"] is not None) == ("PENDING_INFO", True)
    assert get(ana, "alerts")["results"] == []
    assert [one["id"] for one in get(ana, "alerts", status="snoozed")["results"]] == [alert.pk]
    assert post(ana, f"alerts/{alert.pk}/wake")["status"] == "NEW"
    refused = post(ana, f"alerts/{alert.pk}/wake", None, 409)
    assert "is not snoozed" in refused["detail"]


def test_what_is_wrong_with_a_snooze_is_pointed_at(cards: Queue, ana: User) -> None:
    alert = making.alert(cards)
    assert pointers(post(ana, f"alerts/{alert.pk}/snooze", {"until": "soon"}, 400)) == [
        "/until", "/reason",
    ]  # fmt: skip
    late = post(ana, f"alerts/{alert.pk}/snooze", {"until": in_(40), "reason": "x"}, 409)
    assert "30 days" in late["detail"]


def test_what_came_back_stands_first_until_a_program_of_somebody_reads_it(
    cards: Queue, ana: User
) -> None:
    alert, dear = making.alert(cards, amount="10"), making.alert(cards, amount="9000")
    post(ana, f"alerts/{alert.pk}/snooze", {"until": in_(1), "reason": "Not reached"})
    Alert.objects.asleep().update(snoozed_until=timezone.now())
    snoozing.wake_due()
    assert post(ana, "alerts/next", {})["id"] == alert.pk
    assert [one["id"] for one in get(ana, "alerts")["results"]] == [dear.pk, alert.pk]


def test_many_are_snoozed_at_once(cards: Queue, lena: User) -> None:
    making.assign_perm("work_queue", lena, cards)
    alert = making.alert(cards)
    body = {"action": "SNOOZE", "alerts": [{"alert": alert.pk, "seen": 1}], "reason": "Holiday"}
    assert "come back" in post(lena, "alerts/bulk", body, 409)["detail"]
    post(lena, "alerts/bulk", {**body, "until": in_(2)}, 201)
    assert Alert.objects.get().status == "SNOOZED"


def test_alerts_are_merged_split_and_put_back(cards: Queue, ana: User) -> None:
    into, other = making.alert(cards, amount="100"), making.alert(cards, amount="50")
    done = post(ana, f"alerts/{into.pk}/merge", {"alerts": [other.pk]}, 201)
    assert (done["into"], done["payments"]) == (into.pk, {str(other.pk): 1})
    assert get(ana, f"alerts/{other.pk}")["merged_into"] == into.pk
    part = post(ana, f"alerts/{into.pk}/split", {"transactions": [other.transaction_id]}, 201)
    assert get(ana, f"alerts/{part['into']}")["hit_count"] == 1
    post(ana, f"alerts/regroupings/{part['id']}/undo")
    assert post(ana, f"alerts/regroupings/{done['id']}/undo")["undone_by"] == "ana"
    assert get(ana, f"alerts/{other.pk}")["status"] == "NEW"
    unknown = post(ana, f"alerts/{into.pk}/merge", {"alerts": [10**9]}, 400)
    assert pointers(unknown) == ["/alerts"]


def test_a_duplicate_names_its_original(cards: Queue, ana: User) -> None:
    alert, of = making.alert(cards), making.alert(cards)
    told = post(ana, f"alerts/{alert.pk}/duplicate", {"of": of.pk, "note": "Sent twice."})
    assert (told["disposition"], told["duplicate_of"]) == ("DUPLICATE", of.pk)
    assert pointers(post(ana, f"alerts/{of.pk}/duplicate", {"of": 10**9}, 400)) == ["/of"]
    wrong = post(ana, f"alerts/{of.pk}/decide", {"disposition": "DUPLICATE"}, 400)
    assert pointers(wrong) == ["/disposition"]


def test_a_suppression_is_made_read_and_ended(cards: Queue, ana: User, mona: User) -> None:
    alert = making.alert(cards, score=0.2, reason_codes=["HIGH_AMOUNT"])
    said = {"codes": ["HIGH_AMOUNT"], "kind": "user", "reason": "House.", "expires_at": in_(7)}
    [pk] = post(ana, f"alerts/{alert.pk}/suppress", said, 201)["suppressions"]
    told = get(ana, f"suppressions/{pk}")
    assert (told["value"], told["reason"], told["hits"]) == ("customer-0042", "House.", 0)
    masked = get(mona, "suppressions")["results"][0]
    assert "customer-0042" not in str(masked)
    assert masked["reason"] == ""
    assert get(ana, f"suppressions/{pk}/kept-out")["results"] == []
    post(ana, f"suppressions/{pk}/end", {"reason": "Bought."})
    assert get(ana, "suppressions")["results"] == []
    assert len(get(ana, "suppressions", over="true")["results"]) == 1
    wrong = post(ana, f"alerts/{alert.pk}/suppress", {**said, "codes": ["DENY_LIST"]}, 400)
    assert pointers(wrong) == ["/codes/0"]


def test_playbooks_are_read_by_all_and_written_by_leads(ana: User, lena: User) -> None:
    assert len(get(ana, "playbooks")["playbooks"]) == len(Alert.Typology.values)
    book = get(ana, "playbooks/MULE")
    assert (book["version"], book["at"]) == (0, None)
    said = {"text": "Money in, money out.", "steps": ["Hold it."], "reason": "Short.", "seen": 0}
    assert "A lead" in post(ana, "playbooks/MULE", said, 409)["detail"]
    assert post(lena, "playbooks/MULE", said, 201)["version"] == 1
    assert "meanwhile" in post(lena, "playbooks/MULE", said, 409)["detail"]
    assert answer(ana, "get", "playbooks/NOTHING").status_code == 404


def test_evidence_adds_up_and_is_masked_for_who_reads_along(
    cards: Queue, ana: User, mona: User
) -> None:
    alert = making.alert(cards)
    told = get(ana, f"alerts/{alert.pk}/evidence")
    assert (told["schema"], told["version"]) == ("anomalyshield.alert-evidence", 1)
    assert told["payments"][0]["user"] == "customer-0042"
    assert told["payments"][0]["decision"]["policy"]["version"] == 1
    assert "customer-0042" not in str(get(mona, f"alerts/{alert.pk}/evidence"))
