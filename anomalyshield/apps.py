"""The ground floor: accounts, audit, leases, start-up."""

from django.apps import AppConfig


class AnomalyShield(AppConfig):
    name = "anomalyshield"
