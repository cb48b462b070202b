"""Is a source's broker reached with what the source says? Step by step, each in words.

Nothing is read or stored: of Kafka the topic's metadata is asked for, an MQTT broker is greeted
under another name than the listener's, so that nobody is thrown out. Every step has its limit.
"""

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from anomalyshield.audit.record import record
from scoring import secrets as vault
from scoring.models import Source
from scoring.streaming import cluster, connection, listening
from scoring.streaming.connection import Kafka, Login, Misconfigured, Missing, Mqtt

SECONDS = 5.0  # for one step
UNKNOWN = "_AUTHENTICATION"
# What the client puts around the words of a broker: who it was, and how long it took.
WRAPPED = re.compile(r"^\S+: (SASL authentication error: )?|( \(after \d+ms.*\))$")
K = Source.Kind


@dataclass(frozen=True)
class Step:
    """One thing that was tried: what, whether it went well, and what there is to say of it."""

    name: str
    good: bool
    words: str = ""
    field: str = ""  # the setting to look at, if one is to blame


def try_connection(*, by: Any, source: Source) -> list[Step]:
    """The steps up to the first that fails; all good means that it is reached."""
    steps = list(_steps(source))
    after = {"reached": all(step.good for step in steps), "step": steps[-1].name}
    record(by=by, action="source.connection_tried", object=source, after=after)
    return steps


def _steps(source: Source) -> Iterator[Step]:
    if source.kind == K.WEBHOOK:
        yield _hook(source)
        return
    if source.kind not in (K.KAFKA, K.MQTT):
        yield Step(_("Connection"), True, _("There is none: it waits until something is sent."))
        return
    try:
        told = connection.of(source)
    except Misconfigured as wrong:
        yield Step(_("Settings"), False, str(wrong))
        return
    except vault.SecretLost as lost:
        yield Step(_("Settings"), False, str(lost))
        return
    yield Step(_("Settings"), True)
    for step in _reached(told):
        yield step
        if not step.good:
            return


def _reached(told: Kafka | Mqtt) -> Iterator[Step]:
    """Any one of several brokers will do: the first that answers leads to the others."""
    if told.login.tls and (file := _believed(told.login)):
        yield file
        return
    if isinstance(told, Mqtt):
        yield from _line(told.host, told.port, told.login)
        yield _greeted(told)
        return
    steps: list[Step] = []
    for server in told.servers.split(","):
        host, _colon, port = server.strip().rpartition(":")
        steps = list(_line(host, int(port), told.login))
        if steps[-1].good:
            break
    yield from steps
    yield from _topics(told)


