"""How a source's broker is reached: read from the source (scoring/connections.py), or refused."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from scoring.models import Source
from scoring.sourcing import secret_of
from scoring.streaming.positions import EARLIEST, LATEST

GROUP = "anomaly-detection"
KAFKA, MQTT = "kafka", "mqtt"
# Two sets of names are in use for the same topics; either is one word in a source.
PRESETS = {
    "plain": {"in": "transactions", "alerts": "alerts"},
    "staged": {
        "in": "transactions_raw",
        "features": "transactions_features",
        "anomalies": "transactions_anomalies",
    },
}
PLAIN = "plain"


class Misconfigured(ValueError):
    """The source does not say how to reach its broker; the text says what to write where."""


class Missing(Exception):
    """A package that is not installed everywhere; the text says how to get it."""


@dataclass(frozen=True)
class Login:
    """How we show who we are, whether the line is encrypted, and whose certificates we believe."""

    username: str = ""
    password: str = ""
    tls: bool = False
    authority: str = ""  # a file of certificates; empty: the system's
    mechanism: str = "SCRAM-SHA-512"  # of SASL

    @property
    def protocol(self) -> str:
        return ("sasl_" if self.username else "") + ("ssl" if self.tls else "plaintext")


@dataclass(frozen=True)
class Kafka:
    """Topics of a cluster, read by one group."""

    servers: str
    topics: tuple[str, ...]
    group: str = GROUP
    start: str = LATEST
    login: Login = Login()


@dataclass(frozen=True)
class Mqtt:
    """Topics of a broker, under one name that the broker keeps messages for."""

    host: str
    port: int
    topics: tuple[str, ...]
    client: str
    version: str = "5"  # or 4, which is 3.1.1
    login: Login = Login()


def of(source: Source, **said: Any) -> Kafka | Mqtt:
    """The connection of a source; what is `said`, by options of a command, wins over it."""
    secrets = {name: secret_of(source, name) for name in source.sealed}
    given = {**source.connection, **secrets}
    given |= {name: value for name, value in said.items() if value}
    readers = {KAFKA: _kafka, MQTT: _mqtt}
    if source.kind not in readers:
        raise Misconfigured(f"{source.name} is a source of {source.kind}, not of messages.")
    return readers[source.kind](source, given)


def _kafka(source: Source, given: Mapping[str, Any]) -> Kafka:
    own = ",".join(_words(given.get("bootstrap_servers")))
    if not (own or settings.KAFKA_SERVERS):
        raise Misconfigured(f"{source.name} names no bootstrap_servers; KAFKA_SERVERS is empty.")
    preset = given.get("preset", PLAIN)
    if preset not in PRESETS:
        raise Misconfigured(f"preset is one of {', '.join(PRESETS)}.")
    start = str(given.get("auto_offset_reset", LATEST))
    if start not in (EARLIEST, LATEST):
        raise Misconfigured(f"auto_offset_reset is {EARLIEST} or {LATEST}.")
    return Kafka(
        servers=own or settings.KAFKA_SERVERS,
        topics=tuple(_words(given.get("topic")) or [PRESETS[preset]["in"]]),
        group=str(given.get("group_id", GROUP)),
        start=start,
        login=_login(given) if own else own_login(),
    )


def own_login() -> Login:
    """How the operator's own cluster is entered, that of KAFKA_SERVERS."""
    return Login(
        settings.KAFKA_USERNAME,
        settings.KAFKA_PASSWORD,
        settings.KAFKA_TLS,
    )


def _mqtt(source: Source, given: Mapping[str, Any]) -> Mqtt:
    host, topics = str(given.get("host", "")), _words(given.get("topic"))
    if not host:
        raise Misconfigured(f"{source.name} names no host.")
    if not topics:
        raise Misconfigured(f"{source.name} names no topic.")
    login = _login(given)
    try:
        port = int(given.get("port") or (8883 if login.tls else 1883))
    except ValueError:
        raise Misconfigured("port is a number.") from None
    client = str(given.get("client_id") or f"anomalyshield-{source.name}")
    return Mqtt(host, port, tuple(topics), client, str(given.get("version", "5")), login)


def _login(given: Mapping[str, Any]) -> Login:
    return Login(
        username=str(given.get("username", "")),
        password=str(given.get("password", "")),
        tls=bool(given.get("tls", False)),
        authority=str(given.get("ca_file", "")),
        mechanism=str(given.get("sasl_mechanism", Login.mechanism)),
    )


def trusted(login: Login) -> ssl.SSLContext:
    """What TLS checks the other side by; Misconfigured when its file is none."""
    try:
        return ssl.create_default_context(cafile=login.authority or None)
    except ssl.SSLError:
        raise Misconfigured(f"ca_file: {login.authority} holds no certificate in PEM.") from None
    except OSError as error:
        why = error.strerror
        raise Misconfigured(f"ca_file: {login.authority} cannot be read: {why}.") from None


def _words(value: Any) -> list[str]:
    """A list, or one text with commas."""
    words = value.split(",") if isinstance(value, str) else [str(word) for word in value or []]
    return [word.strip() for word in words if word.strip()]
