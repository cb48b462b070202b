"""The model pages as each person sees them, with their refusals beside their successes."""

import json
import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from anomalyshield.audit.models import AuditEvent
from scoring import promotions
from scoring.models import ModelVersion, TrainingRun
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
MEASURED = {
    "budget": 0.05,
    "shares": {"boosting": 0.8, "extra_trees": 0.2},
    "heldout": {"rows": 900, "frauds": 50, "from": "2026-10-01", "until": "2026-10-12"},
    "measured": {"ap": 0.81, "auc": 0.97, "precision_at_5": 0.9, "recall_at_5": 0.6, "ece": 0.01},
    "curves": {
        "pr": [[0.1, 1.0], [1.0, 0.2]],
        "histogram": {"edges": [0, 0.5, 1], "fraud": [1, 49], "legitimate": [840, 10]},
        "calibration": [[0.01, 0.0, 450], [0.2, 0.1, 450]],
        "roc": [[0.0, 0.0], [0.1, 0.8], [1.0, 1.0]],
        "cuts": {
            "steps": 4, "frauds": 50, "genuine": 850, "stolen": 1000.0, "days": 10.0,
            "true": [50, 45, 40, 20, 0], "false": [850, 100, 10, 5, 0],
            "caught": [1000.0, 950.0, 900.0, 700.0, 0.0],
        },
    },
    "importance": {
        "rows": 400,
        "features": {"no_such_feature_any_more": 0.1, "amount_log": 0.4},
        "families": {"amount": 0.375, "no_such_family_any_more": 0.1},
    },
    "champion": {
        "pk": 1,
        "number": 1,
        "measured": {"ap": 0.5, "auc": 0.98},
        "overlap": 0.4,
        "pr": [[0.1, 0.8], [1.0, 0.1]],
        "roc": [[0.0, 0.0], [1.0, 1.0]],
        "exchanged": {
            "both": {"frauds": 30, "genuine": 5, "stolen": 600.0},
            "own": {"frauds": 8, "genuine": 2, "stolen": 123.45},
            "theirs": {"frauds": 3, "genuine": 7, "stolen": 60.0},
            "neither": {"frauds": 9, "genuine": 836, "stolen": 216.55},
        },
        "by_amount": [
            {"from": 0, "until": 50, "frauds": 4, "own": 1, "theirs": 3,
             "own_alerts": 2, "their_alerts": 5},
            {"from": 50, "until": None, "frauds": 46, "own": 37, "theirs": 30,
             "own_alerts": 43, "their_alerts": 40},
        ],
    },
}  # fmt: skip


@pytest.fixture
def candidate(champion, versions) -> ModelVersion:
    """The second version, with measurements beside the champion's."""
    rival = {**MEASURED["champion"], "pk": champion.pk}
    versions[1].metrics = {**MEASURED, "champion": rival}
    versions[1].kind = "warm"
    versions[1].save()
    return versions[1]


def page(person, name, *args, status=200) -> str:
    answer = client_of(person).get(reverse(name, args=args))
    assert answer.status_code == status
    return answer.content.decode()


def post(person, name, *args, status=302, **fields):
    answer = client_of(person).post(reverse(name, args=args), fields)
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer


def said(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_everybody_sees_the_versions_and_which_one_decides(ana, dana, candidate):
    for person in (ana, dana):
        shown = page(person, "models")
        assert "Champion" in shown
        assert "0.810" in shown
        assert "Train a candidate" not in shown


def test_an_empty_installation_says_what_to_do(mona):
    assert "No model yet" in page(mona, "models")


def test_only_model_owners_train(mona, ana, adam):
    asked = {"maturity_days": 14, "budget_percent": 5, "novelty_percent": 20}
    answer = post(mona, "model-train", **asked)
    run = TrainingRun.objects.get()
    assert answer.url == reverse("run", args=[run.pk])
    assert run.options == {"maturity_days": 14, "budget": 0.05, "novelty": 0.2, "pipeline": 1}
    for person in (ana, adam):
        post(person, "model-train", maturity_days=14, budget_percent=5, status=403)
    assert TrainingRun.objects.count() == 1
    run.delete()
    post(mona, "model-train", maturity_days=14, budget_percent=5, weeks=3)
    assert TrainingRun.objects.get().options["weeks"] == 3
    assert AuditEvent.objects.filter(action="model.training_asked", actor="mona").exists()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"maturity_days": "x", "budget_percent": 5},
        {"maturity_days": 14, "budget_percent": 50},
        {"maturity_days": 14, "budget_percent": 5, "weeks": 99},
    ],
)
def test_a_training_without_sense_is_refused_beside_its_field(mona, fields):
    answer = post(mona, "model-train", status=400, **fields)
    assert "errorlist" in answer.content.decode()
    assert not TrainingRun.objects.exists()


def test_asking_twice_for_a_training_gives_the_one_that_waits(mona):
    urls = {post(mona, "model-train", maturity_days=14, budget_percent=5).url for _ in range(2)}
    assert len(urls) == 1


