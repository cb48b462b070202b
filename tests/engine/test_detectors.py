"""What is promised of every detector in the register; a new line there is tested the same day."""

import re
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.engine import detectors as register
from scoring.engine import features
from scoring.engine.bundle import Bundle, Refused, load, save
from scoring.engine.calibration import Affine, RiskMap
from scoring.engine.detectors import DETECTORS, Kind, boosting, kind
from scoring.engine.detectors.arrays import Malformed
from scoring.engine.detectors.base import Detector, Unlearnable
from scoring.engine.ensemble import Ensemble, Member
from scoring.engine.evaluation import roc_auc
from scoring.engine.features import FEATURES, NAMES, column
from tests.engine.conftest import World

ROWS = 4_000
FEW = (
    "amount", "hour_sin", "hour_cos", "amount_over_median", "amount_zscore_30d",
    "device_distinct_users_30d", *(one for one in NAMES if re.fullmatch(r"\w+_back_\d+", one)),
)  # fmt: skip
WAYS_TO_HARM: dict[str, Callable[[NDArray], NDArray]] = {
    "not finite": lambda a: np.full(a.shape, np.nan),
    "too short": lambda a: a[:-1],
    "of another dimension": lambda a: a[None],
    "text": lambda a: np.full(a.shape, "x"),
    "far outside": lambda a: np.where(a > 0, 1e12, -1e12),
}


@pytest.fixture(scope="module")
def trained(world: World) -> Callable[..., Detector]:
    """Each detector once, on the first rows; `only` leaves the other features unknown."""

    @cache
    def train(name: str, only: tuple[str, ...] = (), seed: int = 7) -> Detector:
        vectors, labels = world.vectors[:ROWS], world.labels[:ROWS]
        if only:
            kept = vectors[:, [column(one) for one in only]]
            vectors = np.full(vectors.shape, np.nan)
            vectors[:, [column(one) for one in only]] = kept
        return learnt(kind(name), vectors, labels, seed)

    return train


def learnt(one: Kind, vectors: NDArray, labels: NDArray, seed: int = 7) -> Detector:
    if one.missing():
        pytest.skip(one.missing())
    if not one.learns_from_labels:
        return one.train(vectors, seed=seed)
    if one.name == "lstm" and "amount_back_1" not in NAMES:
        pytest.skip("vectors do not hold the last payments yet")
    known = ~np.isnan(labels)
    return one.train(vectors[known], labels[known], seed=seed)


@pytest.fixture(params=[one.name for one in DETECTORS])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def detector(name: str, trained: Callable[..., Detector]) -> Detector:
    return trained(name)


def nasty(world: World) -> NDArray:
    """Vectors with every kind of hole."""
    rows = world.vectors[:400].copy()
    random = np.random.default_rng(0)
    rows[random.random(rows.shape) < 0.3] = np.nan
    rows[0] = np.nan
    rows[1] = np.inf
    rows[2] = -np.inf
    rows[3] = 1e300
    rows[4] = -1e300
    return rows


def test_it_clears_its_floor_on_payments_it_has_not_seen(detector, world):
    later = np.flatnonzero(~np.isnan(world.labels))
    later = later[later >= ROWS]
    assert roc_auc(world.labels[later], detector.raw(world.vectors[later])) > 0.85


