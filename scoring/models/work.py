"""Work as rows: files being read, chunks being scored, slots of the schedule."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext

from anomalyshield.leases import Leased
from scoring.models.sources import Source


class UploadQuerySet(models.QuerySet["Upload"]):
    """Questions asked of uploads."""

    def visible_to(self, user: Any) -> "UploadQuerySet":
        """Admins see all; who keeps sources, those of theirs and their own; a key of a source, that
        source's; others, their own."""
        if user.pk is not None:
            kept = Source.objects.visible_to(user).order_by().values("pk")
            return self.filter(models.Q(created_by=user) | models.Q(source__in=kept))
        key_source = user.key.source_id
        return self.filter(source=key_source) if key_source else self.filter(created_by=None)

    def same_content(self, source: Source, sha256: str) -> "UploadQuerySet":
        """Earlier uploads of these very bytes that are done or still to be done."""
        return self.filter(source=source, sha256=sha256).exclude(
            state__in=[Leased.State.CANCELLED, Leased.State.QUARANTINED]
        )

    def scored_through(self) -> "UploadQuerySet":
        """Uploads in SCORING of which no chunk is left to do."""
        left = Chunk.objects.filter(
            upload=models.OuterRef("pk"),
            state__in=[Leased.State.WAITING, Leased.State.READY, Leased.State.RUNNING],
        )
        return self.filter(~models.Exists(left), stage=Upload.Stage.SCORING)


class Upload(Leased):
    """A file on its way in. `checkpoint` is committed with the rows it covers.

    DONE means stored; `stage` goes on to FINISHED when the last of its chunks is scored.
    """

    class Stage(models.TextChoices):
        STORING = "STORING", _lazy("Storing")
        SCORING = "SCORING", _lazy("Scoring")
        FINISHED = "FINISHED", _lazy("Finished")

    meets_known = False  # not a column: did the block before bring rows that were known already?
    source = models.ForeignKey(Source, models.PROTECT)
    kind = models.CharField(max_length=16)  # a name in scoring.sources.FILE_SOURCES
    name = models.CharField(max_length=255)  # as the person called it; never used as a path
    path = models.CharField(max_length=255)  # ours, below settings.UPLOADS or an allowed folder
    bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    options = models.JSONField(default=dict, blank=True)  # mapping, label columns, label delay
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.STORING)
    checkpoint = models.JSONField(null=True)  # the source's own position; null: from the start
    read = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    repeated = models.BigIntegerField(default=0)  # already known, same content
    rejected = models.BigIntegerField(default=0)
    scored = models.BigIntegerField(default=0)
    progress = models.FloatField(default=0)  # share of the file's bytes or rows stored, 0..1
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)  # when its first block was read
    stored_at = models.DateTimeField(null=True)

    objects = UploadQuerySet.as_manager()
    already_received = False  # set by uploads.receive() on an upload it did not have to make

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["READY", "RUNNING"]),
                name="upload_due",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def under_way(self) -> bool:
        """Will its numbers still change by themselves?"""
        if self.stage == self.Stage.SCORING:
            return True
        return self.state in {self.State.READY, self.State.RUNNING}

    @property
    def done_share(self) -> float:
        """Storing is the first half of the bar, scoring the second; 1 only when all is done."""
        if self.stage == self.Stage.FINISHED:
            return 1.0
        scored = self.scored / self.accepted if self.accepted else 0.0
        return self.progress / 2 + scored / 2

    @property
    def state_in_words(self) -> str:
        if self.state == self.State.WAITING:
            return _("not started")
        if self.state in {self.State.CANCELLED, self.State.QUARANTINED}:
            cancelled = self.state == self.State.CANCELLED
            return pgettext("a file", "cancelled") if cancelled else pgettext("a file", "refused")
        if self.stage == self.Stage.STORING:
            waiting = self.state == self.State.READY
            return pgettext("a file", "waiting") if waiting else pgettext("a file", "storing")
        scoring = self.stage == self.Stage.SCORING
        return pgettext("a file", "scoring") if scoring else pgettext("a file", "finished")

    @property
    def can_stop(self) -> bool:
        """Is there something left to read that nobody wants any more?"""
        unread = {self.State.READY, self.State.RUNNING, self.State.WAITING}
        return self.stage == self.Stage.STORING and self.state in unread

    @property
    def can_resume(self) -> bool:
        """Was it stopped with something left to read, and is the file still kept?"""
        stopped = self.state == self.State.CANCELLED and self.progress < 1
        return stopped and bool(self.path) and (Path(settings.UPLOADS) / self.path).exists()

    @property
    def seconds_left(self) -> float | None:
        """Until it is finished, at the pace so far; None while that cannot be told."""
        if self.started_at is None or not 0.02 <= self.done_share < 1:
            return None
        gone = (timezone.now() - self.started_at).total_seconds()
        return gone / self.done_share - gone

    @property
    def rows_per_second(self) -> float | None:
        """Rows read in a second since its first block."""
        if self.started_at is None:
            return None
        seconds = ((self.stored_at or timezone.now()) - self.started_at).total_seconds()
        return self.read / seconds if seconds > 0 else None


class Chunk(Leased):
    """Stored transactions waiting for their decision; halved when it fails, down to one row.

    `known_at` is when the last row of the file was stored, so the order in which chunks are scored
    changes nothing.
    """

    upload = models.ForeignKey(Upload, models.CASCADE, null=True, related_name="chunks")
    transaction_ids = ArrayField(models.BigIntegerField())
    known_at = models.DateTimeField()
    parent = models.ForeignKey("self", models.SET_NULL, null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(state__in=["READY", "RUNNING"]),
                name="chunk_due",
            )
        ]

    def __str__(self) -> str:
        return f"chunk {self.pk}"


class JobSlot(models.Model):
    """One slot of a schedule: whoever inserts it runs the job, once."""

    pk = models.CompositePrimaryKey("job", "slot")
    job = models.CharField(max_length=64)
    slot = models.DateTimeField()
    claimed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.job} {self.slot:%F %T}"


class JobProgress(models.Model):
    """How far a job has come that goes through a table portion by portion."""

    job = models.CharField(max_length=64, primary_key=True)
    through = models.BigIntegerField(default=0)  # the last id that is done

    def __str__(self) -> str:
        return f"{self.job} {self.through}"
