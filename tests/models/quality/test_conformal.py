"""Quantiles of intervals, and the field of errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_models.quality.limits import Limits
from tagsight_models.quality.residual_field import USUAL, Points, ResidualField
from tagsight_models.regression.conformal import moved, quantile
from tagsight_models.regression.noise_level import NoiseLevel


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=60), st.floats(0.5, 0.99))
def test_at_least_the_wanted_share_lies_below_the_quantile(scores: list[float], coverage: float) -> None:
    found = quantile(np.array(scores), coverage)
    assert np.mean(np.array(scores) <= found) >= min(coverage, 1.0) - 1e-9


@pytest.mark.parametrize("scale", [0.6, 1.0, 3.0])
def test_the_moved_quantile_finds_the_coverage_at_any_scale_of_errors(scale: float) -> None:
    scores = scale * np.abs(np.random.default_rng(3).normal(size=3000))
    following = moved(1.645, scores, 0.9)
    assert np.mean(scores[500:] <= following[500:-1]) == pytest.approx(0.9, abs=0.015)


def test_a_field_without_values_knows_its_prior_only() -> None:
    field, points = ResidualField(USUAL), Points(np.arange(3.0), np.zeros((3, 2)), np.ones(3))
    mean, variance = field.given(points.at(slice(0, 0)), np.zeros(0), points)
    assert not mean.any()
    np.testing.assert_allclose(variance, field.prior + field.noise)


def test_an_old_value_says_less_than_a_new_one() -> None:
    field = ResidualField(USUAL)
    known = Points(np.zeros(1), np.zeros((1, 2)), np.ones(1))
    later = Points(np.array([1.0, 50.0, 5000.0]), np.zeros((3, 2)), np.ones(3))
    mean, variance = field.given(known, np.ones(1), later)
    assert mean[0] > mean[1] > mean[2] > 0.0
    assert variance[0] < variance[1] < variance[2]


def test_a_value_at_other_inputs_says_less() -> None:
    field = ResidualField(USUAL)
    known = Points(np.zeros(1), np.zeros((1, 2)), np.ones(1))
    at = Points(np.zeros(2), np.array([[0.0, 0.0], [3.0, 3.0]]), np.ones(2))
    mean, _ = field.given(known, np.ones(1), at)
    assert mean[0] > mean[1]


def test_noise_that_grows_with_the_value_is_seen() -> None:
    random = np.random.default_rng(0)
    predictions = random.uniform(1.0, 10.0, 2000)
    level = NoiseLevel.fit(predictions, 0.1 * predictions * random.normal(size=2000))
    low, high = level.factor(np.array([2.0, 9.0]))
    assert high > 4.0 * low


@pytest.mark.parametrize(
    ("low", "high", "value", "score"),
    [
        pytest.param(10.0, 20.0, 15.0, 0.0, id="middle"),
        pytest.param(10.0, 20.0, 10.0, 1.0, id="at the lower limit"),
        pytest.param(None, 20.0, 20.0, 1.0, id="at the only limit"),
        pytest.param(None, 20.0, 2.0, 0.0, id="far from the only limit"),
        pytest.param(10.0, None, 10.0, 1.0, id="at the only lower limit"),
        pytest.param(None, None, 24.0, 1.0, id="at the edge of the usual"),
    ],
)
def test_the_score_of_a_value(low: float | None, high: float | None, value: float, score: float) -> None:
    assert Limits(low, high, 8.0, 16.0, 24.0).score(np.array([value]))[0] == pytest.approx(score)
