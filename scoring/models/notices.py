"""What came from outside about payments, and what became of it."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from scoring.models.labels import Label
from scoring.models.sources import Source, SourceQuerySet
from scoring.models.transactions import Transaction


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Questions asked of notices."""

    def visible_to(self, user: object) -> "NoticeQuerySet":
        """Those that came from sources this person keeps, or that this key is of."""
        kept: SourceQuerySet = Source.objects.visible_to(user)
        return self.filter(source__in=kept.order_by().values("pk"))

    def waiting(self) -> "NoticeQuerySet":
        return self.filter(state=Notice.State.WAITING)

    def overturning(self) -> "NoticeQuerySet":
        """Those whose label replaced one that a person gave."""
        return self.filter(label__supersedes__labeller__isnull=False)


class Notice(models.Model):
    """One statement from outside about one payment. Never edited; taken once by its sender's id.

    `known_at` is when its sender says it was known, `at` when it came here. One about a payment
    nobody has sent yet waits for it.
    """

    class Kind(models.TextChoices):
        CHARGEBACK = "CHARGEBACK", _("Chargeback")
        FRAUD_REPORT = "FRAUD_REPORT", _("Report of fraud by the bank")
        CUSTOMER_REPORT = "CUSTOMER_REPORT", _("Report of the customer")
        DISPUTE_WON = "DISPUTE_WON", _("Chargeback won")
        OTHER = "OTHER", _("Other report")

    class State(models.TextChoices):
        WAITING = "WAITING", _("waits for its payment")
        LABELLED = "LABELLED", _("labelled its payment")
        AGREED = "AGREED", _("says what stood already")
        OUTWEIGHED = "OUTWEIGHED", _("another word stands")
        NOTED = "NOTED", _("says nothing of fraud")
        REFUSED = "REFUSED", _("known before its payment took place")

    source = models.ForeignKey(Source, models.PROTECT, related_name="notices")
    external_id = models.CharField(max_length=128)
    digest = models.BinaryField(max_length=16)
    payment_source = models.ForeignKey(Source, models.PROTECT, related_name="+")
    payment_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    value = models.CharField(max_length=16, choices=Label.Value.choices, blank=True)
    known_at = models.DateTimeField()
    amount = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, blank=True)
    reason_code = models.CharField(max_length=32, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)
    transaction = models.ForeignKey(Transaction, models.PROTECT, null=True, related_name="notices")
    label = models.ForeignKey(Label, models.PROTECT, null=True, related_name="notices")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="notice_once")
        ]
        indexes = [
            models.Index(
                fields=["payment_source", "payment_id"],
                condition=models.Q(state="WAITING"),
                name="notice_waiting",
            )
        ]

    def __str__(self) -> str:
        return self.external_id
