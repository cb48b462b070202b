"""The champion goes on learning: asked for, made in shadow, judged by what came of it."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from anomalyshield.audit.models import AuditEvent
from scoring import judgement, policies, promotions, training, updating
from scoring.doubts import doubts
from scoring.engine import updating as engine
from scoring.engine.bundle import Bundle
from scoring.models import Decision, ModelVersion, ShadowScore, TrainingRun
from tests.conftest import client_of
from tests.models.making import payment
from tests.rest.asking import get, post

pytestmark = pytest.mark.django_db
WORKED = pytest.mark.django_db(transaction=True)  # a worker claims rows that are committed
FEW, MANY = 5, 30


@pytest.fixture
def champion(versions) -> ModelVersion:
    """The first version, as if it had learnt from labels."""
    ModelVersion.objects.filter(pk=versions[0].pk).update(kind="warm")
    return promotions.install_first(version=versions[0])


@pytest.fixture
def shadow(champion, versions) -> ModelVersion:
    """The second one, as if it were an update of the champion."""
    versions[1].state, versions[1].update_of = "SHADOW", champion
    learnt = {"rounds": 40, "rows": 900, "frauds": 90, "before": 0.4, "after": 0.5}
    versions[1].metrics["update"] = {"number": 1, **learnt}
    versions[1].save()
    return versions[1]


@pytest.fixture
def learnt(monkeypatch) -> None:
    """An update that is quickly made: the champion again."""

    def made(bundle: Bundle, *_: object, **more: object) -> Bundle:
        told = {"number": 1, "rounds": 40, "rows": 900, "frauds": 90}
        figures = {"before_average_precision": 0.4, "average_precision": 0.5}
        return Bundle(bundle.manifest | {"update": told, "metrics": figures}, bundle.ensemble)

    monkeypatch.setattr(engine, "update", made)


def run_all() -> None:
    from anomalyshield import leases
    from scoring.tasks import do, work_named

    for row in leases.claim(TrainingRun):
        do(work_named("training"), row)


def scored(shadow: ModelVersion, frauds: int, *, own: float, theirs: float) -> None:
    """As many frauds, and twice as many others at 0.5; the two scores of each fraud differ."""
    for number in range(3 * frauds):
        fraud = number < frauds
        row = payment(f"p{number}", user=f"u{number}")
        Decision.objects.create(
            transaction=row, model=shadow.update_of, policy=policies.active(), level="LOW",
            risk_score=theirs if fraud else 0.5, outcome="APPROVE", known_at=timezone.now(),
        )  # fmt: skip
        ShadowScore.objects.create(transaction=row, model=shadow, risk_score=own if fraud else 0.5)
        if fraud:
            row.labels.create(value="TRUE_FRAUD", origin="FILE")


def trail() -> list[str]:
    return list(AuditEvent.objects.values_list("action", flat=True))


@WORKED
def test_an_update_is_made_in_shadow_and_says_whose_it_is(champion, learnt, mona, ana) -> None:
    answer = client_of(mona).post(reverse("model-update"))
    run_all()
    run = TrainingRun.objects.get()
    assert answer.url == reverse("run", args=[run.pk])
    made = run.result
    assert (made.state, made.update_of, made.update_number) == ("SHADOW", champion, 1)
    assert run.verdict == "An update of v1: it scores along until labels judge it."
    assert {"model.update_asked", "model.trained", "model.shadow_changed"} <= set(trail())
    page = client_of(mona).get(reverse("model", args=[made.pk])).content.decode()
    assert "It has not been judged yet" in page
    assert "average precision 0.400 before, 0.500 after" in page
    assert "Update of v1" in client_of(ana).get(reverse("models")).content.decode()
    told = get(ana, f"models/{made.pk}")
    assert (told["update_of"], told["online"][:6]) == (champion.pk, "It has")


def test_asking_twice_gives_the_one_that_waits(champion, mona) -> None:
    assert updating.ask(by=mona) == updating.ask(by=mona)
    assert training.ask(by=mona).options.get("update_of") is None, "a training is something else"


def test_a_champion_without_labels_is_not_updated(versions, mona) -> None:
    promotions.install_first(version=versions[0])
    answer = client_of(mona).post(reverse("model-update"))
    assert answer.status_code == 409
    assert "learnt from labels" in answer.content.decode()
    assert "learnt from labels" in post(mona, "models/update", {}, 409)["detail"]
    with pytest.raises(CommandError, match="learnt from labels"):
        call_command("update_model")


def test_one_update_at_a_time(shadow, mona) -> None:
    with pytest.raises(updating.Refused, match="v2 is an update in shadow already"):
        updating.ask(by=mona)
    assert "Update it now" not in client_of(mona).get(reverse("models")).content.decode()


def test_a_program_asks_as_the_page_does(champion, mona) -> None:
    told = post(mona, "models/update", {}, 202)
    assert told["options"]["update_of"] == champion.number


@WORKED
def test_the_command_says_what_came_of_it(champion) -> None:
    out = StringIO()
    call_command("update_model", "--inline", stdout=out, stderr=StringIO())
    assert "no boosted trees learnt from labels" in out.getvalue()
    assert ModelVersion.objects.count() == 3


@WORKED
def test_an_update_of_one_who_fell_is_not_made(champion, learnt, mona) -> None:
    run = updating.ask(by=mona)
    ModelVersion.objects.filter(pk=champion.pk).update(state="RETIRED")
    run_all()
    run.refresh_from_db()
    assert run.verdict == "v1 does not decide any more."


def test_better_is_proposed_and_asked_for_by_people(shadow, mona, otto) -> None:
    assert "not shown as a shadow" in doubts(shadow.metrics)[0]
    scored(shadow, MANY, own=0.9, theirs=0.4)
    judged = judgement.judge(version=shadow)
    assert (judged.state, judged.metrics["online"]["state"]) == ("SHADOW", "proposed")
    assert judgement.told(judged).startswith("Better than v1 on 90 payments with 30 known frauds")
    assert doubts(judged.metrics) == []
    judgement.judge(version=shadow)
    assert trail().count("model.update_proposed") == 1
    page = client_of(mona).get(reverse("model", args=[shadow.pk])).content.decode()
    assert "It may be asked for" in page
    asked = promotions.ask(by=mona, version=judged, reason="Better as a shadow.")
    assert promotions.approve(by=otto, request=asked).state == "CHAMPION"


def test_worse_is_withdrawn_with_the_reason(shadow) -> None:
    scored(shadow, MANY, own=0.4, theirs=0.9)
    judged = judgement.judge(version=shadow)
    assert judged.state == "REJECTED"
    reason = AuditEvent.objects.get(action="model.update_withdrawn").reason
    assert reason.startswith("Worse than v1")


def test_few_frauds_decide_nothing(shadow) -> None:
    scored(shadow, FEW, own=0.4, theirs=0.9)
    judged = judgement.judge(version=shadow)
    assert (judged.state, judged.metrics["online"]["verdict"]) == ("SHADOW", "undecided")
    assert "at least 20 are needed" in judgement.told(judged)


def test_nothing_scored_along_is_undecided(shadow) -> None:
    assert judgement.judge(version=shadow).metrics["online"]["rows"] == 0


@pytest.mark.parametrize("why", ["old", "fallen"])
def test_one_that_is_behind_is_withdrawn(shadow, champion, why) -> None:
    if why == "old":
        long_ago = timezone.now() - judgement.LONGEST - timedelta(hours=1)
        ModelVersion.objects.filter(pk=shadow.pk).update(trained_at=long_ago)
    else:
        ModelVersion.objects.filter(pk=champion.pk).update(state="RETIRED")
    assert judgement.judge(version=shadow).state == "REJECTED"


@WORKED
def test_each_day_one_update_is_asked_for_and_then_judged(champion, learnt, settings) -> None:
    settings.UPDATES = False
    updating.daily()
    assert not TrainingRun.objects.exists()
    settings.UPDATES = True
    updating.daily()
    run_all()
    updating.daily()
    assert TrainingRun.objects.count() == 1
    assert updating.in_shadow().get().metrics["online"]["state"] == "shadow"


def test_after_many_updates_a_training_is_asked_for_once_a_week(champion, mona) -> None:
    champion.metrics["update"] = {"number": updating.MOST_UPDATES}
    champion.save()
    with pytest.raises(updating.Refused, match="8 times"):
        updating.ask(by=mona)
    updating.daily()
    updating.daily()
    assert "update_of" not in TrainingRun.objects.get().options


def test_an_old_one_is_made_anew_too(champion) -> None:
    assert not updating.is_old(champion)
    champion.cutoff = timezone.now() - updating.OLDEST - timedelta(days=1)
    assert updating.is_old(champion)
