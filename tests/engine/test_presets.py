"""Presets: what the source documents promise by number, and that every part can be trained."""

from dataclasses import asdict

import numpy as np
import pytest

from scoring.engine import detectors as register
from scoring.engine.detectors import autoencoder, kind
from scoring.engine.presets import PRESETS, Part, Preset, preset
from scoring.engine.training import Untrainable, fit
from scoring.engine.weighted import learn
from tests.engine.conftest import BUDGET


def test_the_numbers_are_those_of_the_documents():
    told = {
        one.name: (one.contamination, {part.detector: part.weight for part in one.parts})
        for one in PRESETS
    }
    assert told == {
        "s0": (0.01, {"isolation_forest": 1.0}),
        "s1": (0.10, {"isolation_forest": 0.4, "autoencoder": 0.4, "lstm": 0.2}),
        "s2": (0.05, {"isolation_forest": 0.5, "autoencoder": 0.5}),
    }
    forests = {one.name: asdict(one.parts[0].settings) for one in PRESETS}
    assert [forests[name]["trees"] for name in ("s0", "s2")] == [150, 100]
    assert {forest["samples"] for forest in forests.values()} == {256}


def test_the_autoencoder_is_the_promised_one():
    settings = autoencoder.Settings()
    assert (settings.hidden, settings.epochs, settings.batch) == ((32, 16, 8), 50, 256)


@pytest.mark.parametrize("one", PRESETS, ids=lambda one: one.name)
def test_weights_add_up_and_contaminations_agree(one: Preset):
    assert sum(part.weight for part in one.parts) == pytest.approx(1)
    shares = [getattr(part.settings, "contamination", one.contamination) for part in one.parts]
    assert set(shares) == {one.contamination}


@pytest.mark.parametrize("name", ["s0", "s2"])
def test_every_part_is_trained_with_its_settings(name, world):
    for part in preset(name).parts:
        made = kind(part.detector).train(world.vectors[:500], settings=part.settings, seed=1)
        assert np.all(np.isfinite(made.raw(world.vectors[:10])))
        if part.detector == "isolation_forest":
            assert len(made.arrays()["roots"]) == part.settings.trees


def test_a_preset_that_needs_an_extra_says_so(monkeypatch):
    monkeypatch.setattr(register, "find_spec", lambda package: None)
    assert preset("s2").missing() == ""
    assert "LSTM needs jax and equinox and optax" in preset("s1").missing()
    assert preset("s1").learns_from_labels
    assert not preset("s2").learns_from_labels


def test_an_unknown_preset_is_a_key_error():
    with pytest.raises(KeyError):
        preset("s9")


def test_a_model_of_the_documents_can_be_trained_in_place_of_the_default(world):
    """It claims no probability, keeps to the alert budget, and its parts say what they weigh."""
    part = slice(0, 3_000)
    made = fit(
        world.vectors[part], None, world.events["time"][part], budget=BUDGET, preset="s0", seed=7
    )
    assert made.kind == "cold"
    assert made.manifest["preset"]["name"] == "s0"
    assert made.manifest["preset"]["members"]["isolation_forest"]["trees"] == 150
    scored = made.ensemble.score(world.vectors[part])
    assert scored.probability is None
    assert np.mean(scored.risk_score > 0.7) == pytest.approx(BUDGET, abs=0.002)


def test_a_part_that_needs_labels_is_left_out_without_them_and_said_so(world):
    labelled = Preset("x", "x", 0.05, (*preset("s0").parts, Part("logistic", 0.5, None)))
    labels = np.full(2_000, np.nan)
    ensemble, _, note = learn(
        labelled, world.vectors[:2_000], labels, budget=BUDGET, seed=7, least=200, progress=print
    )
    assert [member.name for member in ensemble.members] == ["isolation_forest"]
    assert note == "Logistic regression needs 200 known frauds and is left out"


def test_an_unknown_preset_is_no_model(world):
    with pytest.raises(Untrainable, match="no preset s9"):
        fit(world.vectors, None, world.events["time"], budget=BUDGET, preset="s9")
