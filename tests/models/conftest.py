"""Small bundles, a folder of their own for them, and one demo for all who only read it."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from scoring import current, promotions, registry
from scoring.engine import training
from scoring.engine.bundle import Bundle
from scoring.engine.features import FEATURES
from scoring.models import ModelVersion
from tests.models.making import NOW


@cache
def learnt(seed: int) -> Bundle:
    """A first model of 150 invented vectors; each file that asks has fixtures of its own."""
    vectors = np.random.default_rng(seed).normal(size=(150, len(FEATURES)))
    return training.fit(vectors, None, np.arange(150), budget=0.05, seed=seed)


@pytest.fixture(scope="session")
def bundles_learnt() -> list[Bundle]:
    return [learnt(seed) for seed in (1, 2, 3)]


@pytest.fixture(autouse=True)
def folder(settings, tmp_path: Path) -> Path:
    """Bundles and uploads of one test lie in its own folder, and no process remembers a model."""
    settings.BUNDLES, settings.UPLOADS = tmp_path / "models", tmp_path / "uploads"
    current.forget()
    yield settings.BUNDLES
    current.forget()


@pytest.fixture
def versions(db: None, bundles_learnt: list[Bundle]) -> list[ModelVersion]:
    """Three candidates."""
    return [
        registry.register(bundle, kind="cold", cutoff=NOW, metrics={"budget": 0.05})
        for bundle in bundles_learnt
    ]


@pytest.fixture
def champion(versions: list[ModelVersion]) -> ModelVersion:
    """The first of them decides."""
    return promotions.install_first(version=versions[0])
