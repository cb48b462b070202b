"""The quarantine: what was refused is seen, mended, replayed one or all, or let go."""

import json
from typing import Any

import pytest
from django.utils import timezone

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from anomalyshield.models import Heartbeat
from scoring import mending, personal
from scoring.accepting import Sent, accept
from scoring.keeping import set_keepers
from scoring.models import Label, RejectedRecord, Source, Transaction
from scoring.sourcing import change_source, make_source
from tests.conftest import client_of
from tests.rest.asking import get, pointers, post
from tests.scoring import making
from tests.sources.conftest import event

pytestmark = pytest.mark.django_db
State = RejectedRecord.State


def refused(source: Source, *records: Any) -> list[RejectedRecord]:
    accept(source=source, sent=[Sent(one) for one in records], door="rest")
    return list(RejectedRecord.objects.order_by("pk"))


def test_a_mended_record_becomes_a_payment_once(till: Source, dana: User) -> None:
    (reject,) = refused(till, event(1, amount="x"))
    page = f"/sources/refused/{reject.pk}/"
    client = client_of(dana)
    assert "is not a plain number" in client.get(page).content.decode()
    still = client.post(f"{page}replay/", {"record": json.dumps(event(1, amount="y"))})
    assert (still.status_code, Transaction.objects.count()) == (400, 0)
    done = client.post(f"{page}replay/", {"record": json.dumps(event(1, amount=7))}, follow=True)
    assert "The record is taken" in done.content.decode()
    reject.refresh_from_db()
    assert (reject.state, reject.mended["amount"], reject.settled_by) == (State.ACCEPTED, 7, dana)
    assert reject.became == Transaction.objects.get()
    again = client.post(f"{page}replay/", {"record": json.dumps(event(1, amount=7))})
    assert again.status_code == 409
    told = AuditEvent.objects.get(action="reject.replayed")
    assert told.after == {"changed": ["amount"]}


def test_after_the_source_is_mended_all_are_replayed_as_they_are(till: Source, dana: User) -> None:
    rows = [{"Ref": f"r{n}", "user_id": "u", "amount": 5} for n in range(3)]
    refused(till, *rows, {"Ref": "r9", "amount": 5})
    change_source(by=dana, source=till, mapping={"Ref": "transaction_id"})
    told = post(dana, "rejects/replay", {"source": "till"})
    assert told == {"taken": 3, "still": 1, "left": 0}
    (left,) = RejectedRecord.objects.waiting()
    assert left.reasons == {"user_id": "is required"}
    assert Transaction.objects.count() == 3
    assert RejectedRecord.objects.count() == 4, "what is refused again is no second record"


def test_only_those_of_one_reason_are_replayed(till: Source, dana: User) -> None:
    refused(till, event(1, amount="x"), {"transaction_id": "e2", "amount": 5})
    counts = get(dana, "rejects/reasons", source="till")["results"]
    assert {(one["field"], one["records"]) for one in counts} == {("amount", 1), ("user_id", 1)}
    body = {"source": "till", "field": "user_id", "why": "is required"}
    assert post(dana, "rejects/replay", body) == {"taken": 0, "still": 1, "left": 0}
    assert pointers(post(dana, "rejects/replay", {"source": "till", "field": "a"}, 400)) == ["/why"]


def test_a_conflicting_duplicate_stays_and_leaves_no_copy(till: Source, dana: User) -> None:
    accept(source=till, sent=[Sent(event(1))], door="rest")
    (reject,) = refused(till, event(1, amount=11))
    problem = post(dana, f"rejects/{reject.pk}/replay", {}, 400)
    assert pointers(problem) == ["/record/transaction_id"]
    told = post(dana, f"rejects/{reject.pk}/replay", {"record": event(2, amount=11)})
    assert (told["state"], told["settled_by"]) == ("ACCEPTED", "dana")
    assert RejectedRecord.objects.count() == 1


def test_what_is_known_already_is_that_payment(till: Source, dana: User) -> None:
    accept(source=till, sent=[Sent(event(1))], door="rest")
    (reject,) = refused(till, event(1, amount="x"))
    told = post(dana, f"rejects/{reject.pk}/replay", {"record": event(1)})
    assert told["transaction"] == Transaction.objects.get().pk