def test_a_run_under_way_asks_again_and_a_finished_one_does_not(mona):
    run = TrainingRun.objects.create(message="Learning", progress=0.4, options={"budget": 0.05})
    assert 'hx-trigger="every 2s"' in page(mona, "run", run.pk)
    TrainingRun.objects.update(state="DONE", verdict="Not better than v1: 0.4 against 0.5.")
    shown = page(mona, "run", run.pk)
    assert "hx-trigger" not in shown
    assert "Not better than v1" in shown


def test_the_refresh_brings_the_fragment_alone(mona):
    run = TrainingRun.objects.create(options={"budget": 0.05})
    client = client_of(mona)
    answer = client.get(reverse("run", args=[run.pk]), headers={"HX-Request": "true"})
    assert answer.content.decode().lstrip().startswith("<section")


def test_a_model_page_shows_its_numbers_beside_the_champions(ana, candidate):
    shown = page(ana, "model", candidate.pk)
    assert "+0.310" in shown
    assert "better" in shown
    assert "40 %" in shown  # of the alerts in common
    island = re.search(r'<script id="charts" type="application/json">(.*?)</script>', shown, re.S)
    assert set(json.loads(island[1])) == {"pr", "roc", "histogram", "calibration", "costs"}
    assert shown.count("<summary>As a table</summary>") == 5


def test_what_moves_its_scores_is_told_by_feature_and_family_in_log_odds(ana, candidate):
    shown = page(ana, "model", candidate.pk).split("What moves its scores most")[1]
    assert "mean of 400 rows held out" in shown
    assert "As a table, 2 features in 1 family" in shown
    assert "#family-amount" in shown
    for words in ("0.3750", "100.0 %", "0.4000", "80.00 %", "no_such_feature_any_more"):
        assert words in shown


def test_a_threshold_is_chosen_without_a_script(ana, candidate):
    def told(cut):
        answer = client_of(ana).get(reverse("model", args=[candidate.pk]), {"cut": cut})
        assert answer.status_code == 200
        return answer.context["chosen"]

    assert told("0.5") == {
        "cut": "0.50", "alerts": "50", "day": "5.0", "precision": "80.0 %", "recall": "80.0 %",
        "false_alarms": "1.2 %", "share": "5.6 %", "money": "90.0 %", "f1": "80.0 %",
        "true": "40", "false": "10", "missed": "10", "quiet": "840",
        # 100 stolen and ten fees; fifty reviews; ten held; against 1,000 and fifty fees
        "cost": "570", "missed_cost": "300", "work_cost": "250", "friction_cost": "20",
        "saved": "1,430",
    }  # fmt: skip
    assert told("1")["precision"] == "–"
    for nonsense in ("", "x", "nan", "inf", "\x00", "٣"):
        assert told(nonsense)["cut"] in {"0.75", "1.00"}, nonsense  # next to the policy's 0.7
    assert told("7")["cut"] == "1.00"
    assert told("-7")["cut"] == "0.00"


def test_the_script_has_every_threshold_in_the_words_of_the_page(ana, candidate):
    context = client_of(ana).get(reverse("model", args=[candidate.pk])).context
    assert [one["said"]["cut"] for one in context["thresholds"]] == [
        "0.00", "0.25", "0.50", "0.75", "1.00"
    ]  # fmt: skip
    assert context["chosen"] in [one["said"] for one in context["thresholds"]]
    marks = [t for t in context["charts"]["data"]["roc"]["traces"] if t.get("meta")]
    assert len(marks) == 1


def test_what_gets_better_and_worse_stands_beside_the_champion(ana, candidate):
    shown = page(ana, "model", candidate.pk)
    assert "v2 in the place of v1" in shown
    assert "123.45" in shown
    assert "50 and more" in shown
    assert shown.count(">worse<") == 2  # the ROC AUC, and payments below 50
    moved = shown.split("What moves its scores most")[1]
    assert moved.index(">0.400<") < moved.index("no_such_feature_any_more") < moved.index(">0.100<")


