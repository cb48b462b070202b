"""A case begins with alerts: the queues and people of theirs."""

from tests.alerts.conftest import as_adam, as_ana, as_mona, cards, loans

__all__ = ["as_adam", "as_ana", "as_mona", "cards", "loans"]
