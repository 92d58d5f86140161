import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from tagsight_models.wander import wander, within


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5, 0.9]))
def test_a_stationary_series_hardly_ever_wanders(seed: int, memory: float) -> None:
    raw = np.random.default_rng(seed).normal(size=(3000, 4))
    series = lfilter([1.0], [1.0, -memory], raw, axis=0)[500:]
    assert (wander(series).alone <= 0.1 * series.var(axis=0)).all()


def test_what_rises_wanders_alone_and_by_as_much_as_its_means_differ() -> None:
    values = np.random.default_rng(1).normal(size=(1000, 3))
    values[:, 1] += np.linspace(0.0, 5.0, 1000)
    found = wander(values)
    means = [part[:, 1].mean() for part in np.array_split(values, 5)]
    assert found.alone[1] > 0.8 * np.var(means, ddof=1)
    assert not found.alone[[0, 2]].any()


def test_within_its_parts_nothing_differs_in_the_mean() -> None:
    values = np.cumsum(np.random.default_rng(2).normal(size=(103, 2)), axis=0)
    left = within(values)
    assert left.shape == values.shape
    for part in np.array_split(left, 5):
        np.testing.assert_allclose(part.mean(axis=0), 0.0, atol=1e-9)


def test_a_constant_column_wanders_nowhere() -> None:
    values = np.column_stack([np.full(500, 3.0), np.random.default_rng(3).normal(size=500)])
    assert wander(values).alone[0] == 0.0
