"""The steps of the Spark job decide as the consumer does; here without Spark, in one process."""

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from scoring import accepting, current, labels, promotions, rates, registry
from scoring.engine import features, training
from scoring.engine.history import History
from scoring.engine.keys import entity_key
from scoring.models import (
    Decision,
    ExchangeRate,
    ListEntry,
    RejectedRecord,
    Source,
    Transaction,
)
from scoring.streaming import handover
from scoring.streaming.connection import Kafka, Login
from scoring.streaming.messages import Message, sent
from scoring.streaming.spark import job as jobs
from scoring.streaming.spark import running, steps
from scoring.tasks import do, work_named
from tests.engine.streams import crowd
from tests.lists.making import denied
from tests.streams.clustering import MESSAGE, Cluster, messages, stream
from tests.streams.reading import payment, said

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, tzinfo=UTC)
CHUNK = work_named("chunk")
REACHED = Kafka("127.0.0.1:9", ("transactions",))
SCHEMA = {"type": "object", "properties": {"amount": {"type": "number", "maximum": 12_600}}}


@pytest.fixture(scope="module")
def bundle() -> Any:
    events = crowd(400, days=25)
    vectors = features.compute(events, History.of(events))
    return training.fit(vectors, None, np.arange(len(vectors)), budget=0.05, seed=1)


@pytest.fixture
def bank(db, bundle, settings, tmp_path: Path) -> Any:
    settings.BUNDLES = tmp_path / "models"
    current.forget()
    version = registry.register(bundle, kind="cold", cutoff=NOW, metrics={"budget": 0.05})
    promotions.install_first(version=version)
    made = Source.objects.create(
        name="bank", kind="kafka", mapping={"shop": "merchant_name"}, schema=SCHEMA
    )
    current.forget()
    yield made
    current.forget()


def by_the_web(bank: Source, values: list[bytes | None], first: int) -> None:
    told = [Message(f"transactions/0@{first + at}", value) for at, value in enumerate(values)]
    accepted = accepting.accept(source=bank, sent=sent(told), door="kafka", claimed=True)
    for chunk in accepted.chunks:
        do(CHUNK, chunk)


Said = tuple[dict[str, Decision], dict[str, dict[str, str]]]


def said_by_the_web() -> Said:
    """Its decisions by transaction id, and its reasons for what it refused by place."""
    decisions = Decision.objects.select_related("transaction")
    refused = {one.place: one.reasons for one in RejectedRecord.objects.all()}
    return {one.transaction.external_id: one for one in decisions}, refused


def compared(rows: list[dict[str, Any]], said: Said | None = None) -> None:
    """Every row of one way is a row of the other, with the same decision."""
    decisions, refused = said or said_by_the_web()
    told = {row["transaction_id"]: row for row in rows if row["transaction_id"]}
    assert told.keys() == decisions.keys()
    for id, one in decisions.items():
        row = told[id]
        assert (row["level"], row["outcome"]) == (one.level, one.outcome), id
        assert row["reason_codes"] == one.reason_codes, id
        assert json.loads(row["hits"]) == one.hits, id
        assert row["risk_score"] == pytest.approx(one.risk_score, abs=1e-9), id
        assert row["degraded"] == one.degraded == "", id
        assert (row["model"], row["policy"]) == (one.model_id, one.policy_id)
        assert row["event_time"] == one.transaction.event_time
    assert {row["place"]: json.loads(row["refused"]) for row in rows if row["refused"]} == refused


def parts_of(values: list[Any], *edges: int) -> list[tuple[int, list[Any]]]:
    starts = [0, *edges]
    return [
        (start, values[start:end]) for start, end in zip(starts, [*edges, len(values)], strict=True)
    ]


@pytest.fixture
def cluster(bank: Source, tmp_path: Path) -> Cluster:
    handover.hand_over(bank, REACHED, tmp_path / "job")
    return Cluster(jobs.load(tmp_path / "job"), tmp_path / "job" / "state")


