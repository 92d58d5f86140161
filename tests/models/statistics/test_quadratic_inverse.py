import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.frame import Floats
from tagsight_models.statistics.linear_algebra import shrunk_covariance
from tagsight_models.statistics.quadratic_inverse import quadratic_inverse_covariance


def spread_out(rows: int, seed: int, columns: int = 30) -> tuple[Floats, Floats]:
    """Rows whose standard deviations along some axes reach from 1 to a thousandth, and the true covariance."""
    random = np.random.default_rng(seed)
    axes = np.linalg.qr(random.normal(size=(columns, columns)))[0]
    root = axes * np.logspace(0, -3, columns)
    return random.normal(size=(rows, columns)) @ root.T, root @ root.T


def surprise(covariance: Floats, truth: Floats) -> float:
    """Mean squared length of truly distributed rows that the covariance whitens, per column; 1 is right."""
    return float(np.trace(np.linalg.solve(covariance, truth))) / len(truth)


@pytest.mark.parametrize("rows", [60, 120], ids=["few", "more"])
def test_new_rows_surprise_it_less_than_the_sample_and_it_knows_small_directions(rows: int) -> None:
    values, truth = spread_out(rows, 1)
    centred = values - values.mean(axis=0)
    found = quadratic_inverse_covariance(centred)
    sample = centred.T @ centred / (rows - 1)
    assert abs(surprise(found, truth) - 1.0) < abs(surprise(sample, truth) - 1.0)
    assert surprise(shrunk_covariance(values), truth) < 0.5 * surprise(found, truth)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 80))
def test_it_is_symmetric_and_positive_and_keeps_the_total_variance(seed: int, rows: int) -> None:
    values, _ = spread_out(rows, seed, columns=12)
    centred = values - values.mean(axis=0)
    found = quadratic_inverse_covariance(centred)
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    assert np.linalg.eigvalsh(found)[0] > 0.0
    assert np.trace(found) == pytest.approx((centred**2).sum() / (rows - 1), rel=1e-9)


def test_nothing_that_varies_gives_nothing() -> None:
    assert not quadratic_inverse_covariance(np.zeros((10, 3))).any()
