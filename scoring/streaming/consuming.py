"""Reads topics of Kafka: batches are stored with their positions in one commit, then decided.

PostgreSQL and not the broker says where reading goes on: every partition given to us is begun where
its row stands, and what is committed to the broker only serves tools that show lag. Partitions
come and go one by one (cooperative rebalancing): those that stay are read on meanwhile, and those
that go take nothing with them, because a batch is finished before the group is spoken to.
"""

import logging
import threading
import time
from collections import Counter
from typing import Any

from django.db import OperationalError, connection, transaction

from anomalyshield import faults, leases, pulse
from anomalyshield.metrics import BATCH_ROWS
from scoring import accepting, backlog, quarantine
from scoring.models import Chunk, Source
from scoring.streaming import cluster, positions
from scoring.streaming.assignment import OUTAGE, Assignment, named, pauses, place_of
from scoring.streaming.connection import KAFKA, Kafka
from scoring.streaming.messages import Message, moment, sent
from scoring.streaming.positions import Overtaken
from scoring.tasks import do, work_named

log = logging.getLogger(__name__)
ROWS = 2_000  # in one batch: a message costs a core 114 µs, in batches of 500 it was 201
WAIT, GATHER = 0.5, 0.02  # seconds: for the first message of a batch, and for the others then
LOOK = 2.0  # seconds between signs of life
SESSION_MS = 10_000  # a reader that died is missed after this
CHUNK = work_named("chunk")