def test_the_same_stream_is_decided_alike_however_it_is_cut(bank, cluster):
    values = stream(400)
    for first, some in parts_of(values, 100, 250, 300):
        by_the_web(bank, some, first)
    rows = []
    for number, (first, some) in enumerate(parts_of(values, 37, 180)):
        rows += cluster.batch(number, messages(some, first))
    assert Decision.objects.count() == 400
    compared(rows)
    codes = {code for row in rows for code in row["reason_codes"] or ()}
    assert {"HIGH_AMOUNT", "UNUSUAL_HOUR", "HIGH_RISK_MCC", "VELOCITY_MULTI_CITY"} <= codes
    assert {"APPROVE", "REVIEW"} <= {row["outcome"] for row in rows}


def test_a_batch_done_again_says_the_same_and_an_id_counts_once(bank, cluster):
    values = stream(120)
    cluster.batch(0, messages(values[:60]))
    once, again = (cluster.batch(1, messages(values[60:], 60)) for _ in range(2))
    for rows in (once, again):
        rows.sort(key=lambda row: row["place"])
        for row in rows:
            row.pop("known_at")
    assert once == again
    known = cluster.batch(2, messages(values[:60], 500))
    assert [row for row in known if not row["refused"]] == []  # nothing is decided twice


def recent(number: int, **more: Any) -> bytes:
    at = (datetime.now(UTC) - timedelta(hours=200 - number)).isoformat()
    return said(payment(number, timestamp=at, **more))


def test_a_new_job_goes_on_where_this_installation_stops(bank, tmp_path):
    known, new = [recent(number) for number in range(60)], [recent(n) for n in range(60, 80)]
    by_the_web(bank, known, 0)
    handover.hand_over(bank, REACHED, tmp_path / "job")
    assert handover.hand_over_past(bank, tmp_path / "job") == 60
    running.seed(tmp_path / "job", 3)
    cluster = Cluster(jobs.load(tmp_path / "job"), tmp_path / "job" / "state")
    rows = cluster.batch(0, messages([*known, recent(7, amount=999), *new]))
    by_the_web(bank, new, 61)
    said_here = said_by_the_web()[0]
    decided = {row["transaction_id"]: row for row in rows if row["transaction_id"]}
    assert decided.keys() == {f"t{number}" for number in range(60, 80)}, "what is known is not new"
    for id, row in decided.items():
        assert row["risk_score"] == pytest.approx(said_here[id].risk_score, abs=1e-9), id
    [other] = [json.loads(row["refused"]) for row in rows if row["refused"]]
    assert other == {"transaction_id": "is already known with other content"}


def test_what_labels_say_goes_along_as_it_is_known_here(bank, tmp_path, lena):
    by_the_web(bank, [recent(number) for number in range(40)], 0)
    for number in (3, 4, 10):
        found = Transaction.objects.get(external_id=f"t{number}")
        labels.give(by=lena, transaction=found, value="TRUE_FRAUD", origin="DISPOSITION")
    handover.hand_over(bank, REACHED, tmp_path / "job")
    handover.hand_over_past(bank, tmp_path / "job")
    running.seed(tmp_path / "job", 3)
    cluster = Cluster(jobs.load(tmp_path / "job"), tmp_path / "job" / "state")
    new = [recent(200, transaction_id=f"n{user}", user_id=f"user{user}") for user in (3, 5)]
    rows = {row["transaction_id"]: row for row in cluster.batch(0, messages(new))}
    by_the_web(bank, new, 100)
    known = features.column("known_fraud_count_180d")
    told = {id: np.frombuffer(row["vector"])[known] for id, row in rows.items()}
    assert told == {"n3": 2, "n5": 0}  # of user3: 3 and 10
    for id, one in said_by_the_web()[0].items():
        if id in rows:
            assert rows[id]["risk_score"] == pytest.approx(one.risk_score, abs=1e-9), id


