"""Listens to an MQTT broker: a message is acknowledged when its rows are committed, not before.

The session is persistent, so the broker keeps messages (QoS 1) while nobody listens, and sends
again what was not acknowledged. There are no offsets: ids tell what is known, and a refused message
that comes again is known by its content. The broker sends only so many unacknowledged messages,
which is all the backpressure there needs to be. One thread does everything.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone

from anomalyshield import faults, leases, pulse
from anomalyshield.metrics import BATCH_ROWS
from scoring import accepting, quarantine
from scoring.models import RejectedRecord, Source
from scoring.streaming.assignment import OUTAGE, pauses
from scoring.streaming.connection import MQTT, Missing, Mqtt, trusted
from scoring.streaming.messages import Message, sent
from scoring.tasks import do, work_named

log = logging.getLogger(__name__)
ROWS = 500  # in one batch, and unacknowledged at the most
GATHER = 0.02  # seconds in which others may join the first message of a batch
LOOK = 2.0  # seconds between signs of life
KEEPALIVE = 30
FOREVER = 0xFFFFFFFF  # the session does not end by itself; brokers have limits of their own
REPEATED = timedelta(days=7)  # in which a refused message that comes again is the same one
CHUNK = work_named("chunk")
CURE = "MQTT needs the package paho-mqtt: pip install -r requirements-extras.txt"


class Refused(Exception):
    """The broker does not let us in, and will not by itself; the text says what it said."""


def library() -> Any:
    """The module paho.mqtt.client, or Missing with the cure."""
    try:
        import paho.mqtt.client
    except ImportError:
        raise Missing(CURE) from None
    return paho.mqtt.client


class Listener:
    """The one that listens for a source."""

    def __init__(
        self,
        source: Source,
        settings: Mqtt,
        stop: threading.Event,
        turn: Callable[[], object] = lambda: None,
    ) -> None:
        """`turn` raises psycopg.Error once it is no longer ours: another may listen now."""
        self.source, self.settings, self.stop, self.turn = source, settings, stop, turn
        self.paho = library()
        self.held: list[Any] = []  # arrived on this connection and not stored yet
        self.over = False  # the source was switched off, or its broker is another one now
        self.refused = self.trouble = ""
        self.looked = 0.0
        self.client = self._client()

    # --- the connection ---------------------------------------------------------------------------
    def _client(self) -> Any:
        five = self.settings.version == "5"
        client = self.paho.Client(
            self.paho.CallbackAPIVersion.VERSION2,
            client_id=self.settings.client,
            protocol=self.paho.MQTTv5 if five else self.paho.MQTTv311,
            clean_session=None if five else False,
            manual_ack=True,
        )
        login = self.settings.login
        if login.username:
            client.username_pw_set(login.username, login.password)
        if login.tls:
            client.tls_set_context(trusted(login))
        client.on_connect, client.on_message = self._connected, self._arrived
        client.on_subscribe = self._subscribed
        return client

    def _connect(self) -> None:
        """Until the broker answers. What came by the connection before comes again."""
        self.held.clear()
        for pause in pauses():
            try:
                self.client.connect(
                    self.settings.host, self.settings.port, KEEPALIVE, **self._persistent()
                )
                self.trouble = ""
                return
            except OSError as error:
                self.trouble = f"{self.settings.host}:{self.settings.port}: {error}"
                log.warning("%s does not answer: %s", self.settings.host, error)
            if self.stop.wait(pause):
                return
            self._look()

    def _persistent(self) -> dict[str, Any]:
        if self.settings.version != "5":
            return {}  # said when the client was made
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval, properties.ReceiveMaximum = FOREVER, ROWS
        return {"clean_start": False, "properties": properties}

    def _connected(self, client: Any, _: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self.refused = f"{self.settings.host} refuses us: {reason}"
            return
        kept = "kept our session" if flags.session_present else "begins a session"
        log.info("%s %s", self.settings.host, kept)
        client.subscribe([(topic, self._wanted()) for topic in self.settings.topics])

    def _wanted(self) -> Any:
        if self.settings.version != "5":
            return 1
        from paho.mqtt.subscribeoptions import SubscribeOptions

        return SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)

    def _subscribed(self, client: Any, _: Any, mid: int, reasons: Any, properties: Any) -> None:
        for topic, reason in zip(self.settings.topics, reasons, strict=False):
            if reason.is_failure:
                self.refused = f"{self.settings.host} does not give us {topic}: {reason}"

    def _arrived(self, client: Any, _: Any, message: Any) -> None:
        self.held.append(message)

    # --- the loop ---------------------------------------------------------------------------------
    def run(self) -> None:
        """Until `stop` is set or the source changes. Refused says what only a person can mend."""
        self._connect()
        while not (self.over or self.stop.is_set()):
            self._hear(0.5)
            until = time.monotonic() + GATHER
            while self.held and len(self.held) < ROWS and time.monotonic() < until:
                self._hear(GATHER)
            self._take()
            self._look()
        self.client.disconnect()

    def _hear(self, seconds: float) -> None:
        code = self.client.loop(seconds)
        if self.refused:
            raise Refused(self.refused)
        if code != self.paho.MQTT_ERR_SUCCESS and not self.stop.is_set():
            log.warning("the connection to %s is lost: %s", self.settings.host, code)
            self._connect()

    def _take(self) -> None:
        """Store, acknowledge and decide all that is held, however long the database is away."""
        for pause in pauses():
            if not self.held or self.over or self.stop.is_set():
                return
            try:
                while self.held and not self.over:
                    self._take_batch(self.held[:ROWS])
                return
            except OUTAGE as error:
                log.warning("messages wait for the database: %s", error)
                connection.close()
            until = time.monotonic() + pause
            while time.monotonic() < until and not self.stop.is_set():
                self._hear(0.1)  # or the broker would think that we are gone

    def _take_batch(self, messages: list[Any]) -> None:
        try:
            accepted = self._store(messages)
        except accepting.Inactive:
            self.over = True
            return
        except OUTAGE:
            raise
        except Exception as error:
            if leases.passing(error):
                raise ConnectionError(str(error)) from error
            self._apart(messages, error)
            return
        faults.point("stream.stored")
        self._acknowledge(messages)
        for chunk in accepted.chunks:
            do(CHUNK, chunk)

    def _store(self, messages: list[Any]) -> accepting.Accepted:
        fresh = [message for message in messages if not self._known_reject(message)]
        records = sent([_plain(message) for message in fresh])
        BATCH_ROWS.labels(source=self.source.name).observe(len(messages))
        return accepting.accept(source=self.source, sent=records, door=MQTT, claimed=True)

    def _apart(self, messages: list[Any], error: Exception) -> None:
        """One of them cannot be stored: halve until it stands alone, and keep it aside."""
        if len(messages) > 1:
            middle = len(messages) // 2
            self._take_batch(messages[:middle])
            self._take_batch(messages[middle:])
            return
        log.exception("a message could not be stored", exc_info=error)
        [message] = messages
        reasons = {"record": f"could not be stored: {type(error).__name__}"}
        place = _plain(message).place
        quarantine.keep(self.source, [quarantine.Bad(message.payload, reasons, place=place)])
        self._acknowledge(messages)

    def _known_reject(self, message: Any) -> bool:
        """Was this one refused before, and only our acknowledgement got lost?"""
        since = timezone.now() - REPEATED
        return (
            message.dup
            and RejectedRecord.objects.filter(
                source=self.source, place=_plain(message).place, at__gt=since
            ).exists()
        )

    def _acknowledge(self, messages: list[Any]) -> None:
        """What does not reach the broker has it send the message again, which changes nothing."""
        for message in messages:
            self.client.ack(message.mid, message.qos)
        stored = set(map(id, messages))
        self.held = [message for message in self.held if id(message) not in stored]

    # --- signs of life ----------------------------------------------------------------------------
    def _look(self) -> None:
        if time.monotonic() - self.looked < LOOK:
            return
        self.looked = time.monotonic()
        try:
            self.turn()
        except psycopg.Error as error:
            log.warning("it may be another's turn to listen: %s", error)
            self.over = True
            return
        try:
            fresh = Source.objects.get(pk=self.source.pk)
            same = (fresh.connection, fresh.sealed) == (self.source.connection, self.source.sealed)
            self.over = not (fresh.active and same)
            self.source = fresh
            trouble = {"trouble": self.trouble} if self.trouble else {}
            pulse.show(f"stream:{self.source.pk}", **trouble)
        except OUTAGE as error:
            log.warning("the database is away: %s", error)
            connection.close()


def _plain(message: Any) -> Message:
    mark = hashlib.sha256(message.payload).hexdigest()[:16]
    return Message(f"{message.topic[:270]}#{mark}", message.payload)
