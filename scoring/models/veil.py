"""The key of tokens that stand for people's ids, once SECRET_KEY has changed."""

from django.db import models


class VeilKey(models.Model):
    """One row or none, sealed. Until SECRET_KEY changes the first time, the key follows from it."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sealed = models.TextField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_veil_key")]

    def __str__(self) -> str:
        return "the key of tokens"
