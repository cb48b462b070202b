"""A payment that comes in by the novelty lane: decided, explained, replayed and followed."""

from dataclasses import replace

import pytest
from django.urls import reverse

from scoring import current, deciding, labels, novelty, registry, replaying, whatif
from scoring.engine.bundle import Bundle, format_of
from scoring.engine.calibration import RiskMap
from scoring.engine.decision import Policy
from scoring.engine.ensemble import Lane
from scoring.models import Decision, Explanation, ModelVersion
from tests.conftest import client_of
from tests.rest.asking import get
from tests.scoring import making
from tests.scoring.test_deciding import payment, send

pytestmark = pytest.mark.django_db(transaction=True)
OPEN = RiskMap((-300.0, -200.0, -100.0), (0.1, 0.1, 0.1))  # nothing is so usual as to stay out


@pytest.fixture(autouse=True)
def patient(settings) -> None:
    """Nothing here is about being late."""
    settings.SCORING_DEADLINE = 60


@pytest.fixture
def champion() -> ModelVersion:
    """A model whose lane takes whatever its score does not raise."""
    cold = registry.load(making.first_model())
    aside = Lane(cold.ensemble.members[1], 0.1, OPEN)
    ensemble = replace(cold.ensemble, lane=aside)
    made = Bundle({**cold.manifest, "format": format_of(ensemble)}, ensemble)
    version = registry.register(
        made,
        kind="cold",
        cutoff=making.START,
        metrics={"budget": 0.01, "lane": {"share": 0.1, "promised": 0.001}},
    )
    ModelVersion.objects.filter(state="CHAMPION").update(state="RETIRED")
    ModelVersion.objects.filter(pk=version.pk).update(state="CHAMPION")
    current.forget()
    return version


def test_it_is_held_for_a_person_who_reads_that_it_is_unlike_anything(champion) -> None:
    answer = send(payment())
    assert (answer.outcome, answer.level) == ("REVIEW", "HIGH")
    assert answer.reason_codes == ["NOVELTY"]
    assert answer.risk_score < 0.7
    assert "unlike nearly all payments" in answer.hits[0]["sentence"]
    assert Decision.objects.get().hit.alert.reason_codes == ["NOVELTY"]


def test_its_explanation_is_that_of_the_lane_and_adds_up(champion) -> None:
    answer = deciding.explain(send(payment(amount="9000")))
    making.work_through()
    kept = Explanation.objects.get()
    own = registry.load(champion).ensemble.margin(answer.vector[None, :], novel=True)[0]
    assert kept.margin == answer.why.margin == own
    assert abs(kept.base + sum(kept.contributions.values()) - own) < 1e-6


def test_a_file_and_a_replay_come_to_the_same(champion) -> None:
    making.send(making.csv_of(making.ordinary_rows(30)))
    making.work_through()
    send(payment())
    assert Decision.objects.filter(reason_codes=["NOVELTY"], outcome="REVIEW").count() > 25
    asked = Decision.objects.select_related("model", "policy", "transaction")
    report = replaying.replay(asked)
    assert report.differences == []
    same = whatif.effect(Policy(), Policy())
    assert (same.changed, same.hits["NOVELTY"][0] > 25) == (0, True)


def test_other_cut_points_leave_other_payments_to_the_lane(champion) -> None:
    """One that was raised by its score comes in by the lane once the score no longer raises it."""
    making.send(making.csv_of(making.ordinary_rows(60)))
    making.work_through()
    Decision.objects.update(risk_score=0.75, level="HIGH", reason_codes=[], hits=[])
    found = whatif.effect(Policy(), Policy(high_above=0.8))
    assert found.hits["NOVELTY"] == (0, 60)
    assert found.people(True) == found.people(False)


def test_what_became_of_it_is_on_the_page_and_for_programs(champion, mona, ana) -> None:
    for number, value in enumerate(("TRUE_FRAUD", "FALSE_POSITIVE", None)):
        send(payment(transaction_id=f"t{number}"))
        if value:
            paid = Decision.objects.latest("pk").transaction
            labels.give(by=ana, transaction=paid, value=value, origin="DISPOSITION")
    found = novelty.followed(champion)
    assert (found.payments, found.raised, found.frauds, found.genuine) == (3, 3, 1, 1)
    assert (found.actual, found.precision) == (1.0, 0.5)
    told = get(ana, f"models/{champion.pk}")["lane"]
    assert (told["share"], told["raised"], told["frauds"]) == (0.1, 3, 1)
    page = client_of(mona).get(reverse("model", args=[champion.pk])).content.decode()
    assert "Novelty lane" in page
    assert "10 % of the alert budget" in page


def test_a_version_without_a_lane_shows_none(mona) -> None:
    version = making.first_model()
    version.metrics = {"budget": 0.01}
    version.save()
    assert novelty.followed(version) is None
    page = client_of(mona).get(reverse("model", args=[version.pk])).content.decode()
    assert "Novelty lane" not in page


def test_queue_and_rules_know_the_code(champion, mona, ana) -> None:
    send(payment())
    assert "NOVELTY" in client_of(mona).get(reverse("rules")).content.decode()
    asked = client_of(ana).get(reverse("alerts"), {"reason": "NOVELTY"})
    assert asked.status_code == 200
    assert 'value="NOVELTY" selected' in asked.content.decode()
