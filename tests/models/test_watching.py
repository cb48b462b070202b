"""What a shadow has said so far, from scores on record."""

import pytest
from django.urls import reverse
from django.utils import timezone

from scoring import policies, promotions, watching
from scoring.models import Decision, ModelVersion, ShadowScore
from tests.conftest import client_of
from tests.models.making import payment

pytestmark = pytest.mark.django_db
CUT = 0.7


@pytest.fixture
def shadow(mona, champion, versions) -> ModelVersion:
    return promotions.set_shadow(by=mona, version=versions[1], on=True)


def scored(name: str, shadow: ModelVersion, own: float | None, theirs: float, label: str = ""):
    row = payment(name)
    Decision.objects.create(
        transaction=row, policy=policies.active(), risk_score=theirs, level="LOW",
        outcome="APPROVE", known_at=timezone.now(),
    )  # fmt: skip
    ShadowScore.objects.create(
        transaction=row, model=shadow, risk_score=own, error="" if own is not None else "broke"
    )
    if label:
        row.labels.create(value=label, origin="FILE")
    return row


def counted(found: watching.Watched) -> dict[str, tuple[int, int, int]]:
    return {name: (p.rows, p.frauds, p.genuine) for name, p in found.parts.items()}


def test_each_payment_is_counted_once_and_on_its_side(shadow):
    scored("a", shadow, 0.9, 0.9, "TRUE_FRAUD")
    scored("b", shadow, 0.8, 0.2, "TRUE_FRAUD")
    scored("c", shadow, 0.1, 0.8, "FALSE_POSITIVE")
    scored("d", shadow, 0.7, 0.7)  # strictly above the cut
    scored("e", shadow, None, 0.9)
    found = watching.watched(shadow, cut=CUT)
    assert counted(found) == {
        "both": (1, 1, 0), "own": (1, 1, 0), "theirs": (1, 0, 1), "neither": (1, 0, 0)
    }  # fmt: skip
    assert (found.rows, found.failed) == (5, 1)
    assert found.own_share == found.their_share == 0.5


def test_a_corrected_label_counts_as_corrected(shadow):
    row = scored("a", shadow, 0.9, 0.9, "TRUE_FRAUD")
    row.labels.create(value="FALSE_POSITIVE", origin="API", supersedes=row.labels.get())
    assert counted(watching.watched(shadow, cut=CUT))["both"] == (1, 0, 1)


def test_only_the_latest_are_looked_at(shadow, monkeypatch):
    monkeypatch.setattr(watching, "LATEST", 2)
    for name in "abc":
        scored(name, shadow, 0.9, 0.1)
    assert watching.watched(shadow, cut=CUT).rows == 2


def test_the_page_of_a_shadow_shows_it_and_that_of_others_does_not(ana, shadow, champion):
    def page(version: ModelVersion) -> str:
        return client_of(ana).get(reverse("model", args=[version.pk])).content.decode()

    assert "It has scored nothing along yet" in page(shadow)
    scored("a", shadow, None, 0.9)
    assert "It failed on 1." in page(shadow)
    assert "As a shadow so far" not in page(champion)
    ModelVersion.objects.filter(pk=shadow.pk).update(state="CANDIDATE")
    assert "As a shadow so far" in page(shadow), "who approves it wants to know"
