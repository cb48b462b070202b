"""Accounts: users, roles, keys."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Accounts(AppConfig):
    name = "anomalyshield.accounts"
    label = "accounts"

    def ready(self) -> None:
        from anomalyshield.accounts import (
            open_sessions,
            schema,  # noqa: F401 — being imported is enough
            sessions,
        )
        from anomalyshield.accounts.roles import write_groups

        sessions.connect()
        open_sessions.connect()
        post_migrate.connect(write_groups, sender=self, dispatch_uid="roles")
