"""Signs of life of the platform's own processes."""

from django.db import models
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """When something that must keep going last did, on the database's clock; see `pulse.py`."""

    name = models.CharField(max_length=64, primary_key=True)  # "ticker", "queue:detect", "bell:…"
    at = models.DateTimeField(db_default=Now())
    details = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%F %T}"
