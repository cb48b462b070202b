"""What happens is told to topics of a real Kafka: once the broker has it, and not before."""

import json

import pytest
from django.utils import timezone

from alerts.models import Alert
from scoring import current
from scoring.engine.features import NAMES, spec_id
from scoring.models import Decision, Delivery, Endpoint, OutboundEvent
from scoring.streaming import producing
from scoring.tasks import do_next, work_named
from scoring.webhooks import endpoints, events, relay
from scoring.webhooks.channels import CHANNELS
from tests.streams.reading import payments, read_until, source
from tests.webhooks.making import endpoint

pytestmark = [pytest.mark.streams, pytest.mark.django_db(transaction=True)]
WORK = work_named("delivery")


def told(kafka, topic: str, many: int) -> list[dict]:
    return [json.loads(one.value()) for one in kafka.read(topic, many)]


def test_each_decision_that_is_no_approval_and_each_alert_is_told_to_its_topic(own_kafka):
    kafka = own_kafka
    topics = {"alerts": events.ALERT, "transactions_anomalies": events.ANOMALY}
    for name, type in topics.items():
        endpoint(f"kafka:{kafka.topic(name=name)}", events=[type])
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 12))  # without a model all of them are for review
    read_until(kafka, bank, topic, lambda: Decision.objects.count() == 12)
    while do_next(WORK):
        pass
    assert set(Delivery.objects.values_list("state", flat=True)) == {"DONE"}
    anomalies = told(kafka, "transactions_anomalies", 12)
    assert sorted(one["data"]["transaction_id"] for one in anomalies) == sorted(
        f"t{number}" for number in range(12)
    )
    assert {one["data"]["outcome"] for one in anomalies} == {"REVIEW"}
    alerts = told(kafka, "alerts", Alert.objects.count())
    assert {one["data"]["alert"] for one in alerts} == set(
        Alert.objects.values_list("pk", flat=True)
    )
    assert "user1" not in json.dumps([anomalies, alerts])


def test_each_payment_is_told_once_with_all_its_features_whatever_kills_the_relay(
    own_kafka, monkeypatch
):
    kafka = own_kafka
    endpoint(f"kafka:{kafka.topic(name='transactions_features')}", events=[events.FEATURES])
    current.forget()
    bank, topic = source(), kafka.topic()
    kafka.send(topic, payments(0, 60))
    read_until(kafka, bank, topic, lambda: Decision.objects.count() == 60)
    monkeypatch.setattr(relay, "_noted_together", lambda answers: 1 / 0)
    monkeypatch.setattr(relay, "note", lambda delivery, answer: 1 / 0)
    do_next(WORK)  # fifty are with the broker, and nobody wrote it down
    monkeypatch.undo()
    Delivery.objects.filter(state="READY").update(due_at=timezone.now())
    while do_next(WORK):
        pass
    assert set(Delivery.objects.values_list("state", flat=True)) == {"DONE"}
    messages = kafka.read("transactions_features", 160, seconds=3)
    bodies = {dict(one.headers())["id"]: json.loads(one.value()) for one in messages}
    assert len(messages) > len(bodies) == 60, "those sent twice came with the same id"
    found = {one["data"]["transaction_id"]: one["data"] for one in bodies.values()}
    assert set(found) == {f"t{number}" for number in range(60)}
    assert list(found["t7"]["features"]) == list(NAMES)
    assert {one["feature_set"] for one in found.values()} == {spec_id()}
    assert "user1" not in json.dumps(found)
    current.forget()


def test_a_message_names_its_event_and_keeps_the_users_of_one_key_together(own_kafka):
    name = own_kafka.topic()
    endpoint(f"kafka:{name}", events=[events.DECISION_UPDATED])
    for sequence in range(3):
        events.queue(
            "decision.updated", {"sequence": sequence}, at=timezone.now(), key="00000000000000ff"
        )
    do_next(WORK)
    messages = own_kafka.read(name, 3)
    assert [one.key() for one in messages] == [b"00000000000000ff"] * 3
    assert [json.loads(one.value())["data"]["sequence"] for one in messages] == [0, 1, 2]
    ids = [dict(one.headers())["id"].decode() for one in messages]
    assert ids == [str(event) for event in OutboundEvent.objects.order_by("made_at")]
    said = Delivery.objects.order_by("pk").first()
    assert (said.said, said.status) == (f"{name}/0@0", None)


def test_what_the_broker_did_not_report_waits_and_is_sent_when_it_can(own_kafka, monkeypatch):
    monkeypatch.setattr(producing, "REPORT_MS", 1500)
    producing._producer.cache_clear()
    made = endpoint("kafka:not-there-yet", events=[events.DECISION_UPDATED])
    events.queue("decision.updated", {"decision": 1}, at=timezone.now())
    do_next(WORK)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries) == ("READY", 1)
    assert delivery.said.startswith("the broker did not take it: ")
    assert Endpoint.objects.get(pk=made.pk).failures == 1
    own_kafka.topic(name="not-there-yet")
    producing._producer.cache_clear()
    Delivery.objects.update(due_at=timezone.now())
    Endpoint.objects.update(rest_until=None)
    do_next(WORK)
    assert Delivery.objects.get().state == "DONE"
    assert len(own_kafka.read("not-there-yet", 1)) == 1
    assert Endpoint.objects.get(pk=made.pk).failures == 0


def test_a_topic_is_an_address_without_a_secret(own_kafka, adam):
    given = {"name": "lake", "events": [events.ANOMALY]}
    made, secret = endpoints.make(by=adam, url="kafka:transactions_anomalies", **given)
    assert secret == ""
    with pytest.raises(endpoints.Refused, match="no secret"):
        endpoints.rotate(by=adam, endpoint=made)


@pytest.mark.parametrize("url", ["kafka:", "kafka:a b", "kafka://host:9092/alerts", "kafka:.."])
def test_what_is_no_topic_is_refused(adam, settings, url):
    settings.KAFKA_SERVERS = "broker:9092"
    with pytest.raises(endpoints.Refused, match="kafka:NAME"):
        endpoints.make(by=adam, name="lake", url=url, events=[events.ANOMALY])


def test_without_brokers_of_this_installation_no_topic_is_told(adam, settings):
    settings.KAFKA_SERVERS = ""
    with pytest.raises(endpoints.Refused, match="KAFKA_SERVERS is empty"):
        endpoints.make(by=adam, name="lake", url="kafka:alerts", events=[events.ALERT])


def test_nothing_is_written_down_that_nobody_hears(db):
    events.queue_all({events.ANOMALY: lambda: pytest.fail("nobody subscribed")})
    assert not OutboundEvent.objects.exists()


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda one: one.begins or "webhook")
def test_every_channel_keeps_the_same_promises(channel):
    module = channel.module
    assert module.send_all([]) == []
    assert sum(module.PAUSES) > 2 * 24 * 3600
    assert {"checked", "letter", "send_all"} <= set(dir(module))