def test_the_card_says_what_the_version_is_and_can_be_kept(ana, candidate, champion):
    shown = page(ana, "model", candidate.pk)
    assert "Model card" in shown
    answer = client_of(ana).get(reverse("model-card", args=[candidate.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="model-v2.md"'
    text = answer.content.decode()
    assert candidate.sha256 in text
    assert "900 rows, 50 frauds" in text
    assert "Average precision: 0.810 (v1: 0.500)" in text
    assert "mean of log-odds: Boosted trees 80 %, Extra trees 20 %." in text
    assert "570 at the cheapest threshold, 0.50; 2,000 without any alert" in text
    first = client_of(ana).get(reverse("model-card", args=[champion.pk])).content.decode()
    assert "Its figures are unknown, not good." in first
    page(ana, "model-card", 4711, status=404)


def test_the_page_asks_the_database_a_fixed_number_of_questions(
    ana, candidate, django_assert_max_num_queries
):
    client = client_of(ana)
    page(ana, "model", candidate.pk)
    with django_assert_max_num_queries(11):
        client.get(reverse("model", args=[candidate.pk]))


def test_a_page_of_a_first_model_without_numbers_is_whole(ana, champion):
    shown = page(ana, "model", champion.pk)
    assert "it is a first model" in shown
    assert 'id="charts"' not in shown


def test_unknown_versions_and_runs_are_not_found(ana, db):
    page(ana, "model", 4711, status=404)
    page(ana, "run", 4711, status=404)


def test_the_pages_hold_no_inline_script_or_style(mona, candidate):
    for shown in (page(mona, "models"), page(mona, "model", candidate.pk), page(mona, "rules")):
        assert not re.search(
            r"<[^>]* style=|<style|<[^>]* on\w+=|<script(?![^>]*(src|json))", shown
        )


def test_a_promotion_from_page_to_page(mona, otto, candidate):
    assert "Ask for promotion" in page(mona, "model", candidate.pk)
    post(mona, "model-ask", candidate.pk, reason="It finds more.")
    own = page(mona, "model", candidate.pk)
    assert "a second model owner must approve" in own
    assert "Approve: make it champion" not in own
    assert "Approve: make it champion" in page(otto, "model", candidate.pk)
    answer = post(otto, "model-approve", candidate.pk, reason="Agreed.")
    assert "is the champion" in said(answer)
    candidate.refresh_from_db()
    assert candidate.state == "CHAMPION"


def test_the_asker_cannot_approve_by_posting_past_the_page(mona, candidate):
    post(mona, "model-ask", candidate.pk, reason="It finds more.")
    answer = post(mona, "model-approve", candidate.pk, status=409)
    assert "a second model owner must approve" in answer.content.decode()
    candidate.refresh_from_db()
    assert candidate.state == "CANDIDATE"


@pytest.mark.parametrize("name", ["model-ask", "model-approve", "model-refuse"])
def test_nobody_but_model_owners_promotes(name, ana, dana, adam, mona, candidate):
    promotions.ask(by=mona, version=candidate, reason="It finds more.")
    for person in (ana, dana, adam):
        post(person, name, candidate.pk, reason="Me too.", status=403)


def test_a_question_without_a_reason_is_refused_beside_the_field(mona, candidate):
    answer = post(mona, "model-ask", candidate.pk, reason="  ", status=400)
    assert "Write a reason" in answer.content.decode()
    assert not candidate.requests.exists()


def test_answering_what_nobody_asked_is_not_found(otto, candidate):
    post(otto, "model-approve", candidate.pk, status=404)


def test_a_refusal_needs_a_reason_and_rejects(mona, otto, candidate):
    promotions.ask(by=mona, version=candidate, reason="It finds more.")
    post(otto, "model-refuse", candidate.pk, status=400)
    post(otto, "model-refuse", candidate.pk, reason="Too few frauds.")
    assert "Too few frauds." in page(mona, "model", candidate.pk)
    candidate.refresh_from_db()
    assert candidate.state == "REJECTED"


def test_owner_and_admin_roll_back_and_others_do_not(mona, otto, adam, ana, champion, candidate):
    request = promotions.ask(by=mona, version=candidate, reason="It finds more.")
    promotions.approve(by=otto, request=request)
    post(ana, "model-rollback", reason="Because.", status=403)
    post(adam, "model-rollback", reason="", status=400)
    answer = post(adam, "model-rollback", reason="It blocks everybody.")
    assert "v1 decides again" in said(answer)
    champion.refresh_from_db()
    assert champion.state == "CHAMPION"
    post(mona, "model-rollback", reason="Further back.", status=409)


def test_a_shadow_is_switched_on_and_off(mona, ana, candidate):
    post(ana, "model-shadow", candidate.pk, on="1", status=403)
    post(mona, "model-shadow", candidate.pk, on="1")
    assert "End the shadow" in page(mona, "model", candidate.pk)
    post(mona, "model-shadow", candidate.pk)
    post(mona, "model-shadow", candidate.pk, status=409)
    candidate.refresh_from_db()
    assert candidate.state == "CANDIDATE"


def test_reasons_are_shown_as_text_and_never_as_markup(mona, candidate):
    promotions.ask(by=mona, version=candidate, reason="<script>alert(1)</script>")
    assert "<script>alert" not in page(mona, "model", candidate.pk)


def test_the_rules_page_lists_each_rule_with_its_thresholds(ana, db):
    shown = page(ana, "rules")
    for code in ("HIGH_AMOUNT", "VELOCITY_MULTI_CITY", "UNUSUAL_HOUR", "HIGH_RISK_MCC"):
        assert code in shown
    assert "The amount in the base currency is above the limit." in shown
    assert "10,000" in shown
    assert "4829" in shown
    assert AuditEvent.objects.filter(action="policy.activated").count() == 1
    page(ana, "rules")
    assert AuditEvent.objects.filter(action="policy.activated").count() == 1
