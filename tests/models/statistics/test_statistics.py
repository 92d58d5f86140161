import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_models.statistics.ewma import enough, smoothed
from tagsight_models.statistics.linear_algebra import inverse_root, shrunk_covariance, stacked
from tagsight_models.statistics.out_of_fold import blocks, out_of_fold
from tagsight_models.statistics.registry import BASELINES
from tagsight_models.statistics.statistic import Fit
from tests.models.plants import linear_plant

NORMAL = linear_plant(600)
named = pytest.mark.parametrize("fit", [pytest.param(fit, id=name) for name, fit in BASELINES.items()])


@named
def test_a_broken_relation_stands_out(fit: Fit) -> None:
    statistic = fit(NORMAL)
    faulty = linear_plant(200, seed=1)
    faulty[100:, 2] += 60.0
    found = statistic.rows(faulty)
    assert np.nanmedian(found[110:]) > 2.0 * np.nanmedian(found[:100])


@named
def test_a_row_depends_on_the_past_only(fit: Fit) -> None:
    statistic = fit(NORMAL)
    later = NORMAL.copy()
    later[300:] += 1000.0
    np.testing.assert_array_equal(statistic.rows(later)[:300], statistic.rows(NORMAL)[:300])


@named
def test_a_missing_sample_makes_its_row_missing_and_no_row_before_it(fit: Fit) -> None:
    values = NORMAL.copy()
    values[300, 1] = np.nan
    found = fit(values).rows(values)
    assert np.isnan(found[300])
    assert np.isfinite(found[10:300]).all()
    assert np.isfinite(found[350:]).all()


@named
def test_units_do_not_matter(fit: Fit) -> None:
    scale = np.array([1e-3, 1.0, 1e4, 1.0, 1.0, 7.0])
    np.testing.assert_allclose(fit(NORMAL * scale).rows(NORMAL * scale)[5:], fit(NORMAL).rows(NORMAL)[5:], rtol=1e-6)


@given(st.integers(1, 80), st.floats(0.05, 0.9))
def test_an_average_of_equal_rows_is_that_row(steps: int, weight: float) -> None:
    np.testing.assert_allclose(smoothed(np.full(steps, 3.0), weight, enough(weight)), 3.0)


def test_an_average_looks_back_no_further_than_its_lookback() -> None:
    rows = np.zeros(100)
    rows[10] = 1e9
    assert smoothed(rows, 0.1, 20)[30] == pytest.approx(0.0, abs=1e-3)


def test_folds_are_contiguous_and_cover_everything() -> None:
    np.testing.assert_array_equal(np.concatenate(list(blocks(503))), np.arange(503))


def test_a_row_out_of_fold_is_not_known_to_its_fit() -> None:
    spoiled = NORMAL.copy()
    spoiled[:120] *= 3.0
    fit = BASELINES["EWMA(0.2) of Mahalanobis"]
    inside, outside = fit(spoiled).rows(spoiled), out_of_fold(fit, spoiled)
    assert np.median(outside[:120]) > 2.0 * np.median(inside[:120])


def test_a_shrunk_covariance_of_few_rows_can_be_inverted() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 30))
    root = inverse_root(shrunk_covariance(rows), 1e-12)
    assert np.linalg.cond(root) < 1e3


def test_stacked_rows_hold_their_lags_side_by_side() -> None:
    out = stacked(np.arange(4.0)[:, None], 2)
    np.testing.assert_array_equal(out, [[0.0, np.nan], [1.0, 0.0], [2.0, 1.0], [3.0, 2.0]])
