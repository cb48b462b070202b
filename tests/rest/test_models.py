"""Models, trainings, rules and policies for programs: the same two persons, the same refusals."""

from typing import Any

import pytest

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.models import ModelVersion, TrainingRun
from tests.models.conftest import bundles_learnt, champion, folder, versions  # noqa: F401
from tests.rest.asking import answer, get, pointers, post

pytestmark = pytest.mark.django_db
WHY = {"reason": "Finds more at the same budget."}


@pytest.fixture
def candidate(champion: ModelVersion, versions: list[ModelVersion]) -> ModelVersion:  # noqa: F811
    return versions[1]


def test_everybody_reads_the_versions_and_which_one_decides(
    candidate: ModelVersion, ana: User, dana: User
) -> None:
    for who in (ana, dana):
        rows = get(who, "models")["results"]
        assert [row["name"] for row in rows] == ["v3", "v2", "v1"]
        assert [row["name"] for row in get(who, "models", state="CHAMPION")["results"]] == ["v1"]
    told = get(ana, f"models/{candidate.pk}")
    assert (told["state"], told["requests"]) == ("CANDIDATE", [])
    assert told["sha256"] == candidate.sha256
    post(ana, f"models/{candidate.pk}/ask", WHY, 403)


def test_two_model_owners_promote_and_one_rolls_back(
    candidate: ModelVersion, mona: User, otto: User
) -> None:
    at = f"models/{candidate.pk}"
    post(otto, f"{at}/approve", {}, 409)
    asked = post(mona, f"{at}/ask", WHY)["requests"]
    assert [(one["state"], one["asked_by"]) for one in asked] == [("OPEN", "mona")]
    post(mona, f"{at}/ask", WHY, 409)
    alone = post(mona, f"{at}/approve", {}, 409)
    assert "second model owner" in alone["detail"]
    denied = AuditEvent.objects.filter(actor="mona", outcome="DENIED", action="model.promoted")
    assert denied.exists()
    assert post(otto, f"{at}/approve", {})["state"] == "CHAMPION"
    assert [m["id"] for m in get(otto, "models", state="CHAMPION")["results"]] == [candidate.pk]
    back = post(otto, "models/rollback", {"reason": "Too many alerts."})
    assert (back["state"], back["name"]) == ("CHAMPION", "v1")
    post(otto, "models/rollback", {"reason": "Again."}, 409)


def test_a_promotion_is_refused_with_its_reason(
    candidate: ModelVersion, mona: User, otto: User
) -> None:
    post(mona, f"models/{candidate.pk}/ask", WHY)
    assert pointers(post(otto, f"models/{candidate.pk}/refuse", {}, 400)) == ["/reason"]
    told = post(otto, f"models/{candidate.pk}/refuse", {"reason": "Not on these labels."})
    assert (told["state"], told["requests"][0]["state"]) == ("REJECTED", "REFUSED")
    post(otto, f"models/{candidate.pk}/refuse", {"reason": "Again."}, 409)


def test_a_candidate_scores_along_and_no_longer(candidate: ModelVersion, mona: User) -> None:
    at = f"models/{candidate.pk}"
    read = answer(mona, "get", at)["ETag"]
    assert post(mona, f"{at}/shadow", {"on": True})["state"] == "SHADOW"
    assert answer(mona, "post", f"{at}/shadow", {"on": False}, if_match=read).status_code == 412
    post(mona, f"{at}/shadow", {"on": True}, 409)
    assert post(mona, f"{at}/shadow", {"on": False})["state"] == "CANDIDATE"
    assert pointers(post(mona, f"{at}/shadow", {"on": "yes"}, 400)) == ["/on"]


def test_a_training_is_asked_for_once_and_watched(mona: User, ana: User) -> None:
    assert pointers(post(mona, "models/train", {"weeks": 99}, 400)) == ["/weeks"]
    body = {"maturity_days": 14, "budget_percent": 5, "weeks": 2}
    run = post(mona, "models/train", body, 202)
    options = {"maturity_days": 14, "budget": 0.05, "weeks": 2}
    assert options.items() <= run["options"].items()
    assert post(mona, "models/train", {}, 202)["id"] == run["id"]
    assert get(ana, f"models/runs/{run['id']}")["state"] == "READY"
    assert [one["id"] for one in get(ana, "models/runs")["results"]] == [run["id"]]
    post(ana, "models/train", {}, 403)
    assert TrainingRun.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"maturity_days": -1}, "/maturity_days"),
        ({"maturity_days": 1.5}, "/maturity_days"),
        ({"budget_percent": 50}, "/budget_percent"),
        ({"budget_percent": "5"}, "/budget_percent"),
        ({"budget": 0.1}, "/budget"),
    ],
)
def test_a_training_without_sense_is_refused_by_field(
    body: dict[str, Any], pointer: str, mona: User
) -> None:
    assert pointers(post(mona, "models/train", body, 400)) == [pointer]
    assert not TrainingRun.objects.exists()


