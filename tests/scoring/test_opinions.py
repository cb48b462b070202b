"""The second opinion of a stored decision: in words, and never at the cost of a page."""

from typing import Any

import pytest

from scoring import opinions, stability
from scoring.engine import features, surrogate
from scoring.engine.history import History
from scoring.models import Decision, Explanation, FeatureDrift, Snapshot
from tests.scoring import making
from tests.scoring.test_counterfactuals import BIG, USUAL


@pytest.fixture
def decided(transactional_db: None) -> Decision:
    """An explained decision of a model that kept what it learnt from."""
    version = making.first_model()
    if not FeatureDrift.objects.exists():
        events = making.made_up_events()
        stability.remember(version, features.compute(events, History.of(events)))
    making.send(making.csv_of([*USUAL, BIG]))
    making.work_through()
    return Decision.objects.get(transaction__external_id="big")


def test_it_is_given_in_words_with_its_figures_and_is_the_same_again(decided) -> None:
    found = opinions.second(decided)
    assert found["state"] == "given"
    assert found["sentence"].startswith("A second method")
    assert found["measured"]["neighbours"] == surrogate.NEIGHBOURS
    assert 0 < len(found["reasons"]) <= surrogate.TOP
    assert opinions.second(decided) == found


def test_what_is_missing_is_said(decided) -> None:
    FeatureDrift.objects.all().delete()
    assert opinions.second(decided)["sentence"] == opinions.NO_REFERENCE
    Explanation.objects.update(contributions=None)
    assert opinions.second(decided)["sentence"] == opinions.NO_REASONS
    Explanation.objects.all().delete()
    assert opinions.second(decided)["state"] == "none"


def test_a_vector_that_is_gone_is_said(decided) -> None:
    Snapshot.objects.all().delete()
    assert "no longer kept" in opinions.second(decided)["sentence"]


def test_one_that_breaks_is_said_and_harms_nothing(decided, monkeypatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise MemoryError

    before = Explanation.objects.values().get()
    monkeypatch.setattr(surrogate, "opinion", broken)
    found = opinions.second(decided)
    assert (found["state"], found["agrees"]) == ("failed", None)
    assert "MemoryError" in found["sentence"]
    assert Explanation.objects.values().get() == before


@pytest.mark.parametrize(
    "common, same, fit, agrees, words",
    [
        (5, 5, 0.9, True, "names 5 of the same 5 reasons, and sees them the same way."),
        (3, 3, 0.8, True, "names 3 of the same 5 reasons"),
        (2, 2, 0.9, False, "names only 2 of the same 5 reasons: treat the reasons with care."),
        (0, 0, 0.9, False, "names none of the same 5 reasons"),
        (4, 3, 0.9, False, "but sees 1 of them the other way round"),
        (4, 2, 0.9, False, "but sees 2 of them the other way round"),
        (5, 5, 0.4, None, "neither confirms the reasons nor doubts them."),
    ],
)
def test_its_sentence_is_honest(common, same, fit, agrees, words) -> None:
    found = surrogate.Opinion({}, fit, common, 5, same, 0.5, 1000)
    said, sentence = opinions.in_words(found)
    assert said is agrees
    assert words in sentence
