"""The transaction: lean, never partitioned, everything else points at it."""

from datetime import datetime

from django.db import models
from django.db.models.functions import Now

from scoring.engine.keys import entity_key
from scoring.models.sources import Source


class TransactionQuerySet(models.QuerySet["Transaction"]):
    """Questions asked of transactions."""

    def of_user(self, *names: str) -> "TransactionQuerySet":
        """By whichever of these names a user is stored."""
        # By the key, which is what the index holds; the text tells apart two with one key.
        return self.filter(user_key__in=[entity_key(one) for one in names], user_id__in=names)

    def called(self, external_id: str) -> "TransactionQuerySet":
        """Of whichever source: ids are unique, and indexed, within one."""
        sources = list(Source.objects.values_list("pk", flat=True))
        return self.filter(source_id__in=sources, external_id=external_id)

    def before(self, moment: datetime, number: int) -> "TransactionQuerySet":
        """Those that follow (moment, number) in the order of `latest_first`."""
        earlier = models.Q(event_time=moment, pk__lt=number) | models.Q(event_time__lt=moment)
        return self.filter(earlier, event_time__lte=moment)

    def latest_first(self) -> "TransactionQuerySet":
        return self.order_by("-event_time", "-pk")

    def between(self, start: datetime, end: datetime) -> "TransactionQuerySet":
        return self.filter(event_time__gte=start, event_time__lt=end)


class Transaction(models.Model):
    """One payment event as it arrived. Its id is the ingest number that breaks ties in time.

    `*_key` are signed 64-bit keys of the texts beside them (`engine/keys.py`): history is read by
    them as fixed-width binary. `amount_units` is the amount in the base currency in
    ten-thousandths, so that sums over history are exact integers.
    """

    # The indexes below begin with the same columns; a million rows feel each one more.
    # Migration 0006 checks the reference, once per statement.
    source = models.ForeignKey(Source, models.PROTECT, db_index=False, db_constraint=False)
    external_id = models.CharField(max_length=128)
    # Without a constraint: its trigger on every row would cost a tenth of storing a file.
    upload = models.ForeignKey(
        "scoring.Upload",
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    event_time = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    currency = models.CharField(max_length=3)
    amount_units = models.BigIntegerField()
    user_id = models.CharField(max_length=128)
    card_id = models.CharField(max_length=128, blank=True)
    device_id = models.CharField(max_length=128, blank=True)
    merchant_name = models.CharField(max_length=200, blank=True)
    merchant_category = models.CharField(max_length=100, blank=True)
    mcc = models.CharField(max_length=4, blank=True)
    location = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    channel = models.CharField(max_length=32, blank=True)
    is_online = models.BooleanField(null=True)
    timezone = models.CharField(max_length=64, blank=True)  # the entity's, if the source knows it
    user_key = models.BigIntegerField()
    card_key = models.BigIntegerField(default=0)  # 0: none
    device_key = models.BigIntegerField(default=0)
    merchant_key = models.BigIntegerField(default=0)
    place_key = models.BigIntegerField(default=0)
    category_key = models.BigIntegerField(default=0)
    digest = models.BinaryField(max_length=16)  # of the canonical record: same id, other content?
    extra = models.JSONField(null=True)

    objects = TransactionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="transaction_once")
        ]
        indexes = [
            models.Index(fields=["user_key", "event_time"], name="transaction_user"),
            models.Index(
                fields=["card_key", "event_time"],
                condition=~models.Q(card_key=0),
                name="transaction_card",
            ),
            models.Index(
                fields=["device_key", "event_time"],
                condition=~models.Q(device_key=0),
                name="transaction_device",
            ),
            models.Index(
                fields=["merchant_key", "event_time"],
                condition=~models.Q(merchant_key=0),
                name="transaction_merchant",
            ),
            models.Index(fields=["event_time"], name="transaction_time"),
            models.Index(
                fields=["upload"],
                condition=models.Q(upload__isnull=False),
                name="transaction_upload",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id