def test_higher_is_riskier(detector, world):
    rows = world.vectors[:ROWS][world.labels[:ROWS] == 0]
    usual = rows[np.argsort(rows[:, column("amount_over_median")])[len(rows) // 2]]
    strange = usual.copy()
    for one in ("amount_over_median", "amount_over_mean_30d", "amount_zscore_30d"):
        strange[column(one)] = np.nanquantile(world.vectors[:, column(one)], 0.999)
    strange[column("device_distinct_users_30d")] = 40
    strange[column("amount")], strange[column("amount_log")] = 900, np.log1p(900)
    low, high = detector.raw(np.vstack([usual, strange]))
    assert high > low


def test_log_odds_of_those_that_learn_from_labels_are_none_that_drown_a_mean(name, detector, world):
    raw = detector.raw(np.vstack([world.vectors, nasty(world)]))
    assert np.all(np.abs(raw) < (40 if kind(name).learns_from_labels else 1e4))


def test_it_scores_whatever_it_is_given(detector, world):
    given = nasty(world)
    before = given.tobytes()
    assert np.all(np.isfinite(detector.raw(given)))
    assert detector.raw(world.vectors[:0]).shape == (0,)
    assert given.tobytes() == before  # vectors belong to the caller


def test_a_row_alone_gives_the_bits_of_the_batch(detector, world):
    rows = np.vstack([world.vectors[:300], nasty(world)[:60]])
    alone = [detector.raw(rows[number : number + 1])[0] for number in range(len(rows))]
    assert np.array(alone).tobytes() == detector.raw(rows).tobytes()
    few = [detector.raw(rows[start : start + 7]) for start in range(0, len(rows), 7)]
    assert np.concatenate(few).tobytes() == detector.raw(rows).tobytes()
    assert detector.raw(np.asfortranarray(rows)).tobytes() == detector.raw(rows).tobytes()


def test_contributions_add_up_to_the_raw_score(detector, world):
    rows = np.vstack([world.vectors[:50], nasty(world)[:50]])
    base, parts = detector.contributions(rows)
    assert parts.shape == rows.shape
    assert np.abs(base + parts.sum(axis=1) - detector.raw(rows)).max() < 1e-6


def test_features_unknown_in_training_say_nothing(name, trained, world):
    detector = trained(name, only=FEW)
    own = [column(one) for one in FEW]
    other = np.setdiff1d(np.arange(len(FEATURES)), own)
    rows = world.vectors[:200].copy()
    changed = rows.copy()
    changed[:, other] = np.random.default_rng(1).normal(0, 1e4, (len(rows), len(other)))
    assert detector.raw(changed).tobytes() == detector.raw(rows).tobytes()
    assert np.all(detector.contributions(changed)[1][:, other] == 0)
    assert np.ptp(detector.raw(rows)) > 0


def test_arrays_are_plain_and_come_back_bit_for_bit(name, detector, world):
    arrays = detector.arrays()
    assert {array.dtype.kind for array in arrays.values()} <= set("if")
    again = kind(name).restore(arrays, len(FEATURES))
    rows = nasty(world)
    assert again.raw(rows).tobytes() == detector.raw(rows).tobytes()
    assert again.contributions(rows)[1].tobytes() == detector.contributions(rows)[1].tobytes()


def test_training_twice_gives_the_same_arrays(name, trained):
    first, again = trained(name, only=FEW), trained.__wrapped__(name, only=FEW)
    for key, array in first.arrays().items():
        assert array.tobytes() == again.arrays()[key].tobytes(), key


@pytest.mark.parametrize("way", WAYS_TO_HARM)
def test_harmed_arrays_are_refused_by_name(name, detector, way):
    for key, array in detector.arrays().items():
        harmed = {**detector.arrays(), key: WAYS_TO_HARM[way](array)}
        if (way, array.dtype.kind) == ("far outside", "f") or (way, key) == ("too short", "roots"):
            continue  # any finite value will do; fewer roots are a smaller forest
        with pytest.raises(Malformed):
            kind(name).restore(harmed, len(FEATURES))


def test_arrays_that_are_missing_or_for_narrower_vectors_are_refused(name, detector):
    arrays = detector.arrays()
    for key in arrays:
        with pytest.raises(Malformed, match=key):
            kind(name).restore({other: arrays[other] for other in arrays if other != key}, 999)
    with pytest.raises(Malformed):
        kind(name).restore(arrays, 1)


def test_a_model_of_it_is_saved_and_loaded(name, detector, world, tmp_path):
    risk = RiskMap((-1.0, 0.0, 1.0), (0.1, 0.01, 0.001))
    ensemble = Ensemble((Member(name, detector, 1.0, Affine(1, 0), risk),), risk, warm=False)
    made = Bundle({"format": 1, "spec": features.spec_id(), "metrics": {}}, ensemble)
    sha256 = save(made, tmp_path / "v1", key=b"k")
    again = load(tmp_path / "v1", key=b"k", sha256=sha256)
    rows = world.vectors[:100]
    assert again.ensemble.score(rows).margin.tobytes() == ensemble.score(rows).margin.tobytes()
    assert sum(path.stat().st_size for path in (tmp_path / "v1").iterdir()) < 30e6


def test_a_harmed_member_is_named_in_the_refusal(name, detector, tmp_path):
    risk = RiskMap((-1.0, 0.0, 1.0), (0.1, 0.01, 0.001))
    key, array = next(iter(detector.arrays().items()))

    class Harmed:
        def arrays(self):
            return {**detector.arrays(), key: array[:-1].astype(float) * np.nan}

    ensemble = Ensemble((Member(name, Harmed(), 1.0, Affine(1, 0), risk),), risk, warm=False)
    made = Bundle({"format": 1, "spec": features.spec_id(), "metrics": {}}, ensemble)
    sha256 = save(made, tmp_path / "v1", key=b"k")
    with pytest.raises(Refused, match=rf"{name}\.npz"):
        load(tmp_path / "v1", key=b"k", sha256=sha256)


def test_constant_features_are_named_as_the_trouble(name):
    one = kind(name)
    if one.learns_from_labels:
        return  # every label may still be told from the share of frauds alone
    with pytest.raises(Unlearnable, match="constant"):
        learnt(one, np.ones((200, len(FEATURES))), np.zeros(200))


def test_labels_of_one_kind_are_refused_in_words(name, world):
    one = kind(name)
    if not one.learns_from_labels:
        return
    for labels in (np.zeros(200), np.ones(200)):
        with pytest.raises(Unlearnable, match="Both frauds and genuine"):
            learnt(one, world.vectors[:200], labels)


def test_its_help_is_a_sentence(name):
    assert kind(name).help.endswith(".")
    assert 40 < len(kind(name).help) < 160


def test_a_missing_package_is_named_with_what_to_do(monkeypatch):
    absent = Kind("x", "Some learner", True, "x", ("no_such_package",))
    with pytest.raises(Unlearnable, match=r"no_such_package; install the extras: .*--extras"):
        absent.train()
    monkeypatch.setattr(register, "find_spec", lambda package: object())
    assert absent.missing() == ""


def test_many_frauds_are_learnt_from_in_more_detail():
    few, many = (boosting.usual(np.ones(count)) for count in (boosting.MANY - 1, boosting.MANY))
    assert (few.rounds, few.depth) < (many.rounds, many.depth)
    assert few.l2 > many.l2