def _line(host: str, port: int, login: Login) -> Iterator[Step]:
    """Name, TCP and, where it is wanted, TLS."""
    pool = ThreadPoolExecutor(1, "looking up")
    try:
        found = pool.submit(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        address = found.result(SECONDS)[0][4]
    except TooLong:
        yield Step("DNS", False, _("{host} was not looked up in time.").format(host=host))
        return
    except OSError:
        yield Step("DNS", False, _("{host} is no name that is known here.").format(host=host))
        return
    finally:
        pool.shutdown(wait=False)
    yield Step("DNS", True, f"{host} → {address[0]}")
    try:
        with socket.create_connection((host, port), SECONDS) as line:
            yield Step("TCP", True, f"{host}:{port}")
            if login.tls:
                yield _encrypted(line, host, login)
    except OSError as error:
        yield Step("TCP", False, f"{host}:{port} {_why(error)}")


def _encrypted(line: socket.socket, host: str, login: Login) -> Step:
    try:
        with connection.trusted(login).wrap_socket(line, server_hostname=host) as closed:
            return Step("TLS", True, str(closed.version()))
    except ssl.SSLCertVerificationError as error:
        words = _("The certificate of {host} is not believed: {why}.")
        return Step("TLS", False, words.format(host=host, why=error.verify_message), "ca_file")
    except ssl.SSLError as error:
        words = _("{host} does not speak TLS at this port: {why}.")
        return Step("TLS", False, words.format(host=host, why=error.reason or error), "tls")
    except OSError as error:
        return Step("TLS", False, f"{host} {_why(error)}", "tls")


def _believed(login: Login) -> Step | None:
    """What is wrong with the file of certificates, before anybody is called."""
    try:
        connection.trusted(login)
    except Misconfigured as wrong:
        return Step("TLS", False, str(wrong), "ca_file")
    return None


def _why(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return _("refuses the connection: nothing listens there.")
    if isinstance(error, TimeoutError):
        return _("did not answer within {seconds} seconds.").format(seconds=int(SECONDS))
    return str(error.strerror or error)


def _topics(told: Kafka) -> Iterator[Step]:
    """Each topic with its partitions, as the cluster tells whoever may read it."""
    try:
        kafka = cluster.library()
    except Missing as missing:
        yield Step("Kafka", False, str(missing))
        return
    from confluent_kafka.admin import AdminClient

    refused: list[Any] = []  # what the client reports beside the answer
    options = cluster.options(told.servers, told.login) | {"error_cb": refused.append}
    client = AdminClient(options)
    for topic in told.topics:
        try:
            found = _metadata(client, topic, refused).topics[topic]
        except kafka.KafkaException as error:
            yield _unanswered(told.login, error, refused)
            return
        if found.error is not None:
            yield Step(_("Topic"), False, f"{topic}: {found.error.str()}", "topic")
            return
        many = len(found.partitions)
        yield Step(_("Topic"), True, _("{topic}: {many} partitions").format(topic=topic, many=many))


def _metadata(client: Any, topic: str, refused: list[Any]) -> Any:
    """The client tries again whatever it meets; who is not let in need not wait for that."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            return client.list_topics(topic, timeout=min(SECONDS, 1.0))
        except cluster.library().KafkaException:
            client.poll(0)
            if time.monotonic() >= until or any(one.name() == UNKNOWN for one in refused):
                raise


def _unanswered(login: Login, error: Any, refused: list[Any]) -> Step:
    """Who we say we are is wrong, or somebody else answers, or nobody."""
    for one in refused:
        if one.name() == UNKNOWN:
            why = WRAPPED.sub("", one.str())
            field = "sasl_mechanism" if "mechanism handshake" in why else "password"
            words = _("The cluster does not let {user} in: {why}.")
            return Step(_("Log-in"), False, words.format(user=login.username, why=why), field)
    why = error.args[0].str() if error.args else str(error)
    if login.tls:
        field = "" if login.username else "username"
        return Step("Kafka", False, _("The cluster does not answer: {why}").format(why=why), field)
    words = _("The cluster does not answer: {why}. It may want TLS or a log-in.")
    return Step("Kafka", False, words.format(why=why), "tls")


def _greeted(told: Mqtt) -> Step:
    """The answer to CONNECT, under a name of its own and with a session that ends at once."""
    try:
        paho = listening.library()
    except Missing as missing:
        return Step("MQTT", False, str(missing))
    answered, said = threading.Event(), []
    client = paho.Client(
        paho.CallbackAPIVersion.VERSION2,
        client_id=f"{told.client}-test",
        protocol=paho.MQTTv5 if told.version == "5" else paho.MQTTv311,
    )
    if told.login.username:
        client.username_pw_set(told.login.username, told.login.password)
    if told.login.tls:
        client.tls_set_context(connection.trusted(told.login))

    def connected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        said.append(reason)
        answered.set()

    client.on_connect = connected
    client.connect_timeout = SECONDS
    try:
        client.connect(told.host, told.port, 10)
        client.loop_start()
        if not answered.wait(SECONDS):
            return Step("MQTT", False, _("The broker did not answer in time."))
        if said[0].is_failure:
            field = "password" if told.login.username else "username"
            words = _("The broker refuses us: {why}").format(why=said[0])
            return Step("MQTT", False, words, field)
        return Step("MQTT", True, _("The broker lets us in."))
    except OSError as error:
        return Step("MQTT", False, _why(error))
    finally:
        client.disconnect()
        client.loop_stop()


def _hook(source: Source) -> Step:
    if not source.sealed.get("signing_secret"):
        return Step(_("Secret"), False, _("It has no secret yet, so no message is taken."))
    return Step(_("Secret"), True, _("Send this sample to see whether you sign as is expected."))
