"""Decisions made again: the same bits, or the rows named that were not there yet."""

from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from scoring import history, labels, replaying
from scoring.engine import features
from scoring.engine.history import History, Rows
from scoring.models import Decision, Snapshot, Transaction
from tests.scoring import making, paying
from tests.scoring.test_deciding import payment, send

pytestmark = pytest.mark.django_db(transaction=True)


def replayed(**options: object) -> str:
    out = StringIO()
    call_command("replay", stdout=out, **options)
    return out.getvalue()


def decisions() -> list[Decision]:
    return list(Decision.objects.select_related("model", "policy", "transaction"))


def test_files_and_requests_come_out_the_same() -> None:
    making.first_model()
    rows = [*making.ordinary_rows(40), making.ordinary_rows(41)[40]]
    head, *lines = making.csv_of(rows).decode().split()
    shops = [f"{line},Shop {number % 3}" for number, line in enumerate(lines)]
    making.send("\n".join([f"{head},merchant", *shops, ""]).encode())
    making.work_through()
    send(payment(amount="20000", merchant="Shop 1"))
    said = replayed(last=100)
    assert "42 decisions" in said
    assert "42 from the vector" in said
    assert "42 from history" in said
    assert "No differences." in said


def test_a_changed_score_is_a_difference() -> None:
    making.first_model()
    send(payment())
    Decision.objects.update(risk_score=0.123)
    with pytest.raises(CommandError, match="1 difference"):
        replayed(last=1)


def test_a_changed_vector_is_a_difference() -> None:
    making.first_model()
    send(payment())
    kept = Snapshot.objects.get()
    vector = bytearray(kept.vector)
    vector[0] ^= 1  # the last bit of the amount
    Snapshot.objects.update(vector=bytes(vector))
    report = replaying.replay(decisions())
    assert any("history gives other values of amount" in text for text in report.differences)


def test_what_an_older_release_decided_comes_out_the_same() -> None:
    making.first_model()
    send(payment())
    kept = Snapshot.objects.get()
    older = bytes(kept.vector)[: 8 * features.FIRST]
    Snapshot.objects.update(vector=older, spec=features.spec_id(features.FIRST))
    report = replaying.replay(decisions())
    assert (report.counts["from the vector"], report.counts["from history"]) == (1, 1)
    assert not report.differences


def test_a_row_that_was_under_way_then_is_named() -> None:
    making.first_model()
    now = timezone.now()
    send(payment(transaction_id="first", timestamp=(now - timedelta(minutes=9)).isoformat()))
    second = send(payment(transaction_id="second", timestamp=now.isoformat()))
    # As if it had been recorded before the decision and committed after it.
    Transaction.objects.create(
        **{
            field.name: getattr(Transaction.objects.get(external_id="first"), field.name)
            for field in Transaction._meta.concrete_fields
            if field.name not in {"id", "external_id", "recorded_at"}
        },
        external_id="unseen",
        recorded_at=second.decided_at,
    )
    report = replaying.replay(decisions())
    assert not report.differences
    unseen = Transaction.objects.get(external_id="unseen").pk
    assert any(f"not yet committed then: {unseen}" in note for note in report.notes)


def counted(events: Rows, past: History) -> np.ndarray:
    """Stands for the features: how much there is of each part of the past."""
    parts = (past.by_user, past.by_merchant, past.hours["count"], past.frauds)
    sums = [len(parts[0]), len(parts[1]), int(parts[2].sum()), len(parts[3])]
    return np.array([sums], np.float64)


def test_payments_of_the_merchant_and_labels_under_way_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features, "compute", counted)
    hours = [paying.START - timedelta(hours=hours) for hours in (50, 20, 0, 0)]
    a, b, _, event = paying.stored(
        *(paying.payment(f"p{n}", hours[n], user=n % 2 + 1) for n in range(4))
    )
    Transaction.objects.filter(pk=a.pk).update(recorded_at=timezone.now() - timedelta(hours=1))
    labels.from_file([("p0", "TRUE_FRAUD", paying.START)], source=event.source)
    events, known_at = history.stored_events([event.pk]), timezone.now()
    past = history.read_one(events, known_at=known_at, recount=True)
    assert counted(events, past).tolist() == [[2, 2, 2, 3]]

    def late(*seen: int) -> list[str] | None:
        return replaying._late(past, events, known_at, np.array(seen, np.float64))

    assert late(1, 2, 1, 3) == [str(b.pk)], "an hour before that is only a sum"
    assert late(2, 2, 2, 0) == ["labels"]
    assert late(1, 2, 1, 0) == [str(b.pk), "labels"]
    assert late(2, 2, 1, 3) == ["sums of the merchant"]
    assert late(1, 2, 0, 0) is None, "the other was there long before"


def test_a_row_that_appears_long_after_is_a_difference() -> None:
    making.first_model()
    first = send(payment(transaction_id="first"))
    like = Transaction.objects.get()
    values = {
        field.name: getattr(like, field.name)
        for field in Transaction._meta.concrete_fields
        if field.name not in {"id", "external_id", "recorded_at", "event_time"}
    }
    Transaction.objects.create(
        **values,
        external_id="forged",
        recorded_at=first.decided_at - timedelta(hours=1),
        event_time=like.event_time - timedelta(hours=1),
    )
    assert replaying.replay(decisions()).differences


def test_a_degraded_decision_is_checked_as_far_as_it_can_be() -> None:
    send(payment(amount="20000"))
    said = replayed(last=1)
    assert "1 degraded, rules and outcome" in said
    assert "No differences." in said


def test_a_vector_that_is_no_longer_kept_is_said() -> None:
    making.first_model()
    send(payment())
    Snapshot.objects.all().delete()
    assert "1 without their vector" in replayed(last=1)


def test_numbers_nobody_knows_are_refused() -> None:
    with pytest.raises(CommandError, match="not decided"):
        replayed(ids=[999_999])