def test_unknown_versions_and_runs_do_not_exist(mona: User) -> None:
    get(mona, "models/999999999999999999999", 404)
    get(mona, "models/runs/7", 404)
    for verb, body in {"ask": WHY, "approve": {}, "refuse": WHY, "shadow": {"on": True}}.items():
        post(mona, f"models/7/{verb}", body, 404)
    get(mona, "policies/7", 404)


def test_rules_and_policies_are_read(ana: User) -> None:
    told = get(ana, "rules")
    by_code = {rule["code"]: rule for rule in told["rules"]}
    assert by_code["HIGH_AMOUNT"]["raises"] is True
    assert [cut["level"] for cut in told["cuts"]] == ["LOW", "MEDIUM", "HIGH", "CRITICAL"]
    policy = told["policy"]
    assert policy["values"]["high_above"] == 0.7
    assert get(ana, "policies")["results"] == [policy]
    assert get(ana, f"policies/{policy['version']}") == policy


def test_other_values_are_tried_asked_for_and_put_into_force_by_a_second_person(
    dana: User, adam: User, mona: User
) -> None:
    values = {"high_amount": 5000, "high_risk_mcc": ["7995", "6051", "7995"]}
    tried = post(dana, "policies/try", {"values": values, "last": 200})
    assert (tried["decisions"], tried["changed"]) == (0, 0)
    asked = post(dana, "policies/requests", {"values": values, **WHY}, 201)
    assert {one["name"]: one["after"] for one in asked["changes"]} == {
        "high_amount": 5000.0,
        "high_risk_mcc": ["6051", "7995"],
    }
    post(dana, "policies/requests", {"values": values, **WHY}, 409)
    at = f"policies/requests/{asked['id']}"
    post(dana, f"{at}/approve", {}, 403)
    told = post(adam, f"{at}/approve", {})
    assert (told["state"], told["policy"]) == ("APPROVED", asked["base"] + 1)
    assert get(dana, "rules")["policy"]["values"]["high_amount"] == 5000
    second = post(mona, "policies/requests", {"values": {"high_amount": 6000}, **WHY}, 201)
    assert (
        "second person"
        in post(mona, f"policies/requests/{second['id']}/approve", {}, 409)["detail"]
    )
    refused = post(adam, f"policies/requests/{second['id']}/refuse", {"reason": "Not now."})
    assert (refused["state"], refused["answered_by"]) == ("REFUSED", "adam")
    assert len(get(dana, "policies/requests")["results"]) == 2


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"high_above": 2}, "/values/high_above"),
        ({"low_below": 0.9}, "/values/low_below"),
        ({"high_amount": 0}, "/values/high_amount"),
        ({"velocity_count": 1.5}, "/values/velocity_count"),
        ({"high_risk_mcc": ["12"]}, "/values/high_risk_mcc/0"),
        ({"moon": 1}, "/values/moon"),
        ([], "/values"),
    ],
)
def test_values_without_sense_are_refused_by_field(values: Any, pointer: str, dana: User) -> None:
    for address, more in (("policies/try", {}), ("policies/requests", WHY)):
        assert pointers(post(dana, address, {"values": values, **more}, 400)) == [pointer]


def test_features_have_a_meaning_and_somebody_who_answers(dana: User, ana: User) -> None:
    families = get(ana, "features")["families"]
    assert all(feature["meaning"] for family in families for feature in family["features"])
    key = families[0]["key"]
    told = post(dana, f"features/{key}/owner", {"owner": "dana"})
    assert (told["family"], told["owner"]) == (key, "dana")
    assert get(ana, "features")["families"][0]["owner"] == "dana"
    assert pointers(post(dana, f"features/{key}/owner", {"owner": "ana"}, 400)) == ["/owner"]
    post(dana, "features/nothing/owner", {"owner": "dana"}, 404)
    post(ana, f"features/{key}/owner", {"owner": "dana"}, 403)


def test_a_pipeline_is_tried_kept_and_used_by_the_next_training(dana: User, mona: User) -> None:
    first = get(dana, "pipelines")["results"]
    assert [(one["title"], one["active"]) for one in first] == [("P1", True)]
    text = get(dana, f"pipelines/{first[0]['id']}")["text"]
    assert post(dana, "pipelines/try", {"text": text})["left_out"] == []
    post(dana, "pipelines", {"text": text, "reason": "Again."}, 409)
    made = post(dana, "pipelines", {"text": f"name: Mine\n{text}", "reason": "A name."}, 201)
    assert (made["title"], made["active"]) == ("P2", False)
    post(dana, f"pipelines/{made['id']}/activate", WHY, 403)
    assert post(mona, f"pipelines/{made['id']}/activate", WHY)["active"] is True
    post(mona, f"pipelines/{made['id']}/activate", WHY, 409)


def test_a_document_that_is_no_pipeline_is_refused_with_its_lines(dana: User) -> None:
    for text in ("transformations: 7", "- a", "{", "x: [*a]"):
        problem = post(dana, "pipelines/try", {"text": text}, 400)
        assert set(pointers(problem)) == {"/text"}
        assert "Line 1" in problem["errors"][0]["detail"]
    assert pointers(post(dana, "pipelines", {"text": "x"}, 400)) == ["/reason"]