def test_lists_go_along_and_a_new_version_counts_from_the_next_batch(bank, cluster, tmp_path, lena):
    values = stream(60)
    cluster.batch(0, messages(values))
    before = cluster.job.version
    assert handover.hand_over(bank, REACHED, tmp_path / "job") == before
    ListEntry.objects.create(
        kind=ListEntry.Kind.DENY,
        entity="user",
        key=entity_key("customer-0005"),
        value="customer-0005",
        reason="test",
        state=ListEntry.State.ACTIVE,
        proposed_by=lena,
    )
    assert handover.hand_over(bank, REACHED, tmp_path / "job") != before
    cluster.job = jobs.load(tmp_path / "job")
    again = json.loads(values[0]) | {"transaction_id": "new", "user_id": "customer-0005"}
    [row] = cluster.batch(1, messages([json.dumps(again).encode()], 900))
    assert (row["outcome"], row["reason_codes"][0]) == ("BLOCK", "DENY_LIST")
    message = json.loads(row["message"])
    assert message["type"] == "anomaly.detected"
    assert "customer-0005" not in row["message"]


def elsewhere(values: list[bytes | None]) -> list[bytes | None]:
    """Some of them in another currency, with a rate or without; all in places named in words."""
    said: list[bytes | None] = []
    for number, value in enumerate(values):
        record = json.loads(value or b"{}")
        currency = {0: "EUR", 1: "USD", 2: "CHF"}[number % 10 % 3]
        place = ("Oslo, NO", "Rome", "nowhere at all")[number % 3]
        more = {"currency": currency, "location": place, "country": ""}
        said.append(json.dumps(record | more).encode())
    return said


def test_other_currencies_and_places_in_words_are_read_alike(bank, tmp_path):
    for day, rate in ((2, "1.10"), (3, "1.20")):
        ExchangeRate.objects.create(currency="EUR", day=date(2026, 11, day), rate=rate)
    rates.forget()
    bank.places = True
    bank.save()
    values = elsewhere(stream(90)[:29])  # up to the first that is no payment
    by_the_web(bank, values, 0)
    handover.hand_over(bank, REACHED, tmp_path / "job")
    cluster = Cluster(jobs.load(tmp_path / "job"), tmp_path / "job" / "state")
    rows = cluster.batch(0, messages(values))
    rates.forget()
    compared(rows)
    refused = [json.loads(row["refused"]) for row in rows if row["refused"]]
    assert refused
    assert all("no exchange rate from CHF" in reasons["currency"] for reasons in refused)
    assert Decision.objects.filter(transaction__country="IT").exists()


def test_what_a_broken_off_batch_took_and_the_next_time_refuses_is_not_known(
    bank, cluster, tmp_path
):
    paid = messages([said(payment(1, amount=500))])
    cluster.batch(0, paid, broken_off=True)
    bank.schema = {"properties": {"amount": {"maximum": 100}}}
    handover.hand_over(bank, REACHED, tmp_path / "job")
    [row] = cluster.batch(0, paid, jobs.load(tmp_path / "job"))
    assert "amount" in json.loads(row["refused"])
    [again] = cluster.batch(1, messages([said(payment(1, amount=500))], 9))  # as it was before
    assert (again["transaction_id"], again["refused"]) == ("t1", None)


def test_a_record_that_contradicts_a_known_one_is_kept(bank, cluster):
    values = [said(payment(1)), said(payment(1, amount=999, note="4111 1111 1111 1111"))]
    rows = {row["place"]: row for row in cluster.batch(0, messages(values))}
    other = rows["transactions/0@1"]
    assert json.loads(other["refused"]) == {"transaction_id": "is already known with other content"}
    assert json.loads(other["raw"])["amount"] == 999
    assert "4111" not in other["raw"]
    assert rows["transactions/0@0"]["raw"] is None


def test_a_message_sent_beyond_the_calendar_happened_now(bank, cluster):
    """Senders write that number, and Kafka takes any."""
    record = payment(1)
    del record["timestamp"]
    told = [pa.array([one]) for one in ("transactions", 0, 0, 2**62, said(record))]
    came = pa.Table.from_arrays(
        [one.cast(field.type) for one, field in zip(told, MESSAGE, strict=True)], schema=MESSAGE
    )
    batch = steps.Batch(1, datetime.now(UTC), 0, 3, cluster.marks.folder)
    [row] = next(steps.read(iter(came.to_batches()), cluster.job, batch)).to_pylist()
    assert (row["id"], row["reasons"]) == ("t1", None)


