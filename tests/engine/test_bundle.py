"""Bundles: what was saved comes back bit for bit; anything else is refused in words."""

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from scoring.engine import features
from scoring.engine.bundle import (
    MANIFEST,
    SIGNATURE,
    Bundle,
    Refused,
    _sha256,
    _signature,
    load,
    save,
)
from scoring.engine.training import fit
from tests.engine.conftest import BUDGET

KEY = b"of this installation"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "v1"


def refusal(folder: Path, sha256: str, key: bytes = KEY) -> str:
    with pytest.raises(Refused) as refused:
        load(folder, key=key, sha256=sha256)
    return str(refused.value)


def resigned(folder: Path, **changes: object) -> str:
    """The manifest changed by somebody who holds the key."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    text = json.dumps({**manifest, **changes}).encode()
    (folder / MANIFEST).write_bytes(text)
    (folder / SIGNATURE).write_text(_signature(text, KEY))
    return _sha256(text)


def test_what_was_saved_comes_back_bit_for_bit(bundle: Bundle, folder, world):
    sha256 = save(bundle, folder, key=KEY)
    again = load(folder, key=KEY, sha256=sha256)
    before, after = (one.ensemble.score(world.vectors) for one in (bundle, again))
    assert before.risk_score.tobytes() == after.risk_score.tobytes()
    assert before.margin.tobytes() == after.margin.tobytes()
    assert again.kind == bundle.kind
    assert again.metrics == bundle.metrics


def test_the_same_training_gives_the_same_files(folder, world):
    times = world.events["time"]
    first, second = (fit(world.vectors, None, times, budget=BUDGET) for _ in range(2))
    assert save(first, folder, key=KEY) == save(second, folder.with_name("v2"), key=KEY)


def test_the_folder_holds_arrays_and_text_only(warm, folder):
    save(warm, folder, key=KEY)
    assert {path.name for path in folder.iterdir()} == {
        MANIFEST, SIGNATURE, "boosting.npz", "extra_trees.npz", "isolation_forest.npz",
        "one_sided.npz",
        "preparation.npz",
    }  # fmt: skip
    assert [path.name for path in folder.parent.iterdir()] == ["v1"]


def test_the_manifest_says_what_it_is(warm, folder):
    save(warm, folder, key=KEY)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    assert manifest["format"] == 3  # it has a novelty lane
    assert manifest["spec"] == features.spec_id()
    assert manifest["features"] == list(features.NAMES)
    assert manifest["metrics"]["average_precision"] > 0
    assert {"rows", "frauds", "last_event", "libraries", "seed", "budget"} <= set(manifest)


def test_a_model_of_the_first_release_scores_as_it_did(folder, world, quick_learning):
    masked = world.vectors.copy()
    masked[:, features.FIRST :] = np.nan  # what that release did not compute
    made = fit(masked, world.labels, world.events["time"], budget=BUDGET)
    save(made, folder, key=KEY)
    older = {"spec": features.spec_id(features.FIRST), "features": features.NAMES[: features.FIRST]}
    again = load(folder, key=KEY, sha256=resigned(folder, **older))
    before, after = made.ensemble.score(masked), again.ensemble.score(world.vectors)
    assert before.risk_score.tobytes() == after.risk_score.tobytes()
    assert again.ensemble.contributions(world.vectors)[1].shape == world.vectors.shape


def test_a_version_is_never_overwritten(cold, folder):
    save(cold, folder, key=KEY)
    with pytest.raises(Refused, match="never overwritten"):
        save(cold, folder, key=KEY)


def test_a_failure_while_saving_leaves_nothing(cold, folder, monkeypatch):
    monkeypatch.setattr("scoring.engine.bundle._settle", lambda folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save(cold, folder, key=KEY)
    assert list(folder.parent.iterdir()) == []


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE, "isolation_forest.npz"])
def test_one_changed_byte_is_refused(cold, folder, name):
    sha256 = save(cold, folder, key=KEY)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    assert "changed" in refusal(folder, sha256) or "signed" in refusal(folder, sha256)


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE, "isolation_forest.npz"])
def test_a_missing_file_is_refused(cold, folder, name):
    sha256 = save(cold, folder, key=KEY)
    (folder / name).unlink()
    assert f"{name} cannot be read" in refusal(folder, sha256)


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE, "isolation_forest.npz"])
def test_a_symbolic_link_is_refused(cold, folder, name):
    sha256 = save(cold, folder, key=KEY)
    moved = (folder / name).rename(folder.parent / "elsewhere")
    (folder / name).symlink_to(moved)
    assert "symbolic link" in refusal(folder, sha256)


def test_a_linked_folder_is_refused(cold, folder):
    sha256 = save(cold, folder, key=KEY)
    link = folder.with_name("link")
    link.symlink_to(folder)
    assert "symbolic link" in refusal(link, sha256)


def test_another_installations_model_is_refused(cold, folder):
    sha256 = save(cold, folder, key=b"another")
    assert "not signed by this installation" in refusal(folder, sha256)


def test_a_signed_model_that_was_not_registered_is_refused(cold, warm, folder):
    save(cold, folder, key=KEY)
    other = save(warm, folder.with_name("v2"), key=KEY)
    assert "not the one that was registered" in refusal(folder, other)


def test_an_unknown_format_is_refused(cold, folder):
    save(cold, folder, key=KEY)
    assert "format is 4" in refusal(folder, resigned(folder, format=4))


def test_another_feature_spec_is_refused(cold, folder):
    save(cold, folder, key=KEY)
    assert "Train a new version" in refusal(folder, resigned(folder, spec="0" * 16))


@pytest.mark.parametrize("ensemble", [{}, None, {"members": [], "risk": {}, "warm": False}])
def test_a_manifest_without_an_ensemble_is_refused(cold, folder, ensemble):
    save(cold, folder, key=KEY)
    assert "does not describe a model" in refusal(folder, resigned(folder, ensemble=ensemble))


def test_an_unknown_member_is_refused(cold, folder):
    save(cold, folder, key=KEY)
    ensemble = json.loads((folder / MANIFEST).read_bytes())["ensemble"]
    ensemble["members"][0]["name"] = "../../etc/passwd"
    assert "does not know" in refusal(folder, resigned(folder, ensemble=ensemble))


class Marker:
    """What a pickle would do on being opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("disguise", ["plain", "in an array", "in an archive"])
def test_a_pickle_is_never_opened_even_when_signed(cold, folder, tmp_path, disguise):
    save(cold, folder, key=KEY)
    marker = Marker(tmp_path / "marker")
    content = io.BytesIO()
    if disguise == "plain":
        content.write(pickle.dumps(marker))
    elif disguise == "in an array":
        np.save(content, np.array([marker], object), allow_pickle=True)
    else:
        np.savez(content, roots=np.array([marker], object))
    (folder / "isolation_forest.npz").write_bytes(content.getvalue())
    files = {"isolation_forest.npz": _sha256(content.getvalue())}
    assert "pickle" in refusal(folder, resigned(folder, files=files))
    assert not (tmp_path / "marker").exists()