def test_personal_fields_are_shown_by_their_ends_and_stay_whole(till: Source, dana: User) -> None:
    change_source(by=dana, source=till, pii=["user_id", "email"], mapping={"Cust": "user_id"})
    record = {
        "transaction_id": "e1",
        "Cust": "customer-0042",
        "email": "m@x.example",
        "amount": "x",
    }
    (reject,) = refused(Source.objects.get(pk=till.pk), record)
    shown = get(dana, f"rejects/{reject.pk}")["record"]
    assert shown == {"transaction_id": "e1", "Cust": "cu…42", "email": "m@…le", "amount": "x"}
    page = client_of(dana).get(f"/sources/refused/{reject.pk}/").content.decode()
    assert "customer-0042" not in page
    post(dana, f"rejects/{reject.pk}/replay", {"record": {**shown, "amount": 5}})
    stored = Transaction.objects.get()
    assert personal.as_sent(stored, "user_id") == "customer-0042"
    assert stored.user_id == personal.token_of("customer-0042")


def test_a_record_that_was_cut_is_written_whole_first(till: Source, dana: User) -> None:
    (reject,) = refused(till, event(1, amount="x", note="long " * 20_000))
    assert reject.cut
    post(dana, f"rejects/{reject.pk}/replay", {}, 409)
    assert post(dana, f"rejects/{reject.pk}/replay", {"record": event(1)})["state"] == "ACCEPTED"


def test_what_was_no_json_can_be_written_anew(till: Source, dana: User) -> None:
    accept(source=till, sent=[Sent(b"{", wrong={"record": "is not JSON"})], door="rest")
    reject = RejectedRecord.objects.get()
    assert post(dana, f"rejects/{reject.pk}/replay", {}, 400)["code"] == "invalid"
    assert post(dana, f"rejects/{reject.pk}/replay", {"record": event(5)})["state"] == "ACCEPTED"


def test_letting_go_wants_a_reason_and_is_final(till: Source, dana: User) -> None:
    one, two = refused(till, event(1, amount="x"), event(2, amount="x"))
    address = f"/sources/refused/{one.pk}/drop/"
    assert client_of(dana).post(address, {"reason": " "}).status_code == 409
    client_of(dana).post(address, {"reason": "A test of theirs."})
    one.refresh_from_db()
    assert one.state == State.DROPPED
    post(dana, f"rejects/{one.pk}/replay", {"record": event(1)}, 409)
    assert post(dana, "rejects/drop", {"source": "till", "reason": "Old."}) == {"dropped": 1}
    assert AuditEvent.objects.get(action="reject.all_dropped").reason == "Old."
    assert get(dana, "rejects", state="DROPPED")["results"][0]["id"] == two.pk


def test_time_in_quarantine_makes_nothing_late(till: Source, dana: User) -> None:
    (reject,) = refused(till, event(1, amount="x", timestamp="2026-01-01T00:00:00Z"))
    moment = reject.at.replace(year=2026, month=1, day=1)
    RejectedRecord.objects.update(at=moment)
    change_source(by=dana, source=till, late="REJECT", late_after=86_400)
    wanted = event(1, timestamp=moment.isoformat())
    assert post(dana, f"rejects/{reject.pk}/replay", {"record": wanted})["state"] == "ACCEPTED"


@pytest.mark.django_db(transaction=True)
def test_a_row_of_a_file_is_replayed_as_its_file_reads_it(dana: User) -> None:
    content = b"Ref,Cust,Sum,when,fraud,seen\nr1,u1,x,2026-01-01T10:00:00Z,1,2026-01-02T10:00:00Z\n"
    making.send(
        content, by=dana, mapping={"Ref": "transaction_id", "Cust": "user_id", "Sum": "amount",
        "when": "timestamp"}, label_column="fraud", label_known_column="seen",
    )  # fmt: skip
    making.work_through()
    reject = RejectedRecord.objects.get()
    mended = {**reject.record, "Sum": "12.50"}
    mending.replay(by=dana, reject=reject, record=mended)
    assert Label.objects.get().transaction == Transaction.objects.get()
    assert Label.objects.get().value == "TRUE_FRAUD"


