"""What an alert is made of, payment by payment, and who has seen how much of it."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from alerts.models.alerts import Alert
from scoring.models import Decision, Transaction


class AlertHit(models.Model):
    """One reviewable decision in one alert; unique, so that none is ever in two."""

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="hits")
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="hit")
    transaction = models.OneToOneField(Transaction, models.PROTECT, related_name="hit")
    user_id = models.CharField(max_length=128)
    score = models.FloatField()
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    at = models.DateTimeField(db_default=Now())  # when it joined

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["user_id", "-alert"], name="hit_user"),
            models.Index(fields=["-at", "-id"], name="hit_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.transaction_id} in {self.alert_id}"


class Look(models.Model):
    """How much of an alert a person has seen: what joined since is new to them."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="looks")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField(db_default=Now())
    hits = models.PositiveIntegerField()
    # Payments joined since. Kept by triggers (migration 0022), so that no door can forget it: to
    # find such alerts by counting, all that are open would be read.
    behind = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "alert"], name="one_look_each")]
        indexes = [
            models.Index(fields=["person", "alert"], condition=models.Q(behind=True), name="behind")
        ]

    def __str__(self) -> str:
        return f"{self.person_id} saw {self.hits} of {self.alert_id}"


class Profile(models.Model):
    """The features of an alert's leading payment as it was scored, kept for as long as the alert.

    A table of its own: the queue reads alerts by the page and never these.
    """

    alert = models.OneToOneField(Alert, models.CASCADE, primary_key=True, related_name="profile")
    spec = models.CharField(max_length=16)  # what the numbers mean: engine.features.spec_id()
    vector = models.BinaryField()  # little-endian float64, as in scoring.Snapshot

    def __str__(self) -> str:
        return f"profile of {self.alert_id}"
