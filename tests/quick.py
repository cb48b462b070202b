"""Trainings that are over soon, for tests that ask what happens and not how good it is."""

from functools import partial

import pytest

from scoring.engine.detectors import boosting, extra_trees


def quicken(monkeypatch: pytest.MonkeyPatch, *, rounds: int = 20, trees: int = 10) -> None:
    """The default learners with few trees, as long as the patch lasts."""
    for learner, fewer in ((boosting, {"rounds": rounds}), (extra_trees, {"trees": trees})):
        monkeypatch.setattr(learner, "Settings", partial(learner.Settings, **fewer))
