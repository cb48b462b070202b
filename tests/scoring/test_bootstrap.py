"""An installation without a model makes its first one of the first file."""

from time import sleep

import pytest
from django.db import connection

from scoring import bootstrap
from scoring.models import Decision, ModelVersion
from tests.scoring import making

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_first_file_is_scored_by_a_model_made_of_it() -> None:
    making.send(making.csv_of(making.ordinary_rows(1_100, users=30, minutes=20)))
    making.work_through()
    version = ModelVersion.objects.get()
    assert version.state == ModelVersion.State.CHAMPION
    assert version.trained_rows == version.drift.learnt == 1_100
    assert Decision.objects.filter(model=version, degraded="").count() == 1_100
    assert Decision.objects.filter(reviewable=True).count() < 100


def test_too_few_rows_make_no_model_and_all_are_for_review() -> None:
    making.send(making.csv_of(making.ordinary_rows(50)))
    making.work_through()
    assert not ModelVersion.objects.exists()
    assert Decision.objects.filter(reviewable=True).exclude(degraded="").count() == 50


def test_where_there_is_a_model_none_is_made() -> None:
    making.first_model()
    assert bootstrap.first_model() is None
    assert ModelVersion.objects.count() == 1


def test_a_slow_machine_has_the_time_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    making.send(making.csv_of(making.ordinary_rows(200)))
    making.work_through()
    learn = bootstrap.fit
    monkeypatch.setattr(bootstrap, "fit", lambda *a, **k: sleep(0.3) or learn(*a, **k))
    monkeypatch.setattr(bootstrap, "LEAST", 100)
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '100ms'")
    try:
        assert bootstrap.first_model() is not None
    finally:
        connection.close()  # with its setting


def test_a_model_that_cannot_be_made_stops_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.bootstrap.fit", lambda *_, **__: 1 / 0)
    upload = making.send(making.csv_of(making.ordinary_rows(1_000, minutes=20)))
    making.work_through()
    upload.refresh_from_db()
    assert upload.stage == upload.Stage.FINISHED
    assert Decision.objects.count() == 1_000
