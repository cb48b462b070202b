"""How a source's broker is reached: read from the source, checked before anything connects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from scoring.models import Source
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
    """How we show who we are, and whether the line is encrypted."""

    username: str = ""
    password: str = ""
    tls: bool = False
    authority: str = ""  # a file of certificates, when the system's do not know theirs

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
    mechanism: str = "SCRAM-SHA-512"
    login: Login = Login()


@dataclass(frozen=True)
class Mqtt:
    """Topics of a broker, under one name that the broker keeps messages for."""

    host: str
    port: int
    topics: tuple[str, ...]
    client: str
    version: int = 5  # or 4, which is 3.1.1
    login: Login = Login()


def of(source: Source, **said: Any) -> Kafka | Mqtt:
    """The connection of a source; what is `said`, by options of a command, wins over it."""
    given = {
        **getattr(source, "connection", {}),
        **{name: value for name, value in said.items() if value},
    }
    readers = {KAFKA: _kafka, MQTT: _mqtt}
    if source.kind not in readers:
        raise Misconfigured(f"{source.name} is a source of {source.kind}, not of messages.")
    return readers[source.kind](source, given)


def _kafka(source: Source, given: Mapping[str, Any]) -> Kafka:
    servers = ",".join(_words(given, "bootstrap_servers")) or settings.KAFKA_SERVERS
    if not servers:
        raise Misconfigured(f"{source.name} names no bootstrap_servers; KAFKA_SERVERS is empty.")
    preset = given.get("preset", PLAIN)
    if preset not in PRESETS:
        raise Misconfigured(f"preset is one of {', '.join(PRESETS)}.")
    topics = _words(given, "topics") or _words(given, "topic") or [PRESETS[preset]["in"]]
    start = str(given.get("auto_offset_reset", LATEST))
    if start not in (EARLIEST, LATEST):
        raise Misconfigured(f"auto_offset_reset is {EARLIEST} or {LATEST}.")
    return Kafka(
        servers=servers,
        topics=tuple(topics),
        group=str(given.get("group_id", GROUP)),
        start=start,
        mechanism=str(given.get("sasl_mechanism", Kafka.mechanism)),
        login=_login(given) if _words(given, "bootstrap_servers") else own_login(),
    )


def own_login() -> Login:
    """How the operator's own cluster is entered, that of KAFKA_SERVERS."""
    return Login(settings.KAFKA_USERNAME, settings.KAFKA_PASSWORD, settings.KAFKA_TLS)


def _mqtt(source: Source, given: Mapping[str, Any]) -> Mqtt:
    host, topics = str(given.get("host", "")), _words(given, "topics") or _words(given, "topic")
    if not host:
        raise Misconfigured(f"{source.name} names no host.")
    if not topics:
        raise Misconfigured(f"{source.name} names no topic.")
    login = _login(given)
    try:
        port = int(given.get("port") or (8883 if login.tls else 1883))
    except ValueError:
        raise Misconfigured("port is a number.") from None
    return Mqtt(
        host=host,
        port=port,
        topics=tuple(topics),
        client=str(given.get("client_id") or f"anomalyshield-{source.name}"),
        version=4 if str(given.get("version", "5")) in ("4", "3.1.1") else 5,
        login=login,
    )


def _login(given: Mapping[str, Any]) -> Login:
    return Login(
        username=str(given.get("username", "")),
        password=str(given.get("password", "")),
        tls=bool(given.get("tls", False)),
        authority=str(given.get("ca_file", "")),
    )


def _words(given: Mapping[str, Any], name: str) -> list[str]:
    """A list, or one text with commas."""
    value = given.get(name) or []
    words = value.split(",") if isinstance(value, str) else [str(word) for word in value]
    return [word.strip() for word in words if word.strip()]
