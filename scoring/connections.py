"""How each kind of source is reached: its settings, which of them are secret, and what fits.

One table: the form, the API, the YAML document and the checks all read it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scoring import secrets as vault
from scoring.models import Source
from scoring.models.sources import CONSUMER, SPARK
from scoring.translating import Refused

Type = Literal["text", "list", "choice", "whole", "flag", "long"]
LONGEST = 20_000
MOST_ITEMS = 50
ADDRESS = re.compile(r"[^\s,/@]+:\d{1,5}", re.ASCII)
HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
K = Source.Kind
SIGNING = "signing_secret"


@dataclass(frozen=True)
class Setting:
    """One thing that is said of a connection; a secret one is sealed and never shown again."""

    name: str
    title: str
    type: Type = "text"
    help: str = ""
    default: Any = None
    choices: tuple[str, ...] = ()
    secret: bool = False
    form: re.Pattern[str] | None = None  # of a text, or of each item of a list
    form_in_words: str = ""


MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
LOGIN = (
    Setting("tls", "TLS", "flag", default=False),
    Setting("username", "User"),
    Setting("password", "Password", secret=True),
    Setting("ca_file", "File of certificates", help="On this machine; empty: the system's"),
)
SETTINGS: dict[str, tuple[Setting, ...]] = {
    K.REST: (),
    K.CSV: (),
    K.PARQUET: (),
    K.KAFKA: (
        Setting(
            "bootstrap_servers", "Brokers", "list", "host:port, one a line; empty: KAFKA_SERVERS",
            form=ADDRESS, form_in_words="host:port",
        ),
        Setting("topic", "Topics", help="Between commas; empty: those of the set"),
        Setting(
            "preset", "Set of topics", "choice",
            "plain: transactions, alerts; staged: transactions_raw, transactions_anomalies",
            "plain", ("plain", "staged"),
        ),
        Setting(
            "reader", "Read by", "choice",
            "consumer: make run, manage.py consume; spark: manage.py spark, and nobody else",
            CONSUMER, (CONSUMER, SPARK),
        ),
        Setting("group_id", "Consumer group", default="anomaly-detection"),
        Setting(
            "auto_offset_reset", "Begins at the first start", "choice",
            "Later it goes on where it stopped", "latest", ("latest", "earliest"),
        ),
        Setting("sasl_mechanism", "Log-in by", "choice", "", "SCRAM-SHA-512", MECHANISMS),
        *LOGIN,
    ),
    K.MQTT: (
        Setting("host", "Broker"),
        Setting("port", "Port", "whole", "Empty: 1883, with TLS 8883"),
        Setting("topic", "Topics", help="Between commas; they may hold + and #"),
        Setting("client_id", "Client id", help="The broker keeps messages under this name"),
        Setting("version", "MQTT", "choice", "", "5", ("5", "4")),
        *LOGIN,
    ),
    K.WEBHOOK: (
        Setting(
            "scheme", "Signed by", "choice",
            "standard: Standard Webhooks; hmac: one header with an HMAC-SHA256 of the body",
            "standard", ("standard", "hmac"),
        ),
        Setting(
            "signature_header", "Header of the signature", help="With hmac only",
            default="X-Signature", form=HEADER, form_in_words="the name of a header",
        ),
        Setting("signature_prefix", "What stands before it", help="With hmac; such as sha256="),
        Setting("encoding", "Written in", "choice", "With hmac", "hex", ("hex", "base64")),
        Setting(
            "id_header", "Header of the message's id", help="With hmac; empty: its content",
            form=HEADER, form_in_words="the name of a header",
        ),
        Setting(
            "timestamp_header", "Header of the time",
            help="With hmac; signed as time.body, and no older than five minutes",
            form=HEADER, form_in_words="the name of a header",
        ),
        Setting(
            "signing_secret", "Secret", secret=True,
            help="Theirs; empty: one is made here and shown to you once",
        ),
        Setting(
            "records", "Where the records stand",
            help="Names between points, such as data.items; empty: the body itself",
        ),
    ),
}  # fmt: skip


def of(kind: str) -> tuple[Setting, ...]:
    return SETTINGS[kind]


def secret_names(kind: str) -> list[str]:
    return [one.name for one in SETTINGS[kind] if one.secret]


def checked(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the connection, with nothing unknown and no secret in it; else Refused."""
    known = {one.name: one for one in SETTINGS[kind] if not one.secret}
    for name in given:
        if name in secret_names(kind):
            raise Refused(f"connection/{name}", f"“{name}” is a secret: give it as one.")
        if name not in known:
            listed = ", ".join(known) or "none"
            raise Refused(f"connection/{name}", f"A {kind} source has no such setting: {listed}.")
    read = {name: _read(known[name], value) for name, value in given.items()}
    return {name: value for name, value in read.items() if value not in (None, "", [])}


def checked_secrets(kind: str, given: Mapping[str, Any]) -> dict[str, str]:
    """The secrets by name, if a source of this kind has them."""
    for name, text in given.items():
        if name not in secret_names(kind):
            listed = ", ".join(secret_names(kind)) or "none"
            raise Refused(f"secrets/{name}", f"A {kind} source has no such secret: {listed}.")
        if not isinstance(text, str) or len(text) > LONGEST or "\x00" in text:
            raise Refused(f"secrets/{name}", "A secret is a text.")
        if name == SIGNING and text and (fault := vault.fault_of(text)):
            raise Refused(f"secrets/{name}", fault)
    return dict(given)


def with_defaults(source: Source) -> dict[str, Any]:
    """The connection as it is used: what is not said is as the table says."""
    said = {one.name: one.default for one in SETTINGS[source.kind] if one.default is not None}
    return {**said, **source.connection}


def _read(setting: Setting, value: Any) -> Any:
    if value is None or value == "":
        return None
    found = READERS[setting.type](setting, value)
    for text in found if isinstance(found, list) else [found]:
        if setting.form and not setting.form.fullmatch(text):
            raise _wrong(setting, f"“{text[:80]}” is not {setting.form_in_words}.")
    return found


def _text(setting: Setting, value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST or "\x00" in value:
        raise _wrong(setting, "Give a text.")
    if setting.type != "long" and not value.isprintable():
        raise _wrong(setting, "Give a text of one line.")
    return value.strip()


def _list(setting: Setting, value: Any) -> list[str]:
    items = value.replace(",", "\n").splitlines() if isinstance(value, str) else value
    if not isinstance(items, list) or len(items) > MOST_ITEMS:
        raise _wrong(setting, f"Give a list of at most {MOST_ITEMS} texts.")
    return [text for one in items if (text := _text(setting, one))]


def _choice(setting: Setting, value: Any) -> str:
    if value not in setting.choices:
        raise _wrong(setting, f"Choose one of {', '.join(setting.choices)}.")
    return str(value)


def _whole(setting: Setting, value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,5}", str(value), re.ASCII):
        raise _wrong(setting, "Give a whole number.")
    if not 0 < int(value) < 65_536:
        raise _wrong(setting, "A port is between 1 and 65535.")
    return int(value)


def _flag(setting: Setting, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(setting, "Give true or false.")
    return value


READERS = {
    "text": _text, "long": _text, "list": _list, "choice": _choice, "whole": _whole, "flag": _flag,
}  # fmt: skip


def _wrong(setting: Setting, sentence: str) -> Refused:
    return Refused(f"connection/{setting.name}", f"{setting.title}: {sentence}")
