"""Columns are looked at, grouped with those like them, and each group gets a step with a reason."""

import numpy as np

from scoring import plans, proposing
from scoring.engine.plan import Imputation, Scaling
from scoring.engine.profile import advised, profiles
from scoring.engine.register import NAMES

COLUMNS = ("even", "money", "far", "flag", "gap", "flag_gap", "never", "same", "money_gap")


def looked_at() -> dict[str, object]:
    random = np.random.default_rng(3)
    rows = random.normal(size=(1_000, len(COLUMNS)))
    rows[:, 1] = random.lognormal(0, 2, 1_000)
    rows[::50, 2] = 30.0 * (-1.0) ** np.arange(20)  # outliers on both sides: no skew
    rows[:, 3] = random.random(1_000) < 0.1
    rows[::100, 4] = np.nan
    rows[:, 5] = rows[:, 3]
    rows[::4, 5] = np.nan
    rows[:, 6], rows[:, 7] = np.nan, 4.0
    rows[:, 8] = random.lognormal(0, 2, 1_000)
    rows[::10, 8] = np.nan
    return {str(one.step): one for one in advised(profiles(rows, COLUMNS))}


def test_each_column_gets_what_fits_it():
    found = {one.step: one for one in looked_at().values()}
    assert found[Imputation("mean")].columns == ("gap",)
    assert found[Imputation("median", indicator=True)].columns == ("money_gap",)
    assert found[Imputation("most_frequent", indicator=True)].columns == ("flag_gap",)
    assert found[Scaling("quantile")].columns == ("money", "money_gap")
    assert found[Scaling("robust")].columns == ("far",)
    assert found[Scaling("standard")].columns == ("even", "gap")


def test_each_group_says_why_in_numbers():
    found = {one.step: one.why for one in looked_at().values()}
    assert found[Imputation("mean")] == "evenly spread (unknown 1.0%, skew 0.1)"
    assert "unknown 25.0%" in found[Imputation("most_frequent", indicator=True)]
    assert "outliers 2.0%" in found[Scaling("robust")]


def test_what_says_nothing_is_left_out():
    rows = np.full((300, len(NAMES)), np.nan)
    rows[:, 1:] = 4.0
    left = [one for one in advised(profiles(rows, NAMES)) if one.step is None]
    assert [one.columns for one in left] == [NAMES[:1], NAMES[1:]]


def test_the_document_says_exactly_what_was_advised():
    random = np.random.default_rng(1)
    rows = random.lognormal(0, 1, (400, len(NAMES)))
    rows[random.random(rows.shape) < random.random(len(NAMES)) * 0.1] = np.nan
    rows[:, 7] = np.nan
    advice = advised(profiles(rows, NAMES))
    text = proposing.document(advice, 400)
    plan = plans.read(text)
    steps = [(type(one.step), one.columns) for one in advice if one.step is not None]
    assert [(type(step), step.columns) for step in plan.steps] == steps
    assert plan.columns == tuple(name for name in NAMES if name != NAMES[7])
    assert all(len(line) <= 100 for line in text.splitlines())
    assert plans.read(proposing.document([], 400)).whole
