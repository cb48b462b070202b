"""A source of Kafka that Spark alone reads: said by page, API and document, and told everywhere."""

import pytest
from django.utils import timezone

from anomalyshield import condition, metrics
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from anomalyshield.models import Heartbeat
from anomalyshield.together import alone
from scoring.columns import Refused
from scoring.models import Source
from scoring.source_documents import write
from scoring.sourcing import change_source, load_document, make_source
from tests.conftest import client_of
from tests.rest.asking import get, patch, pointers, post

pytestmark = pytest.mark.django_db
WHERE = {"bootstrap_servers": ["a.example:9092"], "topic": "payments"}
LEFT = {**WHERE, "reader": "spark"}
DOCUMENT = """\
name: bank
source_type: kafka
config: {topic: payments, bootstrap_servers: ["a.example:9092"], reader: %s}
"""
FORM = {
    "name": "bank", "kind": "kafka", "currency": "USD", "timezone": "UTC", "active": "on",
    "set-bootstrap_servers": "a.example:9092", "set-topic": "payments", "set-preset": "plain",
    "set-auto_offset_reset": "latest", "set-sasl_mechanism": "PLAIN",
}  # fmt: skip


@pytest.fixture
def bank(dana: User) -> Source:
    """A consumer of ours has read it until now."""
    made = make_source(by=dana, name="bank", kind="kafka", connection=WHERE)
    made.positions.create(
        cluster="c", topic="payments", partition=0, next_offset=10, end_offset=1010
    )
    Heartbeat.objects.create(name=f"stream:{made.pk}", at=timezone.now())
    return made


def left(source: Source, by: User) -> Source:
    return change_source(by=by, source=source, connection=LEFT)


# --- said -----------------------------------------------------------------------------------------
def test_the_page_leaves_a_source_to_spark_and_shows_it(dana: User, bank: Source) -> None:
    page, address = client_of(dana), f"/sources/{bank.pk}/"
    assert 'name="set-reader"' in page.get(address).content.decode()
    assert "read by Spark" not in page.get("/sources/").content.decode()
    shown = page.post(address, FORM | {"set-reader": "spark"}, follow=True).content.decode()
    assert Source.objects.get().connection["reader"] == "spark"
    assert '<option value="spark" selected>' in shown
    assert "read by Spark" in page.get("/sources/").content.decode()


def test_a_program_leaves_a_source_to_spark_and_takes_it_back(dana: User, bank: Source) -> None:
    address = f"sources/{bank.pk}"
    assert patch(dana, address, {"connection": LEFT})["connection"]["reader"] == "spark"
    assert get(dana, f"{address}/health")["reader"] == "spark"
    patch(dana, address, {"connection": WHERE | {"reader": "consumer"}})
    assert get(dana, f"{address}/health")["reader"] == "consumer"


def test_a_source_of_another_kind_has_no_such_reader(dana: User) -> None:
    terminals = make_source(by=dana, name="terminals", kind="mqtt")
    assert get(dana, f"sources/{terminals.pk}/health")["reader"] == ""
    with pytest.raises(Refused, match="no such setting") as refused:
        change_source(by=dana, source=terminals, connection={"reader": "spark"})
    assert refused.value.field == "connection/reader"


def test_a_document_leaves_a_source_to_spark_and_is_written_so(dana: User) -> None:
    made, _ = load_document(by=dana, text=DOCUMENT % "spark")
    assert made.connection == LEFT
    assert "reader: spark" in write(made)
    assert load_document(by=dana, text=write(made))[0].version == 1


def test_another_reader_is_refused_by_field_with_the_reason(dana: User, bank: Source) -> None:
    words = "Read by: Choose one of consumer, spark."
    said = patch(dana, f"sources/{bank.pk}", {"connection": WHERE | {"reader": "flink"}}, 400)
    assert pointers(said) == ["/connection/reader"]
    assert words in str(said)
    with pytest.raises(Refused, match=words) as refused:
        load_document(by=dana, text=DOCUMENT % "flink")
    assert refused.value.field == "config/reader"
    answer = client_of(dana).post(f"/sources/{bank.pk}/", FORM | {"set-reader": "flink"})
    assert answer.status_code == 400
    assert "set-reader" in answer.context["form"].errors
    assert Source.objects.get().connection == WHERE


def test_late_words_about_payments_are_not_left_to_spark(dana: User, bank: Source) -> None:
    """Nobody would read them: the job decides payments."""
    said = post(
        dana,
        "sources",
        {"name": "words", "kind": "kafka", "connection": LEFT, "about": ["bank"]},
        400,
    )
    assert pointers(said) == ["/connection/reader"]
    with pytest.raises(Refused, match="no late words"):
        change_source(by=dana, source=left(bank, dana), about=["bank"])


def test_leaving_it_to_spark_is_a_version_and_an_event_on_the_trail(
    dana: User, bank: Source
) -> None:
    left(bank, dana)
    latest = bank.versions.first()
    assert latest is not None
    assert (latest.number, latest.by, latest.changed) == (2, "dana", ["connection"])
    assert latest.values["connection"]["reader"] == "spark"
    event = AuditEvent.objects.get(action="source.changed")
    assert event.after["connection"]["reader"] == "spark"
    assert "reader" not in event.before["connection"]


# --- told -----------------------------------------------------------------------------------------
def test_the_page_says_that_spark_reads_it_and_counts_nothing_of_ours(
    dana: User, bank: Source
) -> None:
    address = f"/sources/{bank.pk}/"
    page = client_of(dana)
    assert ">1000<" in page.get(address).content.decode()
    left(bank, dana)
    Heartbeat.objects.update(details={"ended": "somebody pulled the plug"})
    shown = page.get(address).content.decode()
    assert "Spark alone reads it" in shown
    for outage in (">1000<", "Nobody reads it.", "somebody pulled the plug"):
        assert outage not in shown
    told = get(dana, f"sources/{bank.pk}/health")
    assert (told["messages_waiting"], told["reader_at"], told["reader_trouble"]) == (None, None, "")


def test_the_health_page_says_so_too_and_asks_nobody_to_do_anything(
    dana: User, bank: Source
) -> None:
    Heartbeat.objects.all().delete()
    [silent] = alone(condition.streams())
    assert silent.cure
    left(bank, dana)
    [told] = alone(condition.streams())
    assert "Spark alone reads it" in told.words
    assert not told.cure


def test_no_lag_is_told_of_what_spark_reads_until_it_is_ours_again(
    dana: User, bank: Source
) -> None:
    shop = make_source(by=dana, name="shop", kind="kafka", connection={})
    shop.positions.create(cluster="c", topic="shop", partition=0, next_offset=1, end_offset=8)
    lags = 'kafka_consumer_lag{partition="0",source="bank",topic="payments"} 1000.0'
    others = 'kafka_consumer_lag{partition="0",source="shop",topic="shop"} 7.0'
    assert lags in (text := metrics.exposition().decode())
    assert others in text
    left(bank, dana)
    assert 'source="bank",topic' not in (text := metrics.exposition().decode())
    assert others in text
    change_source(by=dana, source=bank, connection=WHERE)
    assert lags in metrics.exposition().decode()
    assert bank.positions.get().next_offset == 10
