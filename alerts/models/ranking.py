"""Open alerts to be put in the order of another cost model: work as a row."""

from django.db import models

from anomalyshield.leases import Leased


class Reranking(Leased):
    """Of one cost model, by its version, so that two tickers leave it once."""

    version = models.PositiveIntegerField(unique=True)
    through = models.BigIntegerField(default=0)  # the last alert that is done
    alerts = models.PositiveIntegerField(default=0)  # that stand elsewhere now
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(state__in=["READY", "RUNNING"]),
                name="reranking_due",
            )
        ]

    def __str__(self) -> str:
        return f"order of cost model {self.version}"
