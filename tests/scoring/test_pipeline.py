"""From a file to decisions: stored once, decided once, with vectors that come back."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from anomalyshield import leases
from scoring import current, explaining, history, wire
from scoring.engine import features
from scoring.models import (
    Chunk,
    Decision,
    Explanation,
    Label,
    ModelVersion,
    RejectedRecord,
    Snapshot,
    Transaction,
    Upload,
)
from scoring.tasks import do_next, work_named
from tests.scoring import making

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_row_of_a_file_is_stored_and_decided_once() -> None:
    making.first_model()
    upload = making.send(making.csv_of(making.ordinary_rows()))
    making.work_through()
    upload.refresh_from_db()
    assert (upload.state, upload.stage) == (Upload.State.DONE, Upload.Stage.FINISHED)
    assert (upload.read, upload.accepted, upload.rejected, upload.scored) == (200, 200, 0, 200)
    assert Transaction.objects.count() == Decision.objects.count() == 200
    assert Snapshot.objects.count() == 200
    assert not Decision.objects.exclude(degraded="").exists()


def test_debugging_changes_nothing() -> None:
    making.first_model()
    making.send(making.csv_of(making.ordinary_rows(5)))
    with CaptureQueriesContext(connection):  # the cursor that DEBUG=1 uses
        making.work_through()
    assert Decision.objects.count() == 5


def test_the_same_file_again_changes_nothing() -> None:
    making.first_model()
    content = making.csv_of(making.ordinary_rows(20))
    first = making.send(content)
    making.work_through()
    assert making.send(content).pk == first.pk
    other = making.send(content + b"\n")
    making.work_through()
    other.refresh_from_db()
    assert (other.accepted, other.repeated) == (0, 20)
    assert Decision.objects.count() == 20


def test_a_known_id_with_other_content_is_rejected_with_its_reason() -> None:
    making.first_model()
    making.send(making.csv_of(["t1,u1,10.00,2026-11-01T10:00:00Z,food,Delhi,d1"]))
    making.work_through()
    making.send(making.csv_of(["t1,u1,11.00,2026-11-01T10:00:00Z,food,Delhi,d1"]))
    making.work_through()
    assert RejectedRecord.objects.get().reasons == {
        "transaction_id": "is already known with other content"
    }
    assert str(Transaction.objects.get().amount) == "10.0000"


def test_a_bad_row_is_kept_with_field_and_reason_and_stops_nothing() -> None:
    making.first_model()
    rows = making.ordinary_rows(5)
    rows.insert(2, "bad,u1,ten,2026-11-01T10:00:00Z,food,Delhi,d1")
    making.send(making.csv_of(rows))
    making.work_through()
    reject = RejectedRecord.objects.get()
    assert (reject.position, list(reject.reasons)) == (3, ["amount"])
    assert Decision.objects.count() == 5


def test_stored_vectors_are_what_history_gives_again() -> None:
    making.first_model()
    making.send(making.csv_of(making.ordinary_rows()))
    making.work_through()
    ids = list(Transaction.objects.values_list("pk", flat=True))
    events = history.stored_events(ids)
    known_at = Decision.objects.first().known_at
    again = features.compute(events, history.read(events, known_at=known_at))
    for place, id in enumerate(events["id"].tolist()):
        stored = explaining.stored_vector(Decision.objects.get(transaction_id=id))
        assert stored.tobytes() == np.ascontiguousarray(again[place]).tobytes()


def test_one_row_read_alone_sees_the_same_past_as_in_a_chunk() -> None:
    making.first_model()
    making.send(making.csv_of(making.ordinary_rows()))
    making.work_through()
    events = history.stored_events(list(Transaction.objects.values_list("pk", flat=True)))
    known_at = Decision.objects.first().known_at
    together = features.compute(events, history.read(events, known_at=known_at))
    for place in (0, 57, 199):
        one = events[place : place + 1]
        alone = features.compute(one, history.read_one(one, known_at=known_at))
        assert alone.tobytes() == together[place : place + 1].tobytes()


def test_a_high_amount_is_reviewed_and_explained() -> None:
    version = making.first_model()
    rows = making.ordinary_rows(50)
    rows.append("big,u1,25000.00,2026-11-19T10:00:00Z,electronics,Delhi,d1")
    making.send(making.csv_of(rows))
    making.work_through()
    decision = Decision.objects.get(transaction__external_id="big")
    assert "HIGH_AMOUNT" in decision.reason_codes
    assert decision.outcome != "APPROVE"
    explanation = Explanation.objects.get(decision=decision)
    assert explanation.state == Explanation.State.DONE, explanation.error
    total = explanation.base + sum(explanation.contributions.values())
    assert total == pytest.approx(explanation.margin, abs=1e-6)
    assert explanation.sentences
    assert decision.model == version


def test_without_a_model_everything_is_reviewed_and_says_why() -> None:
    making.send(making.csv_of(making.ordinary_rows(3)))
    making.work_through()
    assert set(Decision.objects.values_list("outcome", flat=True)) == {"REVIEW"}
    assert all(Decision.objects.values_list("degraded", flat=True))


def test_a_broken_detector_approves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    making.first_model()
    monkeypatch.setattr("scoring.engine.features.compute", lambda *_: 1 / 0)
    making.send(making.csv_of(making.ordinary_rows(3)))
    making.work_through()
    assert set(Decision.objects.values_list("outcome", flat=True)) == {"REVIEW"}


def test_a_poison_row_is_set_aside_and_its_neighbours_are_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    making.first_model()
    read = history.read

    def poisoned(events, **asked):
        if poison in events["id"]:
            raise RuntimeError("poison")
        return read(events, **asked)

    monkeypatch.setattr("scoring.history.read", poisoned)
    making.send(making.csv_of(making.ordinary_rows(16)))
    for upload in leases.claim(Upload):
        from scoring import ingest

        ingest.perform(upload)
    poison = Transaction.objects.get(external_id="t7").pk
    for _ in range(12):
        making.work_through()
        Chunk.objects.filter(state=Chunk.State.READY).update(due_at="2026-01-01T00:00Z")
    assert Decision.objects.count() == 15
    left = Chunk.objects.get(state=Chunk.State.QUARANTINED)
    assert left.transaction_ids == [poison]


def test_labels_come_in_with_the_date_they_became_known() -> None:
    making.first_model()
    content = b"transaction_id,user_id,amount,timestamp,fraud,known\n" + (
        b"a,u,1,2026-11-01T10:00:00Z,1,2026-11-05\nb,u,1,2026-11-01T11:00:00Z,0,2026-11-06\n"
        b"c,u,1,2026-11-01T12:00:00Z,1,\n"
    )
    making.send(content, label_column="fraud", label_known_column="known")
    making.work_through()
    assert Label.objects.get(transaction__external_id="a").value == "TRUE_FRAUD"
    assert Label.objects.get(transaction__external_id="b").known_at.day == 6
    assert RejectedRecord.objects.get().reasons == {"known": "is required where there is a label"}


def test_labels_without_a_date_are_refused_at_the_door() -> None:
    with pytest.raises(making.uploads.Refused, match="became known"):
        making.send(making.csv_of(making.ordinary_rows(1)), label_column="city")


def explain_together(rows: list[str]) -> list[Explanation]:
    """Explanations of a file that all want a person, made as a worker makes them."""
    making.send(making.csv_of(rows))
    for name in ("upload", "chunk"):
        while do_next(work_named(name)):
            pass
    while do_next(work_named("explanation")):
        pass
    return list(Explanation.objects.select_related("decision", "model").order_by("pk"))


LARGE = [f"big{n},u{n},90000.00,{making.START.isoformat()},groceries,Delhi,d{n}" for n in range(60)]


def test_explanations_made_together_are_those_made_alone() -> None:
    making.first_model()
    rows = explain_together(LARGE)
    assert len(rows) == 60
    assert {row.state for row in rows} == {"DONE"}
    for row in rows[::13]:
        vector = explaining.stored_vector(row.decision)
        base, margin, values, sentences = explaining.contributions(row.model, vector)
        assert (row.base, row.margin, row.sentences) == (base, margin, sentences)
        assert sum(row.contributions.values()) == pytest.approx(values.sum(), abs=1e-12)


def test_one_that_cannot_be_explained_does_not_take_the_others_along() -> None:
    making.first_model()
    making.send(making.csv_of(LARGE[:5]))
    for name in ("upload", "chunk"):
        while do_next(work_named(name)):
            pass
    lost = Decision.objects.order_by("pk")[2]
    Snapshot.objects.filter(transaction_id=lost.transaction_id).delete()
    do_next(work_named("explanation"))
    states = dict(Explanation.objects.values_list("decision_id", "state"))
    assert states.pop(lost.pk) == "READY"  # for another try later
    assert set(states.values()) == {"DONE"}
    assert "no longer kept" in Explanation.objects.get(decision=lost).error


def test_a_chunk_whose_commit_fails_is_put_back_at_once() -> None:
    version = making.first_model()
    current.current_scorer()  # remembers it
    making.send(making.csv_of(making.ordinary_rows(3)))
    while do_next(work_named("upload")):
        pass
    ModelVersion.objects.filter(pk=version.pk).delete()  # the foreign key is checked at the commit
    do_next(work_named("chunk"))
    assert not Chunk.objects.filter(state="RUNNING").exists()
    assert not Decision.objects.exists()
    current.forget()
    Chunk.objects.filter(state="READY").update(due_at=timezone.now())
    making.work_through()
    assert Decision.objects.count() == 3


def test_words_that_would_end_a_column_or_a_row_come_back_as_they_were() -> None:
    words = ["a\tb", "c\nd", "e\\f", 'g"h', "i,j{k}", "Zürich 漢字", ""]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE said (id int, one text, many text[])")
        with cursor.copy("COPY said FROM STDIN") as copy:
            rows = (
                f"{n}\t{wire.escaped(word)}\t{wire.array([word, 'x'])}"
                for n, word in enumerate(words)
            )
            copy.write(wire.lines(rows))
        cursor.execute("SELECT one, many FROM said ORDER BY id")
        assert cursor.fetchall() == [(word, [word, "x"]) for word in words]
