"""What both directions need of the Kafka client: its options, its log, and its absence in words."""

import logging
from collections.abc import Callable
from typing import Any

from scoring.streaming.connection import Login, Missing, trusted

log = logging.getLogger("kafka")
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
        "error_cb": _troubles(),
        **{name.replace("_", "."): value for name, value in more.items()},
    }
    if login.username:
        told["sasl.mechanism"] = login.mechanism
        told["sasl.username"], told["sasl.password"] = login.username, login.password
    if login.authority:
        trusted(login)  # of a file that is none the client only says that something failed
        told["ssl.ca.location"] = login.authority
    return told


def _troubles() -> Callable[[Any], None]:
    """Says each kind of trouble once in a row: a broker that is away is reported every second."""
    last: list[str] = []

    def note(error: Any) -> None:
        if last != [error.name()]:
            last[:] = [error.name()]
            log.warning("%s", error.str())

    return note
