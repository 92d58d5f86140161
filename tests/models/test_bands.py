"""Absent roles at their expectation, apart for what is slow and what is quick."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.bands import band_maps, covariances_of, filled_in_bands, slow_cosines, with_slow
from tagsight_models.conditional import covariance_of, filled
from tagsight_models.frame import Floats

STEPS = 60


def loop(steps: int, seed: int) -> Floats:
    """A set point that moves now and then, the noisy value that follows it, and a role apart from them."""
    random = np.random.default_rng(seed)
    setpoint = np.repeat(random.normal(size=steps // 90 + 1), 90)[:steps]
    return np.stack([setpoint, setpoint + 0.4 * random.normal(size=steps), random.normal(size=steps)], axis=1)


ROWS = loop(9000, 0)
COVARIANCES = covariances_of(ROWS, STEPS)


def test_a_set_point_that_is_expected_of_a_noisy_value_does_not_tremble() -> None:
    window = loop(STEPS, 1)
    found = filled_in_bands(window[None], np.array([[False, True, True]]), COVARIANCES)[0, :, 0]
    trembling = np.diff(window[:, 1]).std()
    assert np.diff(found).std() < 0.2 * trembling
    step_by_step = filled(window[None], np.array([[False, True, True]]), covariance_of(ROWS))[0, :, 0]
    assert np.diff(step_by_step).std() > 0.5 * trembling
    assert abs(found.mean() - window[:, 1].mean()) < 0.2


def test_the_slowest_cosines_are_orthonormal_and_hold_the_mean() -> None:
    cosines = slow_cosines(STEPS)
    np.testing.assert_allclose(cosines @ cosines.T, np.eye(4), atol=1e-12)
    level = np.full((STEPS, 2), 3.0)
    np.testing.assert_allclose(with_slow(level)[:, 2:], level, atol=1e-12)
    assert slow_cosines(3).shape == (3, 3)


@settings(deadline=None, max_examples=25)
@given(seen=st.lists(st.booleans(), min_size=3, max_size=3), seed=st.integers(0, 1000))
def test_what_an_absent_role_holds_plays_no_part_and_present_ones_stay(seen: list[bool], seed: int) -> None:
    one, other = loop(STEPS, seed)[None], loop(STEPS, seed)[None]
    other[..., ~np.array(seen)] += 100.0
    present = np.array([seen])
    found = filled_in_bands(one, present, COVARIANCES)
    np.testing.assert_array_equal(found, filled_in_bands(other, present, COVARIANCES))
    np.testing.assert_array_equal(found[..., seen], one[..., seen])
    if not any(seen):
        np.testing.assert_array_equal(found, 0.0)


def test_one_product_with_a_map_fills_a_window() -> None:
    window, seen = loop(STEPS, 2), np.array([[True, False, True], [False, True, False]])
    known = np.where(seen[:, None, :], window, 0.0)
    found = with_slow(known) @ band_maps(seen, COVARIANCES)
    np.testing.assert_allclose(found, filled_in_bands(np.stack([window, window]), seen, COVARIANCES), atol=1e-12)


@pytest.mark.parametrize("rows", [ROWS[:70], ROWS[:40], np.full((9000, 3), np.nan)], ids=["short", "no window", "none"])
def test_little_normal_time_gives_covariances_that_have_an_inverse(rows: Floats) -> None:
    found = covariances_of(rows, STEPS)
    assert found.shape == (2, 3, 3)
    assert np.linalg.eigvalsh(found).min() > 0.0
