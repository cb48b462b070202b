"""How much merchants took by the hour, as it came in."""

from django.db import models
from django.db.models.functions import Now


class MerchantHour(models.Model):
    """What one statement added to the payments of a merchant in one hour, or took away.

    The sum of an hour's rows is the hour. A trigger adds them with every payment that is stored or
    deleted (migration 0014), whichever way it comes; `scoring/hours.py` reads and merges them.
    """

    merchant_key = models.BigIntegerField()
    hour = models.DateTimeField()  # its start
    count = models.IntegerField()
    units = models.BigIntegerField()  # no payment counts as more than `history.MOST_UNITS`
    recorded_at = models.DateTimeField(db_default=Now())  # that of its payments

    class Meta:
        indexes = [  # with all that is read: an online decision reads seven hundred of them
            models.Index(
                fields=["merchant_key", "hour"],
                include=["count", "units", "recorded_at"],
                name="merchant_hour",
            )
        ]

    def __str__(self) -> str:
        return f"{self.merchant_key} at {self.hour:%F %H}"
