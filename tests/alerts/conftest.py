"""One queue that ana works, and one that she does not."""

import pytest
from django.test import Client

from alerts.models import Queue
from anomalyshield.accounts.models import User
from scoring import costs
from tests.alerts import making
from tests.conftest import client_of


@pytest.fixture
def cards(ana: User) -> Queue:
    """Ana's queue."""
    costs.active()  # a test that empties tables may have been before: made here, not in what counts
    return making.queue("cards", ana, is_default=True)


@pytest.fixture
def loans(db: None) -> Queue:
    """A queue Ana does not work."""
    return making.queue("loans")


@pytest.fixture
def as_ana(ana: User) -> Client:
    return client_of(ana)


@pytest.fixture
def as_mona(mona: User) -> Client:
    return client_of(mona)


@pytest.fixture
def as_adam(adam: User) -> Client:
    return client_of(adam)
