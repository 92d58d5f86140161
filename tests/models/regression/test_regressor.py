"""The regression and its parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_models.frame import Floats
from tagsight_models.regression.oblivious_trees import ObliviousTrees, TreeSettings
from tagsight_models.regression.regressor import SHARES, Regressor, RegressorSettings
from tagsight_models.regression.ridge_line import ridge
from tagsight_models.regression.window_features import taps, window_features
from tagsight_models.training import FitSettings

SMALL = RegressorSettings(networks=1, trees=TreeSettings(trees=80), fit=FitSettings(epochs=20, patience=6))


def curved(rows: int, seed: int = 0) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(rows, 5))
    return inputs, 3.0 * inputs[:, 0] + 2.0 * inputs[:, 1] * inputs[:, 2] + 0.2 * random.normal(size=rows)


@given(st.integers(1, 100))
def test_lengths_begin_with_one_and_end_with_the_lookback(lookback: int) -> None:
    found = taps(lookback)
    assert found[0] == 1
    assert found[-1] == lookback
    assert list(found) == sorted(set(found))


def test_a_steady_move_changes_the_last_values_only() -> None:
    windows = np.random.default_rng(0).normal(size=(3, 8, 2))
    before, after = window_features(windows, taps(8)), window_features(windows + np.array([5.0, 0.0]), taps(8))
    np.testing.assert_allclose(after[:, 0] - before[:, 0], 5.0)
    np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=1e-12)


def test_the_line_of_a_line_is_found() -> None:
    inputs = np.random.default_rng(1).normal(size=(400, 3))
    found, error = ridge(inputs, inputs @ [1.0, -2.0, 0.0])
    np.testing.assert_allclose(found, [1.0, -2.0, 0.0], atol=0.01)
    assert error < 1e-3


def test_trees_learn_a_step_and_hold_beyond_what_they_saw() -> None:
    inputs = np.linspace(-1.0, 1.0, 500)[:, None]
    trees = ObliviousTrees.fit(inputs, np.where(inputs[:, 0] > 0.2, 3.0, 1.0), TreeSettings(trees=100))
    found = trees.predict(np.array([[-0.5], [0.6], [50.0]]))
    np.testing.assert_allclose(found, [1.0, 3.0, 3.0], atol=0.1)


def test_trees_of_a_constant_column_are_quiet() -> None:
    trees = ObliviousTrees.fit(np.ones((300, 1)), np.arange(300.0), TreeSettings(trees=5))
    assert np.ptp(trees.predict(np.array([[0.0], [1.0], [2.0]]))) < 100.0


def test_all_parts_together_find_what_a_line_cannot() -> None:
    inputs, values = curved(2000)
    regressor, fitted = Regressor.fit(inputs, values, SMALL)
    tested, truth = curved(500, 9)
    line = truth - regressor.of_parts(regressor.parts(tested) * [[1.0], [0.0], [1.0]])
    assert np.mean((truth - regressor.predict(tested)) ** 2) < 0.5 * np.mean(line**2)
    assert fitted.epochs > 0


def test_a_prediction_stays_near_the_range_of_the_target() -> None:
    inputs, values = curved(800)
    regressor, _ = Regressor.fit(inputs, values, SMALL)
    reach = 0.1 * np.ptp(values) + 1e-9
    found = regressor.predict(1e6 * inputs)
    assert found.min() >= values.min() - reach
    assert found.max() <= values.max() + reach


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
def test_a_regression_travels_to_the_last_bit(shares: tuple[float, float]) -> None:
    inputs, values = curved(400)
    regressor, _ = Regressor.fit(inputs, values, SMALL)
    again = Regressor.from_parts(regressor.description() | {"shares": list(shares)}, regressor.tensors())
    one = regressor.parts(inputs)
    assert np.array_equal(again.parts(inputs), one)
    assert again.shares == shares


def test_trees_that_ask_about_no_column_are_refused() -> None:
    regressor, _ = Regressor.fit(*curved(300), SMALL)
    tensors = regressor.tensors()
    with pytest.raises(ValueError, match="trees"):
        Regressor.from_parts(regressor.description(), tensors | {"trees.columns": tensors["trees.columns"] + 9.0})
