"""Models: how they were trained, what they are allowed to do, who said so."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from anomalyshield.asking import Asked
from anomalyshield.leases import Leased

LEAST_DONE = 0.05  # of a training; before that its first steps say nothing about the others
HEADLINE = ("ap", "auc", "precision_at_5", "recall_at_5")


class ModelVersion(models.Model):
    """One bundle on disk and its standing. At most one champion."""

    class State(models.TextChoices):
        CANDIDATE = "CANDIDATE", _("Candidate")
        SHADOW = "SHADOW", _("Shadow")
        CHAMPION = "CHAMPION", _("Champion")
        RETIRED = "RETIRED", _("Retired")
        REJECTED = "REJECTED", _("Rejected")

    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.CANDIDATE)
    folder = models.CharField(max_length=64)  # below settings.BUNDLES
    sha256 = models.CharField(max_length=64)  # of the manifest, which holds those of its files
    kind = models.CharField(max_length=32)  # "cold" (no labels) or "warm"
    metrics = models.JSONField(default=dict)
    cutoff = models.DateTimeField()  # nothing known later was used
    # What it learnt from and how that was prepared; null: all features as they are computed.
    pipeline = models.ForeignKey("scoring.FeaturePipeline", models.PROTECT, null=True)
    # The champion whose trees it goes on from; null: made anew.
    update_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="updates")
    trained_rows = models.BigIntegerField(default=0)
    trained_frauds = models.IntegerField(default=0)
    trained_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    trained_at = models.DateTimeField(auto_now_add=True)
    champion_since = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="CHAMPION"), name="one_champion"
            )
        ]

    def __str__(self) -> str:
        return f"v{self.number}"

    @property
    def headline(self) -> dict[str, float | None]:
        """The four numbers by which versions are told apart; None where nothing was measured."""
        measured = self.metrics.get("measured") or {}
        return {key: measured.get(key) for key in HEADLINE}

    @property
    def update_number(self) -> int:
        """How many updates it is away from a version that was made anew."""
        return int((self.metrics.get("update") or {}).get("number", 0))

    @property
    def learnt_until(self) -> float:
        """Seconds since 1970: it has learnt from nothing that happened later."""
        return float(self.metrics.get("learnt_until") or self.cutoff.timestamp())


class PromotionRequest(Asked):
    """Someone asks for a version to become champion; someone else answers."""

    model = models.ForeignKey(ModelVersion, models.PROTECT, related_name="requests")
    sha256 = models.CharField(max_length=64)  # approval is of this content and no other

    class Meta(Asked.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["model"], condition=models.Q(state="OPEN"), name="one_open_request"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="APPROVED", asked_by=models.F("answered_by")),
                name="promotion_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.state}"


class TrainingRun(Leased):
    """One training, claimed by a worker, with its progress and what came of it."""

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    options = models.JSONField(default=dict)
    begun_at = models.DateTimeField(null=True)  # by the worker that has it now
    rows = models.PositiveIntegerField(null=True)  # learnt from, once they are counted
    progress = models.FloatField(default=0)
    message = models.CharField(max_length=200, blank=True)
    result = models.ForeignKey(ModelVersion, models.PROTECT, null=True)
    verdict = models.CharField(max_length=200, blank=True)  # "nothing changed", "not better", …

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def under_way(self) -> bool:
        return self.state in {self.State.WAITING, self.State.READY, self.State.RUNNING}

    @property
    def seconds_left(self) -> float | None:
        """As long as it took so far, by what is left to do; None while too little is done."""
        if self.state != self.State.RUNNING or self.begun_at is None or self.progress < LEAST_DONE:
            return None
        taken = (timezone.now() - self.begun_at).total_seconds()
        return taken / self.progress * (1 - self.progress)
