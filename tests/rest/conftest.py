"""Programs see the queues that pages show."""

from tests.alerts.conftest import cards, loans

__all__ = ["cards", "loans"]
