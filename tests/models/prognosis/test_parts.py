"""The parts of a prognosis: mirrored windows, regimes, ageing coordinates, the conformal interval."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagsight_models.prognosis.ageing import slow_directions
from tagsight_models.prognosis.filters import bank, life_windows, mirrored
from tagsight_models.prognosis.interval import calibrate
from tagsight_models.prognosis.regimes import find_regimes


@given(age=st.integers(1, 80), steps=st.integers(2, 40))
def test_a_window_ends_at_its_row_and_never_leaves_its_life(age: int, steps: int) -> None:
    rows = mirrored(np.array([100]), np.array([age]), steps)[0]
    assert rows[-1] == 100
    assert rows.min() >= 101 - min(age, steps)
    assert rows.max() == 100


def test_a_young_machine_is_mirrored_and_an_old_one_is_not() -> None:
    values = np.arange(10.0)[:, None]
    young, old = life_windows(values, 5, [2, 9])[:, :, 0]
    assert young.tolist() == [2.0, 1.0, 0.0, 1.0, 2.0]
    assert old.tolist() == [5.0, 6.0, 7.0, 8.0, 9.0]


@given(level=st.floats(-5, 5), slope=st.floats(-1, 1), steps=st.integers(24, 130))
def test_the_filters_tell_level_and_slope_of_a_straight_line(level: float, slope: float, steps: int) -> None:
    told = bank(steps, "mlp") @ (level + slope * np.arange(1 - steps, 1))
    np.testing.assert_allclose(told[0::2], level, atol=1e-8)
    np.testing.assert_allclose(told[-1], slope * steps, atol=1e-8)


def test_block_means_share_out_the_window() -> None:
    np.testing.assert_allclose(bank(120, "gru").sum(axis=1), 1.0)
    assert bank(120, "tcn").shape == (12, 120)


def test_a_drift_is_no_regime() -> None:
    rng = np.random.default_rng(0)
    life = np.repeat(np.arange(10), 100)
    drift = np.tile(np.linspace(0, 8, 100), 10)[:, None] + rng.normal(size=(1000, 3))
    assert len(find_regimes(drift, life, np.ones(1000, dtype=bool), ()).centres) == 1


def test_a_role_with_few_whole_values_is_no_regime() -> None:
    rng = np.random.default_rng(0)
    life = np.repeat(np.arange(10), 100)
    values = np.column_stack([rng.integers(0, 3, 1000), rng.normal(size=(1000, 4))])
    assert len(find_regimes(values, life, np.ones(1000, dtype=bool), ()).centres) == 1


def test_regimes_told_by_a_named_role_are_standardised_one_by_one() -> None:
    rng = np.random.default_rng(1)
    life = np.repeat(np.arange(10), 100)
    point = rng.integers(0, 4, 1000)
    values = np.column_stack([point * 10.0 + 0.1 * rng.normal(size=1000), (1 + point) * rng.normal(size=1000)])
    found = find_regimes(values, life, np.ones(1000, dtype=bool), (0,))
    assert len(found.centres) == 4
    standardised = found.standardised(values)
    for number in range(4):
        np.testing.assert_allclose(standardised[found.of(values) == number].std(axis=0), 1.0, atol=1e-6)


def test_slow_directions_find_the_wear_among_noise() -> None:
    rng = np.random.default_rng(2)
    life = np.repeat(np.arange(20), 60)
    wear = np.tile(np.linspace(0, 1, 60) ** 2, 20)
    values = rng.normal(size=(1200, 5)) @ rng.normal(size=(5, 5)) + wear[:, None] * np.array([3.0, 0, -2.0, 0, 1.0])
    told = values @ slow_directions(values, life)
    assert abs(np.corrcoef(told[:, 0], wear)[0, 1]) > 0.8


def test_the_interval_covers_new_lives_as_stated_in_every_group() -> None:
    rng = np.random.default_rng(3)

    def drawn(lives: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        life = np.repeat(np.arange(lives), 20)
        truth = rng.uniform(0, 100, len(life))
        own = rng.normal(size=lives)[life]
        return truth + (1.0 + 0.1 * truth) * (own + rng.normal(size=len(life))), truth, life

    made = calibrate(*drawn(200), 0.8)
    predicted, truth, _ = drawn(2000)
    lower, upper = made.of(predicted, 1e9)
    held = (lower <= truth) & (truth <= upper)
    group = np.searchsorted(made.edges, predicted)
    assert len(made.below) == 8
    for number in range(1, 7):
        assert 0.7 < held[group == number].mean() < 0.92
