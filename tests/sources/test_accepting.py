"""Records that come as they happen: stored once, refused with reasons, decided by workers."""

from typing import Any

import pytest

from anomalyshield.accounts.models import User
from scoring import accepting
from scoring.accepting import Inactive, Sent, accept
from scoring.models import Chunk, Decision, Receipt, RejectedRecord, Source, Transaction
from scoring.sourcing import make_source
from tests.scoring import making
from tests.sources.conftest import event

pytestmark = pytest.mark.django_db


def sent(*records: Any) -> list[Sent]:
    return [Sent(record) for record in records]


@pytest.mark.django_db(transaction=True)
def test_good_records_are_stored_and_decided_later(till: Source) -> None:
    done = accept(source=till, sent=sent(event(1), event(2)), door="rest")
    assert (done.receipt.read, done.receipt.accepted, done.rejected) == (2, 2, {})
    assert sorted(done.stored) == [0, 1]
    assert not Decision.objects.exists()
    making.work_through()
    assert Decision.objects.count() == 2
    assert set(Chunk.objects.values_list("state", flat=True)) == {"DONE"}
    till.refresh_from_db()
    assert till.heard_at is not None


def test_bad_records_are_kept_beside_good_ones_with_their_place(till: Source) -> None:
    records = [
        Sent(event(1), place="payments/0/7"),
        Sent({"transaction_id": "e2", "amount": "x"}, place="payments/0/8"),
        Sent([1, 2], place="payments/0/9"),
        Sent(b"\xff\x00no json", place="payments/0/10", wrong={"record": "is not JSON"}),
    ]
    done = accept(source=till, sent=records, door="kafka")
    assert done.receipt.accepted == 1
    assert done.rejected[1].keys() == {"amount", "user_id"}
    assert done.rejected[1]["user_id"] == "is required"
    kept = {row.place: row for row in RejectedRecord.objects.all()}
    assert kept["payments/0/9"].reasons == {"record": "is not an object"}
    assert kept["payments/0/10"].record == {"raw": "\\xff␀no json"}
    assert kept["payments/0/8"].record == {"transaction_id": "e2", "amount": "x"}
    assert {row.receipt for row in kept.values()} == {done.receipt}


def test_the_same_again_is_stored_once_and_another_content_is_refused(till: Source) -> None:
    accept(source=till, sent=sent(event(1), event(2)), door="rest")
    records = [event(1), event(2, amount=11), event(3), event(3), event(3, amount=12)]
    done = accept(source=till, sent=sent(*records), door="rest")
    assert (sorted(done.stored), done.repeated, sorted(done.rejected)) == ([2], [0, 3], [1, 4])
    assert done.rejected[4] == {"transaction_id": "is already known with other content"}
    assert Transaction.objects.count() == 3


def test_a_message_is_taken_once(till: Source) -> None:
    first = accept(source=till, sent=sent(event(1)), door="webhook", message="msg_1")
    again = accept(source=till, sent=sent(event(1)), door="webhook", message="msg_1")
    assert again.again
    assert again.receipt == first.receipt
    assert Receipt.objects.count() == 1


def test_a_source_that_is_off_takes_nothing(till: Source) -> None:
    till.active = False
    with pytest.raises(Inactive):
        accept(source=till, sent=sent(event(1)), door="rest")
    assert not Transaction.objects.exists()


def test_what_breaks_before_the_commit_leaves_nothing(till: Source, monkeypatch) -> None:
    monkeypatch.setattr(accepting.faults, "point", lambda name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        accept(source=till, sent=sent(event(1), {"no": "thing"}), door="rest")
    for model in (Transaction, RejectedRecord, Receipt, Chunk):
        assert not model.objects.exists()


def test_a_schema_refuses_field_by_field(dana: User) -> None:
    schema = {
        "type": "object",
        "properties": {"user_id": {"type": "string"}, "amount": {"type": "number", "minimum": 1}},
        "required": ["user_id", "amount", "channel"],
    }
    strict = make_source(by=dana, name="strict", kind="rest", schema=schema)
    records = [event(1, channel="pos"), event(2, amount=0.5, channel="pos"), event(3, user_id=7)]
    done = accept(source=strict, sent=sent(*records, {"transaction_id": "e9"}), door="rest")
    assert sorted(done.stored) == [0]
    assert done.rejected[1] == {"amount": "is below 1"}
    assert done.rejected[2] == {"user_id": "is not a string", "channel": "is required"}
    assert done.rejected[3]["user_id"] == "is required"
