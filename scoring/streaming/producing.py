"""Tells topics of Kafka: a message counts as sent when all in-sync replicas have it.

The producer is idempotent, so its own retries put nothing twice. A process that dies between the
report and our note of it sends once more, with the same `id` in the headers.
"""

import os
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any

from django.conf import settings

from scoring.models import Delivery
from scoring.streaming import cluster
from scoring.streaming.connection import Missing, own_login
from scoring.webhooks.addresses import Refused
from scoring.webhooks.sending import Answer

ADDRESS = re.compile(r"kafka:([A-Za-z0-9._-]{1,249})")
MINUTE = 60.0
PAUSES = (2.0, 5.0, 10.0, 30.0, *[MINUTE] * (3 * 24 * 60))  # three days, as for webhooks
REPORT_MS = 8_000  # after which the client gives a message up
DEADLINE = 10.0  # seconds we wait for all reports


@dataclass(frozen=True)
class Letter:
    """What goes where. Messages with one key keep their order within a partition."""

    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    body: bytes


def checked(url: str) -> str:
    """The topic. Which cluster it is in is the operator's to say, not the address's."""
    found = ADDRESS.fullmatch(url)
    if found is None or found[1] in (".", ".."):
        raise Refused("a topic is written as kafka:NAME, of letters, digits and . _ -")
    if not settings.KAFKA_SERVERS:
        raise Refused("no Kafka is set up here: KAFKA_SERVERS is empty")
    try:
        cluster.library()
    except Missing as missing:
        raise Refused(str(missing)) from None
    return found[1]


def letter(delivery: Delivery, now: datetime) -> Letter:
    event = delivery.event
    headers = [("id", str(event)), ("type", event.type), ("content-type", "application/json")]
    return Letter(
        delivery.endpoint.url.partition(":")[2],
        event.key.encode(),
        [(name, value.encode()) for name, value in headers],
        event.body.encode(),
    )


def send_all(letters: list[Letter]) -> list[Answer]:
    """All at once, and then wait for every report. Never raises; touches no database."""
    late = Answer(None, f"no report within {DEADLINE:g} seconds")
    answers = [late] * len(letters)
    try:
        producer = _producer(os.getpid())
        for place, one in enumerate(letters):
            producer.produce(
                one.topic,
                one.body,
                one.key or None,
                headers=one.headers,
                on_delivery=partial(_note, answers, place),
            )
        producer.flush(DEADLINE)
    except Exception as error:  # a full queue, a package that is gone
        said = Answer(None, f"the client failed: {type(error).__name__}")
        return [said if answer is late else answer for answer in answers]
    return answers


def _note(answers: list[Answer], place: int, error: Any, message: Any) -> None:
    if error is None:
        said = f"{message.topic()}/{message.partition()}@{message.offset()}"
        answers[place] = Answer(None, said, taken=True)
        return
    answers[place] = Answer(None, f"the broker did not take it: {error.name()}")
    if error.fatal():  # an idempotent producer that lost its way must begin anew
        _producer.cache_clear()


@cache
def _producer(process: int) -> Any:
    """One for each process: a child that was forked may not use its parent's."""
    told = cluster.options(settings.KAFKA_SERVERS, own_login())
    told |= {
        "enable.idempotence": True,
        "acks": "all",
        "delivery.timeout.ms": REPORT_MS,
        "topic.metadata.propagation.max.ms": 5_000,
        "linger.ms": 5,
    }
    return cluster.library().Producer(told)
