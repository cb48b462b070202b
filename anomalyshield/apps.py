"""The ground floor: accounts, audit, leases, start-up."""

from django.apps import AppConfig


class AnomalyShield(AppConfig):
    name = "anomalyshield"

    def ready(self) -> None:
        from anomalyshield import checks  # noqa: F401 — registers them
