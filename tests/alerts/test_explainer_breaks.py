"""An explainer that breaks costs its sentences, and no decision, no alert, no page."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from alerts import routing
from alerts.models import Alert
from anomalyshield.accounts.models import User
from scoring.engine.ensemble import Ensemble
from scoring.models import Decision, Explanation
from scoring.tasks import do_next, work_named
from tests.alerts.making import queue_member
from tests.conftest import client_of
from tests.scoring import making
from tests.scoring.test_counterfactuals import BIG, USUAL, worked

pytestmark = pytest.mark.django_db(transaction=True)


def raising(self: Ensemble, vectors: np.ndarray, **_: Any) -> Any:
    raise MemoryError("no memory for paths")


def nothing(self: Ensemble, vectors: np.ndarray, **_: Any) -> Any:
    return 0.0, np.full(vectors.shape, np.nan)


@pytest.fixture
def alert() -> Alert:
    """Decided and raised, and not explained yet."""
    making.first_model()
    making.send(making.csv_of([*USUAL, BIG]))
    worked("upload", "chunk")
    routing.sweep()
    return Alert.objects.get()


def tried_again(times: int) -> Explanation:
    """The worker comes by so often, as soon as the row is due."""
    for _ in range(times):
        Explanation.objects.filter(state="READY").update(due_at=timezone.now())
        do_next(work_named("explanation"))
    return Explanation.objects.get()


def read(alert: Alert) -> str:
    worker = User.objects.filter(username="ines").first() or queue_member("ines", alert.queue)
    response = client_of(worker).get(f"/alerts/{alert.pk}/")
    assert response.status_code == 200
    page = response.content.decode()
    assert "decision-bar" in page
    return page


@pytest.mark.parametrize(
    "breaks, why", [(raising, "MemoryError"), (nothing, "contributions miss the score")]
)
def test_after_three_attempts_the_page_says_why_there_are_no_reasons(
    alert, monkeypatch, breaks, why
) -> None:
    before = Decision.objects.filter(pk=alert.decision_id).values().get()
    monkeypatch.setattr(Ensemble, "contributions", breaks)
    assert tried_again(1).state == "READY"
    row = tried_again(3)
    assert row.state == Explanation.State.QUARANTINED
    assert (row.contributions, row.counterfactual) == (None, None)
    assert Decision.objects.filter(pk=alert.decision_id).values().get() == before
    page = read(alert)
    assert "The model's reasons could not be computed" in page
    assert why in page
    assert "HIGH_AMOUNT" in page


def test_one_that_kills_its_worker_is_given_up_and_said(alert) -> None:
    """As a segmentation fault does: the attempt is counted before it runs, and nothing is left."""
    Explanation.objects.update(
        state="RUNNING", attempts=3, lease_until=timezone.now() - timedelta(minutes=1)
    )
    do_next(work_named("explanation"))
    assert Explanation.objects.get().state == Explanation.State.QUARANTINED
    assert "its worker died 3 times" in read(alert)


def test_what_broke_once_is_explained_the_next_time(alert, monkeypatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Ensemble, "contributions", raising)
        assert tried_again(1).state == "READY"
        assert "being computed" in read(alert)
    row = tried_again(1)
    assert row.state == "DONE"
    assert row.counterfactual["state"] == "approved"
