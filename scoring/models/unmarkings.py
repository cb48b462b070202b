"""That fields of a source be personal no longer: asked by one person, answered by another."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from anomalyshield.asking import Asked
from scoring.models.sources import Source


class UnmarkingQuerySet(models.QuerySet["Unmarking"]):
    """Questions asked of requests to take marks off."""

    def visible_to(self, user: object) -> "UnmarkingQuerySet":
        """Those about sources that this person keeps."""
        return self.filter(source__in=Source.objects.visible_to(user))

    def waiting(self) -> "UnmarkingQuerySet":
        return self.filter(state=Unmarking.State.OPEN)

    def told(self) -> "UnmarkingQuerySet":
        """With all that a page says of one, in one question."""
        return self.select_related("source", "asked_by", "answered_by")


class Unmarking(Asked):
    """Someone asks that fields be personal no longer; someone else agrees, or does not."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="unmarkings")
    names = ArrayField(models.CharField(max_length=200))  # of fields, as the source declares them
    four_eyes = models.BooleanField(default=True)  # the rule of the house when it was answered
    version = models.PositiveIntegerField(null=True)  # the version of the source that came of it

    objects = UnmarkingQuerySet.as_manager()

    class Meta(Asked.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["source"],
                condition=models.Q(state="OPEN"),
                name="one_open_unmarking_of_a_source",
            ),
            models.CheckConstraint(
                condition=~models.Q(
                    state="APPROVED", four_eyes=True, asked_by=models.F("answered_by")
                ),
                name="unmarked_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source.name}: {', '.join(self.names)}"
