"""Cohen's kappa against published tables, and at its edges."""

import math

import pytest

from scoring.engine.agreement import cohen
from scoring.engine.intervals import gamma_quantile, gamma_share, wilson

# SAS/STAT User's Guide, PROC FREQ, "Tests and measures of agreement": two dermatologists.
SKIN = [[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]
# Fleiss, Statistical Methods for Rates and Proportions (2nd ed., 1981), chapter 13: diagnoses.
DIAGNOSES = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
# Cohen (1960) as told by Wikipedia: two readers of fifty grant proposals.
GRANTS = [[20, 5], [10, 15]]


def test_the_dermatologists_of_sas():
    found = cohen(SKIN)
    assert found.cases == 88
    assert found.kappa == pytest.approx(0.3449, abs=5e-5)
    assert found.error == pytest.approx(0.0724, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((0.2030, 0.4868), abs=5e-5)


def test_the_diagnoses_of_fleiss():
    found = cohen(DIAGNOSES)
    assert found.observed == pytest.approx(0.89)
    assert found.expected == pytest.approx(0.66)
    assert found.kappa == pytest.approx(0.676, abs=5e-4)
    assert found.error == pytest.approx(0.087, abs=1e-3)


def test_the_grants():
    found = cohen(GRANTS)
    assert (found.observed, found.expected) == pytest.approx((0.7, 0.5))
    assert found.kappa == pytest.approx(0.4)


def test_agreement_by_chance_is_none_and_against_each_other_is_less():
    assert cohen([[25, 25], [25, 25]]).kappa == pytest.approx(0)
    assert cohen([[0, 50], [50, 0]]).kappa == pytest.approx(-1)


def test_full_agreement_of_a_few_is_not_certain():
    few, many = cohen([[5, 0], [0, 5]]), cohen([[500, 0], [0, 500]])
    assert (few.kappa, few.high) == (1, 1)
    assert few.low < 0.5 < 0.98 < many.low


def test_nothing_and_one_word_only_have_no_kappa():
    assert cohen([[0, 0], [0, 0]]).cases == 0
    one = cohen([[7, 0], [0, 0]])
    assert one.observed == 1
    assert math.isnan(one.kappa)


def test_wilson_as_in_newcombe():
    # Newcombe, Statistics in Medicine 17, 1998, table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0, 1)


@pytest.mark.parametrize("shape", [0.3, 1.0, 2.5, 40.0, 900.0])
@pytest.mark.parametrize("share", [0.025, 0.5, 0.975])
def test_gamma_quantiles_are_those_of_scipy(shape, share):
    stats = pytest.importorskip("scipy.stats")
    found = gamma_quantile(share, shape)
    assert found == pytest.approx(stats.gamma.ppf(share, shape), rel=1e-9)
    assert gamma_share(shape, found) == pytest.approx(share, rel=1e-9)
