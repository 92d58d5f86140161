"""The game: what a coalition's value is, what it costs, and what is kept."""

import numpy as np
import pytest

from tagsight_explain.errors import BudgetSpent, NotFinite
from tagsight_explain.exact import coalitions
from tagsight_explain.value_function import ValueFunction
from tests.explain.doubles import NumpyModel, from_last_step, small


def still() -> float:
    return 0.0


def test_absent_roles_are_at_their_reference_over_the_whole_window() -> None:
    model = NumpyModel(lambda windows: windows.sum(axis=(1, 2)), np.full((2, 3), 100.0))
    value = ValueFunction(model, np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]), seconds=1, clock=still)
    found = value.many({0: np.array([[True, False, False], [True, False, True], [False] * 3])})
    np.testing.assert_allclose(found[0], [405.0, 214.0, 600.0])


def test_a_coalition_is_evaluated_once() -> None:
    model = small(0, 4)
    value = ValueFunction(model, np.ones((1, 3, 4)), seconds=1, clock=still)
    asked = np.concatenate([coalitions(4), coalitions(4)])
    first = value.many({0: asked})[0]
    np.testing.assert_array_equal(value.many({0: asked})[0], first)
    assert model.scored == value.evaluations[0] == 16


def test_no_batch_is_larger_than_its_bytes_and_chunks_change_nothing() -> None:
    window = np.random.default_rng(0).normal(size=(2, 3, 6))
    model = small(0, 6)
    asked = {0: coalitions(6), 1: coalitions(6)[:40]}
    at_once = ValueFunction(model, window, seconds=1, clock=still).many(asked)
    model.largest_batch = 0
    in_parts = ValueFunction(model, window, seconds=1, clock=still, chunk_bytes=7 * 3 * 6 * 8).many(asked)
    assert model.largest_batch == 7
    for index in asked:
        np.testing.assert_allclose(in_parts[index], at_once[index], rtol=1e-12)


def test_more_than_64_roles_have_distinct_bitmasks() -> None:
    model = from_last_step(lambda last: last @ np.arange(200.0), 200)
    value = ValueFunction(model, np.ones((1, 2, 200)), seconds=1, clock=still)
    np.testing.assert_array_equal(value.many({0: np.eye(200, dtype=bool)})[0], np.arange(200.0))


def test_the_time_is_looked_at_before_every_chunk() -> None:
    now = iter([0.0, 0.5, 1.5])
    model = small(0, 4)
    value = ValueFunction(model, np.ones((1, 3, 4)), seconds=1, clock=lambda: next(now), chunk_bytes=1)
    with pytest.raises(BudgetSpent, match="budget of 1 s"):
        value.many({0: coalitions(4)})
    assert value.evaluations[0] == 1


def test_evaluations_are_bounded_and_must_be_finite() -> None:
    model = from_last_step(lambda last: 1.0 / last[:, 0], 2)
    value = ValueFunction(model, np.ones((1, 2, 2)), seconds=1, clock=still)
    with pytest.raises(BudgetSpent, match="3 evaluations"):
        value.within(0, coalitions(2), 3)
    with np.errstate(divide="ignore"), pytest.raises(NotFinite):
        value.within(0, coalitions(2), 4)
