"""Promotion takes two people and one content; the way back takes one, to the same scores."""

import json
import logging
import pickle
import threading

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction

from anomalyshield.audit.models import AuditEvent
from scoring import promotions, registry
from scoring.current import current_scorer
from scoring.engine import bundle as bundles
from scoring.engine.features import FEATURES
from scoring.models import ModelVersion, PromotionRequest
from tests.models.making import NOW

State = ModelVersion.State
VECTORS = np.random.default_rng(9).normal(size=(20, len(FEATURES)))
pytestmark = pytest.mark.django_db


def champion_now() -> ModelVersion:
    return ModelVersion.objects.get(state=State.CHAMPION)


def scores() -> list[float]:
    return registry.champion().bundle.ensemble.score(VECTORS).risk_score.tolist()


def asked(by, version):
    return promotions.ask(by=by, version=version, reason="It finds more.")


def spoil(version: ModelVersion) -> None:
    """One byte of one array changes."""
    file = next(registry.folder_of(version).glob("*.npz"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_a_second_owner_promotes_what_the_first_asked_for(mona, otto, champion, versions):
    promotions.approve(by=otto, request=asked(mona, versions[1]), answer="Agreed.")
    assert champion_now() == versions[1]
    champion.refresh_from_db()
    assert champion.state == State.RETIRED
    event = AuditEvent.objects.filter(action="model.promoted").latest("pk")
    assert (event.actor, event.before, event.reason) == ("otto", {"champion": 1}, "Agreed.")
    assert event.after["sha256"] == versions[1].sha256


def test_it_refuses_approval_by_the_person_who_asked(mona, champion, versions):
    request = asked(mona, versions[1])
    with pytest.raises(promotions.Refused, match="a second model owner must approve"):
        promotions.approve(by=mona, request=request)
    assert champion_now() == champion
    assert AuditEvent.objects.filter(outcome="DENIED", actor="mona").count() == 1


def test_another_session_of_the_same_person_is_no_second_person(mona, champion, versions):
    request = asked(mona, versions[1])
    elsewhere = type(mona).objects.get(pk=mona.pk)
    with pytest.raises(promotions.Refused, match="a second model owner"):
        promotions.approve(by=elsewhere, request=request)


def test_the_database_itself_refuses_an_approval_by_the_asker(mona, champion, versions):
    request = asked(mona, versions[1])
    with pytest.raises(IntegrityError), transaction.atomic():
        PromotionRequest.objects.filter(pk=request.pk).update(state="APPROVED", answered_by=mona)


def test_an_approver_who_lost_the_role_meanwhile_is_refused(mona, otto, champion, versions):
    request = asked(mona, versions[1])
    assert otto.may("model.promote")  # known to his session from when he logged in
    type(otto).objects.get(pk=otto.pk).groups.clear()
    with pytest.raises(promotions.Refused, match="may no longer promote"):
        promotions.approve(by=otto, request=request)
    assert champion_now() == champion


def test_a_suspended_approver_is_refused(mona, otto, champion, versions):
    request = asked(mona, versions[1])
    type(otto).objects.filter(pk=otto.pk).update(is_active=False)
    with pytest.raises(promotions.Refused, match="may no longer promote"):
        promotions.approve(by=otto, request=request)


def test_a_bundle_that_changed_after_asking_is_not_promoted(mona, otto, champion, versions):
    request = asked(mona, versions[1])
    spoil(versions[1])
    with pytest.raises(promotions.Refused, match="not what was trained"):
        promotions.approve(by=otto, request=request)
    assert champion_now() == champion


def test_approval_is_of_the_content_that_was_asked_for(mona, otto, champion, versions):
    request = asked(mona, versions[1])
    other = versions[2]
    ModelVersion.objects.filter(pk=versions[1].pk).update(folder=other.folder, sha256=other.sha256)
    with pytest.raises(promotions.Refused, match="no longer what Mona asked for"):
        promotions.approve(by=otto, request=request)


def test_a_request_is_answered_once(mona, otto, champion, versions):
    request = asked(mona, versions[1])
    promotions.approve(by=otto, request=request)
    with pytest.raises(promotions.Refused, match="Otto has answered already"):
        promotions.approve(by=otto, request=request)


def test_a_version_is_asked_for_once_at_a_time(mona, otto, champion, versions):
    asked(mona, versions[1])
    with pytest.raises(promotions.Refused, match="Mona has already asked"):
        asked(otto, versions[1])


def test_the_champion_cannot_be_promoted(mona, champion):
    with pytest.raises(promotions.Refused, match="cannot be promoted"):
        asked(mona, champion)


def test_a_refused_version_is_rejected_and_stays_so(mona, otto, champion, versions):
    promotions.refuse(by=otto, request=asked(mona, versions[1]), answer="Too few frauds.")
    versions[1].refresh_from_db()
    assert versions[1].state == State.REJECTED
    with pytest.raises(promotions.Refused, match="rejected"):
        asked(mona, versions[1])


def test_who_asked_may_withdraw_and_the_version_stays_a_candidate(mona, champion, versions):
    promotions.refuse(by=mona, request=asked(mona, versions[1]), answer="Not yet.")
    versions[1].refresh_from_db()
    assert versions[1].state == State.CANDIDATE
    assert asked(mona, versions[1]).state == "OPEN"


def test_with_four_eyes_off_one_person_may_promote_and_the_trail_says_so(
    mona, champion, versions, settings
):
    settings.FOUR_EYES = False
    promotions.approve(by=mona, request=asked(mona, versions[1]))
    assert champion_now() == versions[1]
    event = AuditEvent.objects.filter(action="model.promoted").latest("pk")
    assert event.after["four_eyes"] is False


def test_rolling_back_restores_identical_scores(mona, otto, adam, champion, versions):
    before = scores()
    promotions.approve(by=otto, request=asked(mona, versions[1]))
    assert scores() != before
    promotions.roll_back(by=adam, reason="It blocks everybody.")
    assert champion_now() == champion
    assert scores() == before
    assert AuditEvent.objects.get(action="model.rolled_back").reason == "It blocks everybody."


def test_the_way_back_leads_past_what_was_rolled_back(mona, otto, champion, versions):
    promotions.approve(by=otto, request=asked(mona, versions[1]))
    promotions.roll_back(by=mona, reason="Wrong.")
    promotions.approve(by=otto, request=asked(mona, versions[2]))
    assert promotions.roll_back(by=mona, reason="Wrong too.") == champion
    with pytest.raises(promotions.Refused, match="no earlier champion"):
        promotions.roll_back(by=mona, reason="Further.")


def test_the_database_allows_one_champion(champion, versions):
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=versions[1].pk).update(state=State.CHAMPION)
    with pytest.raises(promotions.Refused, match="There is a champion already"):
        promotions.install_first(version=versions[1])


def test_a_spoilt_champion_is_named_and_the_one_before_serves(
    mona, otto, champion, versions, caplog
):
    before = scores()
    promotions.approve(by=otto, request=asked(mona, versions[1]))
    spoil(versions[1])
    with caplog.at_level(logging.ERROR):
        loaded = registry.champion()
    assert loaded.version == champion
    assert loaded.bundle.ensemble.score(VECTORS).risk_score.tolist() == before
    assert "Model v2 is refused" in caplog.text


def test_a_process_that_scores_keeps_its_champion_when_the_files_are_spoilt(champion):
    scorer = current_scorer().scorer
    spoil(champion)
    assert current_scorer().scorer is scorer


def test_without_any_usable_model_there_is_none(champion):
    spoil(champion)
    assert registry.champion() is None


def test_a_pickle_in_place_of_an_array_is_refused_and_never_opened(champion, tmp_path):
    marker = tmp_path / "marker"

    class Bomb:
        def __reduce__(self):
            return marker.touch, ()

    file = next(registry.folder_of(champion).glob("*.npz"))
    file.write_bytes(pickle.dumps(Bomb()))
    assert registry.champion() is None
    assert not marker.exists()


def test_a_manifest_signed_elsewhere_is_refused(champion, settings):
    settings.SECRET_KEY = "another installation's key"
    with pytest.raises(bundles.Refused, match="not signed by this installation"):
        registry.load(champion)


def test_a_changed_manifest_is_refused(champion):
    manifest = registry.folder_of(champion) / "manifest.json"
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(said | {"frauds": 1}))
    with pytest.raises(bundles.Refused, match="changed since"):
        registry.load(champion)