class Reader:
    """One member of the group, for one source. All of it happens in the thread that runs it.

    It decides what it stored, so that nobody waits for a bell; only when it is behind and a worker
    is free does it leave that to the worker and read on.
    """

    sign = "stream"  # of life, with the number of the source

    def __init__(
        self, source: Source, settings: Kafka, stop: threading.Event, **options: Any
    ) -> None:
        self.source, self.settings, self.stop = source, settings, stop
        self.kafka = cluster.library()
        self.mine = Assignment(self.kafka, source, settings.start, stop)
        self.over = False  # the source was switched off, or its broker is another one now
        self.looked = 0.0
        self.troubles = cluster.Troubles()
        self.consumer = self.kafka.Consumer(self._options(options))

    def _options(self, more: dict[str, Any]) -> dict[str, Any]:
        told = cluster.options(
            self.settings.servers,
            self.settings.login,
            group_id=self.settings.group,
            session_timeout_ms=SESSION_MS,
            queued_max_messages_kbytes=16_384,  # of a partition, while a batch is being stored
            topic_metadata_refresh_interval_ms=30_000,
        )
        told["enable.auto.commit"] = told["enable.auto.offset.store"] = False
        told["partition.assignment.strategy"] = "cooperative-sticky"
        told["error_cb"] = self.troubles
        told["auto.offset.reset"] = "error"  # an offset that is gone is ours to deal with
        return told | more

    # --- the loop ---------------------------------------------------------------------------------
    def run(self) -> None:
        """Until `stop` is set or the source changes; then the group is left in order."""
        self.consumer.subscribe(
            list(self.settings.topics),
            on_assign=self.mine.given,
            on_revoke=self.mine.taken_away,
            on_lost=self.mine.taken_away,
        )
        try:
            while not (self.over or self.stop.is_set()):
                self.take(self.batch())
                self._look()
        finally:
            self.consumer.close()

    def batch(self) -> list[Any]:
        """The next messages: up to ROWS, but none of them waits long for the others."""
        first = self.consumer.consume(1, WAIT)
        more = self.consumer.consume(ROWS - 1, GATHER) if first else []
        return self._readable([*first, *more])

    def take(self, messages: list[Any]) -> None:
        """Store and decide, however long the database takes to come back."""
        for pause in pauses():
            messages = self.mine.ours(messages)
            if not messages or self.stop.is_set():
                break
            try:
                self._take(messages)
                break
            except OUTAGE as error:
                log.warning("messages wait: %s", error)
                connection.close()
                messages += self._hold_still(pause)
        self.mine.resume(self.consumer)

    def _take(self, messages: list[Any]) -> bool:
        """Whether what comes after these messages may be taken, too."""
        try:
            chunks = self._store(messages)
        except Overtaken:
            self.mine.go_back(self.consumer, messages)
            return False
        except accepting.Inactive:
            self.over = True
            return False
        except OUTAGE:
            raise
        except Exception as error:
            if leases.passing(error):
                raise OperationalError(str(error)) from error
            return self._apart(messages, error)
        BATCH_ROWS.labels(source=self.source.name).observe(len(messages))
        faults.point("stream.stored")
        self._tell_broker(messages)
        for chunk in chunks:
            if chunk.state == chunk.State.RUNNING:  # ours; what is left to a worker is not
                do(CHUNK, chunk)
        return True

    def _apart(self, messages: list[Any], error: Exception) -> bool:
        """One of them cannot be stored: halve until it stands alone, and keep it aside."""
        if len(messages) > 1:
            middle = len(messages) // 2
            return self._take(messages[:middle]) and self._take(messages[middle:])
        log.exception("a message could not be stored", exc_info=error)
        [message], steps = messages, self.mine.steps(messages)
        reasons = {"record": f"could not be stored: {type(error).__name__}"}
        with transaction.atomic():
            bad = quarantine.Bad(message.value() or b"", reasons, place=_plain(message).place)
            quarantine.keep(self.source, [bad])
            positions.move(self.mine.counted(self.consumer, steps, {place_of(message): 1}))
        self.mine.advance(steps)
        return True

    def _store(self, messages: list[Any]) -> list[Chunk]:
        """One commit: rows, rejects, chunks, and how far each partition was read."""
        steps, records = self.mine.steps(messages), sent([_plain(message) for message in messages])
        with transaction.atomic():
            mine = len(messages) < ROWS or not backlog.worker_free()
            accepted = accepting.accept(source=self.source, sent=records, door=KAFKA, claimed=mine)
            refused = Counter(place_of(messages[at]) for at in accepted.rejected)
            positions.move(self.mine.counted(self.consumer, steps, refused))
            faults.point("stream.before_commit")
        self.mine.advance(steps)
        return accepted.chunks

    def _readable(self, messages: list[Any]) -> list[Any]:
        """Messages alone; what the client reports among them is dealt with."""
        for message in messages:
            if (error := message.error()) is None:
                continue
            if error.code() == self.kafka.KafkaError._AUTO_OFFSET_RESET:
                self.mine.begin_anew(self.consumer, message.topic(), message.partition())
            else:
                log.warning("%s: %s", message.topic(), error.str())
        return [message for message in messages if message.error() is None]

    def _tell_broker(self, messages: list[Any]) -> None:
        """For tools that show lag. Nothing depends on it, so nobody waits for it."""
        places = {place_of(message) for message in messages}
        offsets = [self.kafka.TopicPartition(*place, self.mine.next[place]) for place in places]
        try:
            self.consumer.commit(offsets=offsets, asynchronous=True)
        except self.kafka.KafkaException as error:
            log.info("the broker was not told: %s", error)

    # --- while the database is away ---------------------------------------------------------------
    def _hold_still(self, seconds: float) -> list[Any]:
        """Take no more, but stay in the group, which wants to hear from us."""
        self.mine.pause(self.consumer)
        late, until = [], time.monotonic() + seconds
        while time.monotonic() < until and not self.stop.is_set():
            if message := self.consumer.poll(0.1):
                late.append(message)
        return self._readable(late)

    # --- signs of life ----------------------------------------------------------------------------
    def _look(self) -> None:
        """Every two seconds: we are alive, and this is where topics end."""
        if time.monotonic() - self.looked < LOOK:
            return
        self.looked = time.monotonic()
        try:
            self._read_source()
            mine = self.mine
            positions.seen(
                {key: mine.end(self.consumer, place) for place, key in mine.keys.items()}
            )
            trouble = {"trouble": said} if (said := self.troubles.now) else {}
            pulse.show(f"{self.sign}:{self.source.pk}", **trouble)
        except OUTAGE as error:
            log.warning("the database is away: %s", error)
            connection.close()

    def _read_source(self) -> None:
        """What is said of records holds from the next batch on; a new broker needs a new start."""
        fresh = Source.objects.get(pk=self.source.pk)
        same = (fresh.connection, fresh.sealed) == (self.source.connection, self.source.sealed)
        self.over = not (fresh.active and same)
        self.source = fresh


def _plain(message: Any) -> Message:
    kind, milliseconds = message.timestamp()
    at = moment(milliseconds) if kind else None
    return Message(f"{named(place_of(message))}@{message.offset()}", message.value(), at)
