"""What other currencies were worth, day by day."""

from django.db import models


class ExchangeRate(models.Model):
    """One unit of `currency` was worth `rate` of the house currency on that day."""

    currency = models.CharField(max_length=3)
    day = models.DateField()
    rate = models.DecimalField(max_digits=24, decimal_places=12)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["currency", "day"], name="one_rate_a_day")]

    def __str__(self) -> str:
        return f"{self.currency} {self.day}: {self.rate.normalize():f}"
