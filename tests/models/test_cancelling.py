"""A training can be stopped: by whoever may ask for one, at any time, leaving nothing behind."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from anomalyshield import leases
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring import training
from scoring.models import ModelVersion, TrainingRun
from scoring.tasks import do, work_named
from tests.conftest import client_of
from tests.rest.asking import post

pytestmark = pytest.mark.django_db(transaction=True)  # a worker claims rows that are committed


@pytest.fixture
def run(mona: User) -> TrainingRun:
    return training.ask(by=mona)


def page(run: TrainingRun) -> str:
    return reverse("run-cancel", args=[run.pk])


def test_one_that_waits_is_never_begun(run: TrainingRun, mona: User) -> None:
    answer = client_of(mona).post(page(run), follow=True)
    assert "Stopped before it was done" in answer.content.decode()
    assert leases.claim(TrainingRun) == []
    event = AuditEvent.objects.get(action="model.training_cancelled")
    assert (event.actor, event.after) == ("mona", {"progress": 0.0})
    assert training.ask(by=mona).pk != run.pk


def test_one_under_way_lets_go_at_its_next_word_and_makes_no_version(
    run: TrainingRun, mona: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = training.tell

    def stopped(run: TrainingRun, progress: float, message: str) -> None:
        training.cancel(by=mona, run=TrainingRun.objects.get(pk=run.pk))
        tell(run, progress, message)

    monkeypatch.setattr(training, "tell", stopped)
    [claimed] = leases.claim(TrainingRun)
    do(work_named("training"), claimed)
    run.refresh_from_db()
    assert (run.state, run.verdict, run.result, run.error) == ("CANCELLED", "", None, "")
    assert not ModelVersion.objects.exists()
    assert not settings.BUNDLES.exists() or not any(settings.BUNDLES.iterdir())


def test_what_has_ended_is_not_stopped(run: TrainingRun, mona: User) -> None:
    [claimed] = leases.claim(TrainingRun)
    do(work_named("training"), claimed)
    answer = client_of(mona).post(page(run), follow=True)
    assert "It had ended already." in answer.content.decode()
    assert not AuditEvent.objects.filter(action="model.training_cancelled").exists()
    post(mona, f"models/runs/{run.pk}/cancel", {}, 409)


def test_programs_stop_one_and_those_who_only_look_do_not(
    run: TrainingRun, mona: User, ana: User
) -> None:
    post(ana, f"models/runs/{run.pk}/cancel", {}, 403)
    assert 'action="' + page(run) not in client_of(ana).get(page(run)[:-7]).content.decode()
    assert post(mona, f"models/runs/{run.pk}/cancel", {})["state"] == "CANCELLED"
    post(mona, "models/runs/999999/cancel", {}, 404)


def test_how_long_it_takes_is_told_from_what_is_done(run: TrainingRun) -> None:
    run.state, run.begun_at = "RUNNING", timezone.now() - timedelta(seconds=60)
    run.progress = 0.02
    assert run.seconds_left is None
    run.progress = 0.25
    assert run.seconds_left == pytest.approx(180, rel=0.01)
