"""What is counted by the day of payments, and how far; `scoring/daycounts.py` does it."""

from django.db import models

from scoring.models.labels import Label


class CountedThrough(models.Model):
    """Rows of one table up to this id are counted; those of a higher one are counted by readers."""

    table = models.CharField(max_length=32, primary_key=True)
    through = models.BigIntegerField(default=0)
    # Up to where next, once every transaction has ended that ran when this was looked up: a lower
    # id may be committed after a higher one.
    mark = models.BigIntegerField(default=0)
    marked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.table} through {self.through}"


class LabelDay(models.Model):
    """How many payments of one day (UTC) this source has the last word on, and which word."""

    day = models.DateField()
    origin = models.CharField(max_length=12, choices=Label.Origin)
    value = models.CharField(max_length=16, choices=Label.Value)
    count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "origin", "value"], name="one_count_of_labels")
        ]

    def __str__(self) -> str:
        return f"{self.count} of {self.day}"


class PlaceDay(models.Model):
    """Decided payments of one day (UTC) and place, as they were stated."""

    day = models.DateField()
    country = models.CharField(max_length=2, blank=True)
    location = models.CharField(max_length=200, blank=True)
    payments = models.BigIntegerField()
    anomalies = models.BigIntegerField()  # held or blocked
    frauds = models.BigIntegerField()  # by the last word
    genuine = models.BigIntegerField()  # by the last word, though held or blocked
    units = models.DecimalField(max_digits=38, decimal_places=0)  # of money held or blocked
    located = models.BigIntegerField()  # those that say where they are, and the sums of it
    latitude = models.FloatField()
    longitude = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "country", "location"], name="one_count_of_places"
            )
        ]

    def __str__(self) -> str:
        return f"{self.payments} of {self.day} in {self.location or self.country}"
