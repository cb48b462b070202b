"""Which cut points, limits and thresholds are in force."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from anomalyshield.audit.record import record
from scoring.engine.decision import Policy
from scoring.models import DecisionPolicy


def active() -> DecisionPolicy:
    """The policy in force. The first question of a new installation makes version 1."""
    return DecisionPolicy.objects.filter(active=True).first() or _first()


def _first() -> DecisionPolicy:
    with transaction.atomic():
        policy, made = DecisionPolicy.objects.get_or_create(
            version=1,
            defaults={
                "values": Policy().as_dict(),
                "active": True,
                "reason": "The defaults of this release.",
            },
        )
        if made:
            record(by="system", action="policy.activated", object=policy, after=policy.values)
    return policy
