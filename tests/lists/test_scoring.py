"""The lists where decisions are made: at once, alike by every way in, and found again by replay."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from alerts.routing import sweep
from scoring import current, lists, replaying
from scoring.batch import decide_many
from scoring.models import Decision, ListEntry
from tests.lists.making import allowed, denied, soon
from tests.scoring import making
from tests.scoring.test_deciding import parsed, payment, rest, send

pytestmark = pytest.mark.django_db(transaction=True)


def decided(id: str = "t1") -> tuple[str, str, list[str]]:
    found = Decision.objects.get(transaction__external_id=id)
    return found.outcome, found.level, found.reason_codes


def replayed() -> replaying.Report:
    rows = Decision.objects.select_related("model", "policy", "transaction")
    return replaying.replay(list(rows))


@pytest.mark.parametrize(
    "entity, field, value",
    [
        ("user", "user_id", "u1"),
        ("card", "card_id", "c1"),
        ("device", "device_id", "d1"),
        ("merchant", "merchant_name", "ACME  shop"),
    ],
)
def test_who_is_denied_is_blocked_and_the_entry_is_named(ana, entity, field, value):
    making.first_model()
    entry = denied(ana, entity, "Acme Shop" if entity == "merchant" else value)
    answer = send(payment(**{field: value}))
    assert (answer.outcome, answer.level, answer.reason_codes) == (
        "BLOCK", "CRITICAL", ["DENY_LIST"],
    )  # fmt: skip
    assert answer.hits[0]["sentence"] == f"This {entity} is on the deny list, entry {entry}."


def test_file_batch_and_request_agree(ana):
    making.first_model()
    denied(ana, "user", "u3")
    rows = making.ordinary_rows(10, users=5)
    making.send(making.csv_of(rows))
    making.work_through()
    records = {0: payment(transaction_id="b1", user_id="u3"), 1: payment(transaction_id="b2")}
    decide_many({n: parsed(one) for n, one in records.items()}, source=rest(), records=records)
    send(payment(transaction_id="r1", user_id="u3"))
    blocked = Decision.objects.filter(outcome="BLOCK").values_list(
        "transaction__user_id", flat=True
    )
    assert list(blocked) == ["u3"] * 4
    assert Decision.objects.get(transaction__external_id="b2").reason_codes == []


def test_a_denied_one_is_blocked_without_a_model_too(ana):
    denied(ana, "user", "u1")
    assert send(payment()).outcome == "BLOCK"


def test_when_scoring_breaks_the_deny_list_still_holds(ana, monkeypatch):
    making.first_model()
    denied(ana, "user", "u1")
    known = current.current_scorer()
    monkeypatch.setattr(known.scorer, "score", None)
    answer = send(payment())
    assert (answer.outcome, answer.degraded[:14]) == ("BLOCK", "scoring failed")


def test_a_denied_one_is_blocked_within_two_seconds(ana):
    making.first_model()
    assert send(payment()).outcome != "BLOCK"
    denied(ana, "user", "u1")
    deadline, number = time.monotonic() + 2, 1
    while send(payment(transaction_id=f"t{(number := number + 1)}")).outcome != "BLOCK":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_lists_cost_a_payment_no_question_to_the_database(ana):
    making.first_model()
    current.current_scorer()
    send(payment())
    with connection.execute_wrapper(before := Counted()):
        send(payment(transaction_id="t2"))
    denied(ana, "user", "u9")
    time.sleep(current.FRESH_SECONDS)
    current.current_scorer()
    with connection.execute_wrapper(after := Counted()):
        send(payment(transaction_id="t3"))
    assert after.number == before.number


class Counted:
    """How many statements were sent."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, execute, sql, params, many, context):
        self.number += 1
        return execute(sql, params, many, context)


def test_ended_or_run_out_it_blocks_no_more(ana):
    making.first_model()
    entry = denied(ana, "user", "u1")
    assert send(payment()).outcome == "BLOCK"
    lists.end(by=ana, entry=entry, reason="a mistake")
    time.sleep(current.FRESH_SECONDS)
    assert send(payment(transaction_id="t2")).outcome != "BLOCK"
    denied(ana, "user", "u1", expires_at=timezone.now() + timedelta(seconds=2.5))
    time.sleep(current.FRESH_SECONDS)
    assert send(payment(transaction_id="t3")).outcome == "BLOCK"
    time.sleep(2.5)  # nobody changed anything: its time is over
    assert send(payment(transaction_id="t4")).outcome != "BLOCK"


def test_only_the_lists_are_read_again_not_the_model(ana, monkeypatch):
    making.first_model()
    send(payment())
    before = current.current_scorer()
    denied(ana, "user", "u1")
    time.sleep(current.FRESH_SECONDS)
    after = current.current_scorer()
    assert after.scorer.bundle is before.scorer.bundle
    assert len(after.scorer.lists) == 1


def test_a_blocked_one_is_an_alert_with_the_entry_as_its_reason(ana):
    making.first_model()
    entry = denied(ana, "user", "u1")
    send(payment())
    sweep()
    decision = Decision.objects.get()
    assert decision.hit.alert.reason_codes == ["DENY_LIST"]
    assert str(entry) in decision.hits[0]["sentence"]


def test_replayed_after_the_lists_changed_each_decision_is_the_same(ana):
    making.first_model()
    entry = denied(ana, "user", "u1")
    send(payment())
    send(payment(transaction_id="t2", user_id="u2"))
    lists.end(by=ana, entry=entry, reason="a mistake")
    denied(ana, "user", "u2")  # after its payment
    report = replayed()
    assert (report.differences, report.counts["decisions"]) == ([], 2)


def test_replay_sees_an_entry_that_says_something_else_now(ana):
    making.first_model()
    denied(ana, "user", "u1")
    send(payment())
    ListEntry.objects.update(key=4711)
    assert any("outcome was 'BLOCK'" in text for text in replayed().differences)


def test_degraded_decisions_that_met_an_entry_are_replayed_too(ana):
    denied(ana, "user", "u1")
    send(payment())
    send(payment(transaction_id="t2", user_id="u2"))
    assert replayed().differences == []


def test_one_who_is_allowed_is_not_reviewed_for_a_score_alone(ana, monkeypatch):
    """The cut is put below the score, so that this very payment is reviewed without the entry."""
    making.first_model()
    low = current.current_scorer().policy
    low.values = {**low.values, "high_above": 0.0, "low_below": 0.0}
    low.save()
    current.forget()
    assert send(payment()).outcome == "REVIEW"
    entry = allowed(ana, "user", "u1", expires_at=soon())
    time.sleep(current.FRESH_SECONDS)
    answer = send(payment(transaction_id="t2"))
    assert (answer.outcome, answer.reason_codes) == ("APPROVE", ["ALLOW_LIST"])
    assert str(entry) in answer.hits[0]["sentence"]
    large = send(payment(transaction_id="t3", amount="20000"))
    assert (large.outcome, "HIGH_AMOUNT" in large.reason_codes) == ("BLOCK", True)
    assert replayed().differences == []
