"""Where reading goes on: rows that move with what was read, and only from where they stand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from scoring.models import Source, StreamPosition

EARLIEST, LATEST = "earliest", "latest"


class Overtaken(Exception):
    """Somebody else read on from here meanwhile: what we hold of it is theirs."""


@dataclass(frozen=True, slots=True)
class Span:
    """What the broker still holds of a partition: from `low` on, up to before `high`."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Move:
    """One position's step: from the first message of a batch on to after its last."""

    start: int
    next: int
    taken: int
    rejected: int
    end: int


@transaction.atomic
def begin(
    source: Source, cluster: str, topic: str, partition: int, *, span: Span, start: str
) -> StreamPosition:
    """The position of a partition we were just given; a new one is written down at once.

    `start` says where a partition is begun that nobody here has read before. From then on it is
    the row that counts: what comes between two starts of the reader is never skipped.
    """
    first = span.low if start == EARLIEST else span.high
    named = {"source": source, "cluster": cluster, "topic": topic, "partition": partition}
    StreamPosition.objects.bulk_create(
        [StreamPosition(**named, next_offset=first, end_offset=span.high)], ignore_conflicts=True
    )
    position = StreamPosition.objects.select_for_update().get(**named)
    return _within(position, span)


def _within(position: StreamPosition, span: Span) -> StreamPosition:
    """Where the broker no longer, or not yet, has what we would read next, say so and go on."""
    position.end_offset = span.high
    if position.next_offset < span.low:  # kept too short for our absence
        position.missed += span.low - position.next_offset
        position.next_offset = span.low
    elif position.next_offset > span.high:  # the topic was made anew; ids tell what is known
        position.next_offset = span.low
    position.save(update_fields=["end_offset", "missed", "next_offset"])
    return position


def move(moves: Mapping[int, Move]) -> None:
    """Take these steps, by primary key, in the caller's transaction. Overtaken if one stands
    elsewhere."""
    # In one order, so that two readers who believe in the same partitions cannot deadlock.
    rows = list(
        StreamPosition.objects.select_for_update().filter(pk__in=moves.keys()).order_by("pk")
    )
    if any(row.next_offset != moves[row.pk].start for row in rows) or len(rows) < len(moves):
        raise Overtaken
    now = timezone.now()
    for row in rows:
        step = moves[row.pk]
        row.next_offset, row.end_offset = step.next, max(step.end, step.next)
        row.taken += step.taken
        row.rejected += step.rejected
        row.moved_at = now
    StreamPosition.objects.bulk_update(
        rows, ["next_offset", "end_offset", "taken", "rejected", "moved_at"]
    )


def seen(ends: Mapping[int, int]) -> None:
    """Write down where topics end now, for the lag of partitions in which nothing is read."""
    for pk, end in ends.items():
        StreamPosition.objects.filter(pk=pk).exclude(end_offset=end).update(end_offset=end)


def next_offsets(keys: Iterable[int]) -> dict[int, int]:
    """Primary key → where reading goes on."""
    return dict(StreamPosition.objects.filter(pk__in=keys).values_list("pk", "next_offset"))
