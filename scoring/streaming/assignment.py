"""The partitions that are ours: begun where their rows stand, given back when others take over."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from scoring.models import Source, StreamPosition
from scoring.streaming import positions
from scoring.streaming.positions import Move, Span

log = logging.getLogger(__name__)
ANSWER = 10.0  # seconds a broker has for a question
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # while somebody is away; the last one again and again
OUTAGE = (OperationalError, InterfaceError, ConnectionError)
Place = tuple[str, int]  # topic, partition
Steps = dict[Place, tuple[int, int, int]]  # from which offset, to which, how many messages


class Assignment:
    """What the group gave us. All of it is called in the thread of the reader."""

    def __init__(self, kafka: Any, source: Source, start: str, stop: threading.Event) -> None:
        self.kafka, self.source, self.start, self.stop = kafka, source, start, stop
        self.keys: dict[Place, int] = {}  # the partitions that are ours → their rows
        self.next: dict[Place, int] = {}  # … → the first message not stored yet
        self.paused = False

    def given(self, consumer: Any, partitions: list[Any]) -> None:
        """Begin each partition where its row stands."""
        for one in partitions:
            row = self._asked_until_told(lambda one=one: self._begun(consumer, one))
            if row is None:
                return  # we are stopping
            place = (one.topic, one.partition)
            self.keys[place], self.next[place] = row.pk, row.next_offset
            one.offset = row.next_offset
            log.info("reading %s from %s on", row, row.next_offset)
        consumer.incremental_assign(partitions)
        if self.paused:
            consumer.pause(partitions)

    def _begun(self, consumer: Any, one: Any) -> StreamPosition:
        cluster_id = consumer.list_topics(one.topic, timeout=ANSWER).cluster_id
        low, high = consumer.get_watermark_offsets(one, timeout=ANSWER)
        return positions.begin(
            self.source,
            cluster_id,
            one.topic,
            one.partition,
            span=Span(low, high),
            start=self.start,
        )

    def _asked_until_told(self, ask: Callable[[], StreamPosition]) -> StreamPosition | None:
        """Broker and database both have to answer before a partition can be begun."""
        for pause in pauses():
            try:
                return ask()
            except (*OUTAGE, self.kafka.KafkaException) as error:
                log.warning("a partition waits to be begun: %s", error)
                connection.close()
            if self.stop.wait(pause):
                break
        return None

    def taken_away(self, consumer: Any, partitions: list[Any]) -> None:
        """Nothing of them is under way here: what was not stored is somebody else's now."""
        for one in partitions:
            self.keys.pop((one.topic, one.partition), None)
            self.next.pop((one.topic, one.partition), None)
            log.info("no longer reading %s/%s", one.topic, one.partition)
        consumer.incremental_unassign(partitions)

    def ours(self, messages: list[Any]) -> list[Any]:
        """Those of partitions that are still ours and of which nothing was stored since."""
        return [
            message
            for message in messages
            if message.offset() >= self.next.get(place_of(message), 2**63)
        ]

    def begin_anew(self, consumer: Any, topic: str, partition: int) -> None:
        """The broker no longer has what comes next: see what it has, and go on there."""
        where = self.kafka.TopicPartition(topic, partition)
        consumer.incremental_unassign([where])
        self.given(consumer, [where])

    def go_back(self, consumer: Any, messages: list[Any]) -> None:
        """Somebody read on from here. Go on where the rows stand, for as long as they are ours."""
        places = {place_of(message) for message in messages}
        stands = positions.next_offsets(self.keys[place] for place in places)
        for place in places:
            self.next[place] = stands[self.keys[place]]
            consumer.seek(self.kafka.TopicPartition(*place, self.next[place]))
        log.warning("another reader was ahead in %s", ", ".join(map(named, places)))

    # --- what is read of them ---------------------------------------------------------------------
    def steps(self, messages: list[Any]) -> Steps:
        """For each partition where it stands, where it will, and how many messages that were."""
        steps: Steps = {}
        for message in messages:
            place = place_of(message)
            start, _, many = steps.get(place, (self.next[place], 0, 0))
            steps[place] = (start, message.offset() + 1, many + 1)
        return steps

    def counted(self, consumer: Any, steps: Steps, refused: Mapping[Place, int]) -> dict[int, Move]:
        return {
            self.keys[place]: Move(
                start=start,
                next=next,
                taken=many,
                rejected=refused.get(place, 0),
                end=self.end(consumer, place),
            )
            for place, (start, next, many) in steps.items()
        }

    def advance(self, steps: Steps) -> None:
        """These steps are committed."""
        self.next.update({place: step[1] for place, step in steps.items()})

    def end(self, consumer: Any, place: Place) -> int:
        """Where the partition ends, as the last answer of the broker told."""
        where = self.kafka.TopicPartition(*place)
        _, high = consumer.get_watermark_offsets(where, cached=True)
        return max(high, self.next[place])

    # --- while the database is away ---------------------------------------------------------------
    def pause(self, consumer: Any) -> None:
        if not self.paused:
            self.paused = True
            consumer.pause(consumer.assignment())

    def resume(self, consumer: Any) -> None:
        if self.paused:
            self.paused = False
            consumer.resume(consumer.assignment())


def pauses() -> Iterator[float]:
    yield from PAUSES
    while True:
        yield PAUSES[-1]


def place_of(message: Any) -> Place:
    return message.topic(), message.partition()


def named(place: Place) -> str:
    return f"{place[0]}/{place[1]}"
