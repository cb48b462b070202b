"""What somebody wants a label to say instead, until a second person has answered."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from alerts.models.alerts import Alert
from scoring.models import Label, Resolution


class CorrectionQuerySet(models.QuerySet["Correction"]):
    """Questions asked of corrections."""

    def visible_to(self, user) -> "CorrectionQuerySet":
        """Of payments without an alert, and of those with one in a queue this person sees."""
        from alerts.visibility import queues_of, unread_by

        anybodys = models.Q(label__transaction__hit=None)
        theirs = models.Q(label__transaction__hit__alert__queue__in=queues_of(user))
        unread = models.Q(label__transaction__in=unread_by(user))
        return self.filter(anybodys | theirs).exclude(unread)

    def waiting(self) -> "CorrectionQuerySet":
        return self.filter(state=Correction.State.OPEN)

    def of(self, alert: Alert) -> "CorrectionQuerySet":
        """Those that wait, of the labels of an alert."""
        waiting = self.waiting().filter(label__transaction__hit__alert=alert)
        return waiting.select_related("proposed_by", "label__transaction")

    def for_the_page(self) -> "CorrectionQuerySet":
        """With what a row or a page shows, in the same query."""
        people = ("proposed_by", "answered_by", "label__labeller")
        return self.select_related(*people, "label__transaction__hit__alert", "resolution")


class Correction(models.Model):
    """One person says that a label is wrong. The row is never edited, only answered."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("Waiting for a second person")
        APPROVED = "APPROVED", _("Approved")
        REFUSED = "REFUSED", _("Refused")
        WITHDRAWN = "WITHDRAWN", _("Withdrawn")

    label = models.ForeignKey(Label, models.PROTECT, related_name="corrections")  # what it changes
    value = models.CharField(max_length=16, choices=Label.Value.choices)
    typology = models.CharField(max_length=24, choices=Alert.Typology.choices, blank=True)
    reason = models.TextField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(db_default=Now())
    four_eyes = models.BooleanField(default=True)  # the policy when it was proposed
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    made = models.OneToOneField(Label, models.PROTECT, null=True, related_name="made_by_correction")
    resolution = models.OneToOneField(Resolution, models.PROTECT, null=True, related_name="+")
    final = models.CharField(max_length=200, blank=True)  # why the payment stays as it is

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["label"], condition=models.Q(state="OPEN"), name="one_waiting_correction"
            ),
            models.CheckConstraint(
                condition=~models.Q(
                    state="APPROVED", four_eyes=True, answered_by=models.F("proposed_by")
                ),
                name="corrected_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"correction {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state == Correction.State.OPEN

    @property
    def alert(self) -> Alert | None:
        """In which its payment lies."""
        hit = getattr(self.label.transaction, "hit", None)
        return hit.alert if hit else None
