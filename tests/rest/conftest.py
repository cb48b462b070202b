"""One queue that ana works, and one that she does not."""

import pytest

from alerts.models import Queue
from anomalyshield.accounts.models import User
from tests.alerts import making


@pytest.fixture
def cards(ana: User) -> Queue:
    """Ana's queue."""
    return making.queue("cards", ana, is_default=True)


@pytest.fixture
def loans(db: None) -> Queue:
    """A queue Ana does not work."""
    return making.queue("loans")
