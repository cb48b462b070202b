"""The feature page and the pipelines: drafted, tried, kept, put into force, seen by everybody."""

import html
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from django.db import connection
from django.urls import reverse

from anomalyshield.audit.models import AuditEvent
from anomalyshield.templatetags.words import percent
from scoring import feature_facts, feature_pipelines, importance, plans, stability
from scoring.engine.features import FEATURES, NAMES, spec_id
from scoring.engine.plan import Imputation
from scoring.models import (
    Ablation,
    FamilyOwner,
    FeatureDay,
    FeatureDrift,
    FeaturePipeline,
    Snapshot,
)
from tests.conftest import client_of
from tests.models.test_pages import page, post, said
from tests.scoring.test_plans import DOCUMENT

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 20)


def keep(by, text: str = DOCUMENT) -> FeaturePipeline:
    return feature_pipelines.save(by=by, text=text, reason="As the other system has it.")


@pytest.fixture
def decided(db: None) -> None:
    """Two hundred vectors of one day and one of the day before; every fourth place is unknown."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS snapshot_of_test PARTITION OF scoring_snapshot"
            " FOR VALUES FROM ('2026-11-19') TO ('2026-11-21')"
        )
    vectors = np.random.default_rng(1).lognormal(size=(200, len(NAMES)))
    vectors[::4, NAMES.index("location_distance_km")] = np.nan
    vectors[:, NAMES.index("channel_atm")] = np.nan
    rows = [
        Snapshot(day=DAY, transaction_id=n, spec=spec_id(), vector=row.tobytes())
        for n, row in enumerate(vectors, 1)
    ]
    older = Snapshot(
        day=date(2026, 11, 19), transaction_id=1, spec=spec_id(), vector=vectors[0].tobytes()
    )
    Snapshot.objects.bulk_create([*rows, older])


def test_everybody_reads_what_a_feature_means(ana, dana):
    for person in (ana, dana):
        shown = page(person, "features")
        assert all(f">{feature.name}<" in shown for feature in FEATURES)
        assert "Jensen-Shannon distance" in shown
        assert "nobody answers for it yet" in shown
    assert "Hand over" not in page(ana, "features")
    assert "Hand over" in page(dana, "features")


def test_the_missing_share_is_that_of_the_latest_day(ana, decided):
    feature_facts.count_missing()
    day = FeatureDay.objects.get()
    assert (day.day, day.rows) == (DAY, 200)
    assert day.missing["location_distance_km"] == 0.25
    assert (day.missing["channel_atm"], day.missing["amount"]) == (1.0, 0.0)
    shown = page(ana, "features")
    assert "decisions of" in shown
    assert "2026-11-20" in shown
    assert "25.0 %" in shown


def test_counting_again_renews_the_day_and_nothing_decided_counts_nothing(decided):
    feature_facts.count_missing()
    Snapshot.objects.filter(transaction_id__gt=100).delete()
    feature_facts.count_missing()
    assert FeatureDay.objects.get().rows == 100
    Snapshot.objects.all().delete()
    feature_facts.count_missing()
    assert FeatureDay.objects.get().rows == 100


def test_values_that_moved_since_the_champion_learnt_are_named(ana, champion, decided):
    rows = np.array([np.frombuffer(bytes(row.vector)) for row in Snapshot.objects.all()])
    learnt = np.concatenate([rows] * 3)
    learnt[:, NAMES.index("amount")] *= 10
    stability.remember(champion, learnt)
    stability.measure()
    assert "201 decisions of a week are too few to say" in page(ana, "features")
    with connection.cursor() as cursor:  # the same payments once more, and again, as others
        cursor.execute(
            "INSERT INTO scoring_snapshot SELECT day, transaction_id + 1000 * n, spec, vector"
            " FROM scoring_snapshot, generate_series(1, 2) AS n"
        )
    stability.measure()
    drift = FeatureDrift.objects.get()
    assert (drift.rows, str(drift.since), drift.until) == (603, "2026-11-14", DAY)
    assert drift.moved["amount"] > 0.25
    assert drift.moved["hour"] == pytest.approx(0, abs=0.001)
    shown = page(ana, "features")
    assert "moved much" in shown
    assert "stable 0.00" in shown
    families = client_of(ana).get("/api/v1/features").json()["families"]
    told = {one["name"]: one["moved"] for family in families for one in family["features"]}
    assert (told["amount"], told["hour"]) == ("moved much", "stable")


def test_a_busy_day_is_looked_at_evenly_and_within_bounds(champion, decided, monkeypatch):
    monkeypatch.setattr(stability, "PER_DAY", 20)
    monkeypatch.setattr(stability, "ENOUGH", 10)
    stability.remember(champion, np.ones((10, len(NAMES))))
    stability.measure()
    assert FeatureDrift.objects.get().rows == 21  # twenty of one day, one of the other


def test_without_a_reference_or_a_decision_nothing_is_said(ana, champion):
    stability.measure()
    assert "the champion kept no reference" in page(ana, "features")
    stability.remember(champion, np.ones((10, len(NAMES))))
    stability.measure()
    assert "counted every hour" in page(ana, "features")


def test_a_family_is_handed_over_to_somebody_who_may_answer_for_it(dana, mona, ana):
    post(dana, "feature-owner", "sharing", owner=mona.pk)
    assert FamilyOwner.objects.get().owner == mona
    assert "mona answers for it" in page(ana, "features").lower()
    event = AuditEvent.objects.get(action="feature.handed_over")
    assert event.actor == "dana"
    refused = post(dana, "feature-owner", "sharing", status=400, owner=ana.pk)
    assert "errorlist" in refused.content.decode()
    post(dana, "feature-owner", "sharing", status=400)
    post(dana, "feature-owner", "nothing", status=404, owner=mona.pk)
    post(ana, "feature-owner", "sharing", status=403, owner=mona.pk)
    assert FamilyOwner.objects.get().owner == mona


def test_what_a_model_reads_and_how_much_it_moves_stands_beside_it(ana, champion):
    champion.metrics = {"shares": {"amount": 0.437}}
    champion.save()
    shown = page(ana, "features")
    assert "43.7 %" in shown
    assert reverse("model", args=[champion.pk]) in shown


def test_what_a_version_trained_earlier_kept_is_still_read(champion):
    for kept in ({"shares": {"amount": 0.437}}, {"importance": {"amount": 0.437}}):
        assert importance.shares(kept) == {"amount": 0.437}
        assert importance.of_features(kept) == [importance.Moves("amount", None, 0.437)]
        assert importance.of_families(kept) == []
    assert importance.shares({}) is None


def test_importance_is_the_mean_size_of_contributions_in_log_odds(bundles_learnt):
    vectors = np.random.default_rng(2).normal(size=(50, len(NAMES)))
    found = importance.measured(bundles_learnt[0], vectors)
    parts = bundles_learnt[0].ensemble.contributions(vectors)[1]
    strongest = int(np.abs(parts).mean(axis=0).argmax())
    largest = max(found["features"], key=found["features"].get)
    assert (found["rows"], largest) == (50, NAMES[strongest])
    assert found["features"][largest] == pytest.approx(np.abs(parts[:, strongest]).mean(), abs=1e-6)
    assert sum(importance.shares({"importance": found}).values()) == pytest.approx(1)
    assert importance.measured(bundles_learnt[0], vectors[:0]) == {}


def test_what_features_of_a_family_say_against_each_other_moves_no_score(bundles_learnt):
    class Two:
        def contributions(self, vectors):
            parts = np.zeros(vectors.shape)
            parts[:, [NAMES.index("amount"), NAMES.index("amount_log")]] = 1.0, -0.75
            return 0.0, parts

    found = importance.measured(
        replace(bundles_learnt[0], ensemble=Two()), np.zeros((9, len(NAMES)))
    )
    assert found["families"] == {"amount": 0.25}
    assert found["features"] == {"amount": 1.0, "amount_log": 0.75}


def test_a_model_that_cannot_say_why_has_no_importance_and_stays(bundles_learnt):
    class Mute:
        def contributions(self, vectors):
            raise ArithmeticError("boosting: gave a contribution that is not a number")

    assert importance.measured(replace(bundles_learnt[0], ensemble=Mute()), np.zeros((9, 9))) == {}


def test_a_version_that_came_without_its_importance_is_measured_later(ana, champion, decided):
    assert "importance" not in champion.metrics
    importance.measure_unmeasured()
    champion.refresh_from_db()
    assert champion.metrics["importance"]["rows"] == importance.AT_ONCE
    assert f"Weight in {champion}" in page(ana, "features")
    [first, *_] = importance.of_features(champion.metrics)
    assert percent(first.share) in page(ana, "features").split(f'id="{first.name}"')[1][:1200]
    before = champion.metrics
    for _ in range(3):  # one version at a time: the others of the fixture
        importance.measure_unmeasured()
    champion.refresh_from_db()
    assert champion.metrics == before
    assert all("importance" in version.metrics for version in importance.in_use())


def test_what_a_family_adds_is_shown(ana):
    Ablation.objects.create(rows=900, frauds=40, whole=0.8, without={"sharing": 0.7, "time": 0.81})
    shown = page(ana, "features")
    assert "without it 0.700 (it adds 0.100)" in shown
    assert "without it 0.810 (it costs 0.010)" in shown


def test_the_feature_page_asks_little(ana, champion, decided, django_assert_max_num_queries):
    feature_facts.count_missing()
    stability.remember(champion, np.ones((10, len(NAMES))))
    client = client_of(ana)
    client.get(reverse("features"))
    with django_assert_max_num_queries(12):
        client.get(reverse("features"))


def test_the_first_version_is_everything_as_it_is(ana):
    assert "P1" in page(ana, "pipelines")
    first = feature_pipelines.active()
    assert feature_pipelines.plan_of(first).whole
    assert AuditEvent.objects.get(action="pipeline.activated").actor == "system"


def test_a_document_is_tried_on_what_was_decided_and_nothing_is_kept(dana, decided):
    answer = post(dana, "pipeline-new", status=200, text=DOCUMENT, do="preview")
    shown = answer.content.decode()
    assert "On the latest 201 decisions" in shown
    assert ">mean_amount_1h<" in shown
    assert ">total_amount_24h<" not in shown
    assert "0.00 ± 1.00" in shown
    assert FeaturePipeline.objects.count() == 1


def test_a_document_is_proposed_from_what_was_decided_and_nothing_is_kept(dana, ana, decided):
    address = reverse("pipelines")
    answer = client_of(dana).get(address, {"propose": "1"})
    shown, proposal = answer.content.decode(), answer.context["proposal"]
    assert "Why it is proposed" in shown
    assert "never known in these rows (unknown 100.0%)" in shown
    assert proposal.text in html.unescape(shown)
    assert FeaturePipeline.objects.count() == 1
    plan = plans.read(proposal.text)
    assert "channel_atm" not in plan.columns  # never known
    (filled,) = [step for step in plan.steps if isinstance(step, Imputation)]
    assert (filled.strategy, filled.indicator) == ("median", True)
    assert filled.columns == ("location_distance_km",)
    post(dana, "pipeline-new", text=proposal.text, reason="As proposed", do="save")
    told = client_of(dana).get("/api/v1/pipelines/proposal").json()
    assert (told["text"], told["rows"]) == (proposal.text, 201)
    assert "proposal" not in client_of(ana).get(address, {"propose": "1"}).context
    assert client_of(ana).get("/api/v1/pipelines/proposal").status_code == 403


def test_from_too_little_nothing_is_proposed(dana):
    answer = client_of(dana).get(reverse("pipelines"), {"propose": "1"}, follow=True)
    assert "0 decisions are too few to propose from" in answer.content.decode()
    assert client_of(dana).get("/api/v1/pipelines/proposal").status_code == 409


def test_before_anything_is_decided_a_document_can_be_tried_too(dana):
    shown = post(dana, "pipeline-new", status=200, text=DOCUMENT).content.decode()
    assert "Nothing is decided yet" in shown


def test_faults_are_shown_with_their_lines_and_the_text_stays(dana):
    text = DOCUMENT.replace("strategy: mean", "strategy: nearest")
    shown = post(dana, "pipeline-new", status=400, text=text, do="save").content.decode()
    assert "Line 3" in shown
    assert "transformations[0].strategy" in shown
    assert "strategy: nearest" in shown
    post(dana, "pipeline-new", status=400, text="", do="save")
    assert FeaturePipeline.objects.count() <= 1


def test_a_version_is_kept_with_who_when_why_and_its_hash(dana, ana):
    post(dana, "pipeline-new", text=DOCUMENT, reason="As before", do="save")
    made = FeaturePipeline.objects.first()
    assert (made.number, made.made_by, made.active) == (2, dana, False)
    assert made.text == DOCUMENT
    shown = page(ana, "pipeline", made.pk)
    assert made.sha256 in shown
    assert "As before" in shown
    assert AuditEvent.objects.get(action="pipeline.saved").after["sha256"] == made.sha256
    same = post(dana, "pipeline-new", status=409, text=DOCUMENT, reason="Again", do="save")
    assert "P2 says exactly this already" in same.content.decode()
    unsaid = post(dana, "pipeline-new", status=400, text=DOCUMENT + "# x\n", do="save")
    assert "Write a reason" in unsaid.content.decode()


def test_a_model_owner_puts_it_into_force(dana, mona, ana):
    made = keep(dana)
    for person in (ana, dana):
        post(person, "pipeline-activate", made.pk, status=403, reason="Better")
    post(mona, "pipeline-activate", made.pk, status=400)
    answer = post(mona, "pipeline-activate", made.pk, reason="Agreed on Friday.")
    assert "The next trainings use P2" in said(answer)
    assert feature_pipelines.active() == made
    event = AuditEvent.objects.filter(action="pipeline.activated").latest("pk")
    assert (event.actor, event.before, event.after["pipeline"]) == ("mona", {"pipeline": 1}, 2)
    post(mona, "pipeline-activate", made.pk, status=409, reason="Again")
    post(mona, "pipeline-activate", 4711, status=404, reason="Which?")


def test_an_analyst_sees_versions_but_writes_none(ana, dana):
    keep(dana)
    assert "Keep as the next version" not in page(ana, "pipelines")
    post(ana, "pipeline-new", status=403, text=DOCUMENT)
    page(ana, "pipeline", 4711, status=404)


def test_a_new_version_starts_from_an_old_one(dana):
    made = keep(dana)
    answer = client_of(dana).get(reverse("pipelines"), {"from": made.number})
    assert "time_window_aggregation" in answer.content.decode()
    for wrong in ("99", "x", "9" * 40):
        asked = client_of(dana).get(reverse("pipelines"), {"from": wrong})
        assert asked.status_code in (200, 404)


def test_a_text_this_release_cannot_read_is_said_and_not_put_into_force(mona):
    feature_pipelines.active()
    old = FeaturePipeline.objects.create(number=2, text="- x\n", sha256="0" * 64, reason="old")
    assert "Line 1" in page(mona, "pipeline", old.pk)
    post(mona, "pipeline-activate", old.pk, status=409, reason="Back")
    with pytest.raises(plans.Unreadable):
        feature_pipelines.plan_of(old)