def test_versions_that_others_have_followed_are_cleared_away(bank, cluster, tmp_path):
    """Each holds a whole model, and a label is enough to make another."""
    kept, jobs_at = tmp_path / "job", tmp_path / "job" / "jobs"
    first = cluster.job.version
    (left := jobs_at / f"{first}.1").mkdir()
    for at in (jobs_at / first, left):
        os.utime(at, (0, 0))
    assert handover.hand_over(bank, REACHED, kept) == first, "wanted again, it is young again"
    assert [one.name for one in jobs_at.iterdir()] == [first]
    bank.currency = "EUR"
    second = handover.hand_over(bank, REACHED, kept)
    assert {one.name for one in jobs_at.iterdir()} == {first, second}, "somebody may be loading it"
    os.utime(jobs_at / first, (0, 0))
    handover.hand_over(bank, REACHED, kept)
    assert [one.name for one in jobs_at.iterdir()] == [second]


def test_a_model_that_was_changed_is_refused_with_what_to_do(bank, cluster, tmp_path):
    at = tmp_path / "job" / "jobs" / cluster.job.version / "bundle"
    with next(at.glob("*.npz")).open("ab") as file:
        file.write(b"x")
    with pytest.raises(jobs.Unusable, match=r"does not load: .* was changed .* hand over again"):
        jobs.load(tmp_path / "job")


def test_no_card_number_leaves_the_job(bank, cluster):
    wrong = b'{"transaction_id": "x", "note": "4111 1111 1111 1111"'
    [row] = cluster.batch(0, messages([wrong]))
    assert "4111" not in row["raw"]
    assert "card-" in row["raw"]


def test_ids_that_are_personal_are_under_the_same_veil_on_both_ways(bank, tmp_path, ana):
    Source.objects.update(pii=["user_id", "device_id"])
    bank.refresh_from_db()
    values = stream(200)
    denied(ana, "user", json.loads(values[3])["user_id"])
    current.forget()
    by_the_web(bank, values[:80], 0)
    handover.hand_over(bank, REACHED, tmp_path / "job")
    handover.hand_over_past(bank, tmp_path / "job")
    cluster = Cluster(jobs.load(tmp_path / "job"), tmp_path / "job" / "state")
    rows = cluster.batch(0, messages(values))
    by_the_web(bank, values[80:], 80)
    compared(rows)
    assert "DENY_LIST" in {code for row in rows for code in row["reason_codes"] or ()}
    assert all(user.startswith("pii-") for user in stored("user_id"))


def stored(name: str) -> list[str]:
    return list(Transaction.objects.values_list(name, flat=True))


def test_what_was_handed_over_is_its_owners_and_nothing_else_is_believed(bank, cluster, tmp_path):
    folder = tmp_path / "job"
    assert (folder / "keys.json").stat().st_mode & 0o077 == 0
    at = folder / "jobs" / cluster.job.version / "job.json"
    at.write_text(at.read_text().replace('"clamp": false', '"clamp": true'))
    with pytest.raises(jobs.Unusable, match="not what was handed over"):
        jobs.load(folder)


def test_a_client_of_the_jvm_is_told_who_we_are():
    told = handover.kafka_options(Login("us", 'a"b', tls=True, mechanism="PLAIN"))
    assert told["security.protocol"] == "SASL_SSL"
    words = 'PlainLoginModule required username="us" password="a\\"b";'
    assert words in told["sasl.jaas.config"]


def test_a_refused_record_of_a_source_with_personal_fields_is_not_kept(bank, tmp_path):
    bank.pii = ["email"]
    bank.save()
    handover.hand_over(bank, REACHED, tmp_path / "job")
    cluster = Cluster(jobs.load(tmp_path / "job"), tmp_path / "job" / "state")
    [row] = cluster.batch(0, messages([b'{"transaction_id": "x", "email": "a@b.example"}']))
    assert (row["raw"], json.loads(row["refused"])["user_id"]) == (None, "is required")