def test_records_of_others_do_not_exist(till: Source, dana: User, adam: User) -> None:
    (reject,) = refused(till, event(1, amount="x"))
    set_keepers(by=adam, source=till, people=[], whole_team=False)
    for address in (f"rejects/{reject.pk}", "rejects"):
        got = get(dana, address, 404 if address[-1].isdigit() else 200)
        assert got.get("results", []) == []
    assert client_of(dana).get(f"/sources/refused/{reject.pk}/").status_code == 404
    form = {"source": "till", "do": "replay"}
    assert client_of(dana).post("/sources/refused/all/", form).status_code == 404
    post(dana, "rejects/replay", {"source": "till"}, 400)


def test_the_page_lists_by_reason_and_turns_pages(till: Source, dana: User) -> None:
    refused(till, *[event(n, amount="x") for n in range(60)], {"transaction_id": "z", "amount": 1})
    client = client_of(dana)
    first = client.get("/sources/refused/?source=till")
    assert len(first.context["rejects"]) == 50
    assert first.context["more"]
    older = client.get(f"/sources/refused/?source=till&before={first.context['more']}")
    assert len(older.context["rejects"]) == 11
    only = client.get("/sources/refused/", {"field": "user_id", "why": "is required"})
    assert [one.record["transaction_id"] for one, _ in only.context["rejects"]] == ["z"]
    for odd in (
        {"before": "x"},
        {"before": "9" * 30},
        {"source": "\x00"},
        {"field": "\x00", "why": "é" * 999},
    ):
        assert client.get("/sources/refused/", odd).status_code == 200
    done = client.post("/sources/refused/all/", {"source": "till", "do": "replay"}, follow=True)
    assert "0 records are taken, 61 are still refused." in done.content.decode()


def test_how_a_source_fares_is_told(till: Source, dana: User) -> None:
    accept(source=till, sent=[Sent(event(n)) for n in range(3)], door="rest")
    refused(till, event(9, amount="x"))
    told = get(dana, f"sources/{till.pk}/health")
    assert (told["events"], told["rejected_day"], told["rejected_waiting"]) == (3, 1, 1)
    assert told["per_minute"] > 0
    assert told["heard_at"] is not None
    assert -1 < told["lag"] <= told["lag_most"] < 60
    shown = client_of(dana).get(f"/sources/{till.pk}/").content.decode()
    assert "Last heard of" in shown


def test_a_source_nothing_came_from_has_no_lag(till: Source, dana: User) -> None:
    told = get(dana, f"sources/{till.pk}/health")
    assert (told["events"], told["lag"], told["heard_at"], told["per_minute"]) == (0, None, None, 0)


def test_the_engineer_sees_whether_a_topic_is_read_and_how_much_waits(dana: User) -> None:
    bank = make_source(by=dana, name="bank", kind="kafka", connection={"topic": "payments"})
    page, address = client_of(dana), f"/sources/{bank.pk}/"
    assert "Nobody reads it." in page.get(address).content.decode()
    Heartbeat.objects.create(name=f"stream:{bank.pk}", at=timezone.now())
    for number, end in enumerate((1010, 10)):
        bank.positions.create(
            cluster="c", topic="payments", partition=number, next_offset=10, end_offset=end
        )
    shown = page.get(address).content.decode()
    assert ("Nobody reads it." in shown, ">1000<" in shown) == (False, True)
    told = get(dana, f"sources/{bank.pk}/health")
    assert (told["messages_waiting"], told["reader_at"] is not None) == (1000, True)


def test_the_page_says_how_many_are_left_after_many(
    till: Source, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(till, *({"transaction_id": f"r{n}", "amount": 5} for n in range(3)))
    monkeypatch.setattr(mending, "MOST", 2)
    monkeypatch.setattr(mending, "AT_ONCE", 2)
    done = client_of(dana).post("/sources/refused/all/", {"source": "till"}, follow=True)
    assert "1 were not tried yet: replay again." in done.content.decode()
