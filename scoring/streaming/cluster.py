"""What both directions need of the Kafka client: its options, its log, and its absence in words."""

import logging
import re
import time
from typing import Any

from scoring.streaming.connection import Login, Missing, trusted

log = logging.getLogger("kafka")
DOWN = "_ALL_BROKERS_DOWN"  # said every two seconds
SHUT = {DOWN, "_AUTHENTICATION"}
RECENT = 10.0  # seconds
AFTER = re.compile(r" \(after \d+ms.*\)$")
CURE = "Kafka needs the package confluent-kafka: pip install -r requirements-extras.txt"


def library() -> Any:
    """The module confluent_kafka, or Missing with the cure."""
    try:
        import confluent_kafka
    except ImportError:
        raise Missing(CURE) from None
    return confluent_kafka


def options(servers: str, login: Login, **more: Any) -> dict[str, Any]:
    """What librdkafka is told. What it has to say goes into our log."""
    told = {
        "bootstrap.servers": servers,
        "client.id": "anomalyshield",
        "security.protocol": login.protocol,
        "reconnect.backoff.max.ms": 2000,
        "logger": log,
        "error_cb": Troubles(),
        **{name.replace("_", "."): value for name, value in more.items()},
    }
    if login.username:
        told["sasl.mechanism"] = login.mechanism
        told["sasl.username"], told["sasl.password"] = login.username, login.password
    if login.authority:
        trusted(login)  # of a file that is none the client only says that something failed
        told["ssl.ca.location"] = login.authority
    return told


class Troubles:
    """Says each kind of trouble once in a row: a broker that is away is reported every second."""

    def __init__(self) -> None:
        self.last = ""
        self.words = ""  # of one broker
        self.shut = float("-inf")  # when none was reached, or we were not let in

    def __call__(self, error: Any) -> None:
        name, words = error.name(), AFTER.sub("", error.str())
        if name in SHUT:
            self.shut = time.monotonic()
        if name != DOWN:
            self.words = words
        if name != self.last:
            self.last = name
            log.warning("%s", words)

    @property
    def now(self) -> str:
        """What keeps the whole cluster from us; empty if nothing does."""
        return self.words if time.monotonic() - self.shut < RECENT else ""
