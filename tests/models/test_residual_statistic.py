"""The residual statistic: windows and series agree elsewhere (test_health.py); here is what counts how much."""

import numpy as np
import pytest
from scipy.signal import lfilter

from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats
from tagsight_models.residual_statistic import ResidualStatistic

TAPS = 50


def slow_and_quick(steps: int, seed: int = 0) -> Floats:
    """Two roles with white residuals, one whose residual wanders."""
    random = np.random.default_rng(seed)
    slow = lfilter([0.1], [1.0, -0.995], random.normal(size=steps + 1000))[1000:]
    return np.stack([*random.normal(size=(2, steps)), slow], axis=1)


FITTED = ResidualStatistic.fit(slow_and_quick(6000), TAPS)
LIMITS = np.nanmax(FITTED.parts(slow_and_quick(3000, seed=9), TAPS), axis=0)
SCALED = FITTED.scaled(LIMITS)


def rows(values: Floats) -> Floats:
    return SCALED.rows(values, TAPS)


def part(number: int) -> Floats:
    """Limits that leave one part alone."""
    return np.where(np.arange(3) == number, LIMITS, np.inf)


@pytest.mark.parametrize("role", [0, 1, 2], ids=["quick", "other", "slow"])
def test_an_offset_counts_as_long_as_it_lasts(role: int) -> None:
    values = slow_and_quick(1000, seed=1)
    before = rows(values)
    values[300:, role] += 8.0
    after = rows(values)
    assert (after[360:] > np.nanmax(before)).all()
    assert np.nanmean(after[900:]) > 0.7 * np.nanmean(after[360:460])


def test_a_small_offset_stands_out_of_noise_because_it_lasts() -> None:
    values = slow_and_quick(3000, seed=1)
    values[:, 0] += 1.5
    assert np.nanmean(rows(values) > 1.0) > 0.95
    assert np.nanmean(FITTED.scaled(part(0)).rows(values, TAPS) > 1.0) < 0.5


def test_a_shift_is_seen_by_its_recent_mean_before_the_level_sees_it() -> None:
    found = []
    for seed in range(40):
        values = slow_and_quick(200, seed)
        values[100:, 1] += 3.0
        parts = SCALED.parts(values, TAPS)[100:]
        found.append((parts > 1.0).argmax(axis=0))
    quick, recent, level = np.median(found, axis=0)
    assert recent < level
    assert recent < quick


def test_the_worst_part_counts_alone() -> None:
    values = slow_and_quick(600, seed=3)
    values[300:, 0] += 4.0
    parts = SCALED.parts(values, TAPS)
    np.testing.assert_array_equal(rows(values)[TAPS + 1 :], parts[TAPS + 1 :].max(axis=1))
    np.testing.assert_allclose(FITTED.parts(values, TAPS) / LIMITS, parts, rtol=1e-12)


def test_a_row_depends_on_its_window_alone() -> None:
    values = slow_and_quick(400, seed=2)
    alone = rows(values[100 : 100 + TAPS + 2])
    assert alone[-1] == pytest.approx(rows(values)[100 + TAPS + 1], rel=1e-9)
    assert np.isnan(alone[:-1]).all()


def test_a_hole_takes_exactly_the_windows_that_hold_it() -> None:
    values = slow_and_quick(400, seed=2)
    whole = rows(values)
    values[200, 1] = np.nan
    found = rows(values)
    assert np.isnan(found[200 : 200 + TAPS + 2]).all()
    np.testing.assert_allclose(found[200 + TAPS + 2 :], whole[200 + TAPS + 2 :])


def test_normal_time_without_whole_windows_gives_no_level_and_still_a_statistic() -> None:
    values = slow_and_quick(2000)
    values[::40] = np.nan
    fitted = ResidualStatistic.fit(values, TAPS)
    assert fitted.sizes[1:] == (0, 0)
    assert np.isfinite(fitted.rows(slow_and_quick(100, seed=3), TAPS)[TAPS + 2 :]).all()


def test_too_little_normal_time_is_refused() -> None:
    with pytest.raises(TooLittleData):
        ResidualStatistic.fit(slow_and_quick(8), TAPS)


def test_the_same_residuals_give_the_same_bytes() -> None:
    again = ResidualStatistic.fit(slow_and_quick(6000), TAPS)
    for name in ("centre", "space", "recent_centre", "recent_space", "level_centre", "level_space"):
        assert getattr(again, name).tobytes() == getattr(FITTED, name).tobytes()
