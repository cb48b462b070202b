"""What became known of an entity through the labels of its payments."""

from django.db import models
from django.db.models.functions import Now

from scoring.engine.history import KINDS
from scoring.models.labels import Label
from scoring.models.transactions import Transaction


class EntityFraud(models.Model):
    """One entity of one payment that is called fraud from `known_at` on, or not any more.

    Rows are added by `scoring/frauds.py` and never edited, so that what was known at any moment can
    be read again. Payments that nobody ever called fraud have none.
    """

    class Kind(models.IntegerChoices):
        USER = KINDS["user"]
        CARD = KINDS["card"]
        DEVICE = KINDS["device"]
        MERCHANT = KINDS["merchant"]

    kind = models.SmallIntegerField(choices=Kind.choices)
    key = models.BigIntegerField()  # of `engine/keys.py`, as the payment has it
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="+")
    event_time = models.DateTimeField()
    amount_units = models.BigIntegerField()
    multiple = models.FloatField(null=True)  # the amount over its user's median before it
    fraud = models.BooleanField()
    known_at = models.DateTimeField()  # the label's
    label = models.ForeignKey(Label, models.CASCADE, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["kind", "key", "event_time"], name="entity_fraud")]

    def __str__(self) -> str:
        return f"{self.Kind(self.kind).label} {self.key}"