def test_a_shadow_is_a_candidate_that_scores_along(mona, champion, versions):
    promotions.set_shadow(by=mona, version=versions[1], on=True)
    versions[1].refresh_from_db()
    assert versions[1].state == State.SHADOW
    with pytest.raises(promotions.Refused, match="shadow, not candidate"):
        promotions.set_shadow(by=mona, version=versions[1], on=True)
    with pytest.raises(promotions.Refused, match="champion, not candidate"):
        promotions.set_shadow(by=mona, version=champion, on=True)
    promotions.set_shadow(by=mona, version=versions[1], on=False)
    assert champion_now() == champion


def test_numbers_go_up_by_one(versions, bundles_learnt):
    fourth = registry.register(bundles_learnt[0], kind="cold", cutoff=NOW)
    assert [version.number for version in versions] == [1, 2, 3]
    assert fourth.number == 4


def at_once(*acts):
    """Run each in a thread of its own; the sentences of those refused."""
    refused = []

    def one(act):
        try:
            act()
        except promotions.Refused as refusal:
            refused.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


@pytest.mark.django_db(transaction=True)
def test_of_two_approvers_at_once_one_promotes_and_the_other_is_told(
    mona, otto, champion, versions, django_user_model
):
    third = django_user_model.objects.create(username="olga", first_name="Olga")
    third.groups.set(otto.groups.all())
    request = asked(mona, versions[1])
    refused = at_once(
        lambda: promotions.approve(by=otto, request=request),
        lambda: promotions.approve(by=third, request=request),
    )
    assert len(refused) == 1
    assert "answered already" in refused[0]
    assert champion_now() == versions[1]
    assert AuditEvent.objects.filter(action="model.promoted", outcome="DONE").count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_promotions_and_a_way_back_at_once_leave_one_champion(
    mona, otto, adam, champion, versions
):
    requests = [asked(mona, version) for version in versions[1:]]
    at_once(
        *[lambda one=one: promotions.approve(by=otto, request=one) for one in requests],
        lambda: promotions.roll_back(by=adam, reason="In the middle of it."),
    )
    assert ModelVersion.objects.filter(state=State.CHAMPION).count() == 1
