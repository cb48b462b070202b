"""The alerts room."""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.db import transaction

from anomalyshield.afterwards import afterwards


class Alerts(AppConfig):
    name = "alerts"

    def ready(self) -> None:
        from alerts.handover import on_suspension
        from alerts.recall import of_version
        from alerts.visibility import entries_unread_by, unread_by
        from anomalyshield.accounts.signals import suspended
        from scoring import below, withheld
        from scoring.signals import decisions_made

        suspended.connect(on_suspension, dispatch_uid="alerts.handover")
        if unread_by not in withheld.RULES:
            withheld.RULES.append(unread_by)
        if entries_unread_by not in withheld.ENTRIES:
            withheld.ENTRIES.append(entries_unread_by)
        if of_version not in below.TELLERS:
            below.TELLERS.append(of_version)
        decisions_made.connect(route_after_commit, dispatch_uid="alerts.route")


def route_after_commit(sender: Any, ids: Iterable[int], **_: Any) -> None:
    """Raise alerts at once instead of at the next sweep, but after the answer of a request: nobody
    who pays waits for routing. Whatever fails here, scoring never hears of it: `robust` logs the
    error, and the sweep finds what was left."""
    from alerts import routing

    wanted = list(ids)

    def route() -> None:  # a partial has no name, and the log of a robust callback asks for one
        afterwards(lambda: routing.raise_alerts(wanted))

    transaction.on_commit(route, robust=True)
