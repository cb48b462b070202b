"""How far each partition of a topic has been read, committed together with its rows."""

from django.db import models

from scoring.models.sources import Source


class StreamPositionQuerySet(models.QuerySet["StreamPosition"]):
    """Questions asked of positions."""

    def read_now(self) -> "StreamPositionQuerySet":
        """Those of sources that are switched on and not left to Spark, which keeps its own."""
        return self.filter(source__in=Source.objects.read_here()).select_related("source")


class StreamPosition(models.Model):
    """One partition as one source reads it. `next_offset` is the first message not stored yet.

    This row and not the broker says where reading goes on. It also keeps out a reader that lost
    its partition without noticing: it may only be moved from where the mover believes it stands.
    """

    source = models.ForeignKey(Source, models.CASCADE, related_name="positions")
    cluster = models.CharField(max_length=64)  # offsets mean nothing in another cluster
    topic = models.CharField(max_length=249)
    partition = models.PositiveIntegerField()
    next_offset = models.BigIntegerField()
    end_offset = models.BigIntegerField()  # where the topic ended when we last looked
    taken = models.BigIntegerField(default=0)  # messages, good and bad
    rejected = models.BigIntegerField(default=0)
    missed = models.BigIntegerField(default=0)  # deleted by the broker before they were read
    moved_at = models.DateTimeField(null=True)  # when messages were last taken

    objects = StreamPositionQuerySet.as_manager()

    class Meta:
        ordering = ["source_id", "topic", "partition"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "cluster", "topic", "partition"], name="position_once_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"

    @property
    def lag(self) -> int:
        """Messages that wait to be read."""
        return max(self.end_offset - self.next_offset, 0)
