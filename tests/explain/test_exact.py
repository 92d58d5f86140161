"""The axioms that define Shapley values, and the weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_explain.exact import coalitions, exact, weights
from tagsight_models.frame import Floats


def shapley(values: Floats, roles: int) -> Floats:
    return weights(roles) @ values


games = st.integers(1, 6).flatmap(
    lambda roles: st.tuples(st.just(roles), st.integers(0, 2**32).map(lambda seed: _game(roles, seed)))
)


def _game(roles: int, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=2**roles)


@given(games)
def test_contributions_add_up_to_full_minus_empty(game: tuple[int, Floats]) -> None:
    roles, values = game
    assert shapley(values, roles).sum() == pytest.approx(values[-1] - values[0], abs=1e-12)


@given(games, st.data())
def test_a_role_that_changes_nothing_gets_nothing(game: tuple[int, Floats], data: st.DataObject) -> None:
    roles, values = game
    dummy = data.draw(st.integers(0, roles - 1))
    without = np.arange(2**roles) & ~(1 << dummy)
    assert shapley(values[without], roles)[dummy] == pytest.approx(0.0, abs=1e-12)


@given(games, st.data())
def test_roles_that_can_be_swapped_get_the_same(game: tuple[int, Floats], data: st.DataObject) -> None:
    roles, values = game
    one, other = data.draw(st.integers(0, roles - 1)), data.draw(st.integers(0, roles - 1))
    swapped = coalitions(roles).copy()
    swapped[:, [one, other]] = swapped[:, [other, one]]
    symmetric = values + values[swapped @ (1 << np.arange(roles))]
    found = shapley(symmetric, roles)
    assert found[one] == pytest.approx(found[other], abs=1e-12)


@given(st.integers(1, 6), st.integers(0, 2**32), st.floats(-10, 10))
def test_contributions_to_a_weighted_sum_are_the_weighted_sum(roles: int, seed: int, factor: float) -> None:
    one, other = _game(roles, seed), _game(roles, seed + 1)
    together = shapley(one + factor * other, roles)
    np.testing.assert_allclose(together, shapley(one, roles) + factor * shapley(other, roles), atol=1e-10)


def test_the_first_coalition_is_empty_and_the_last_is_full() -> None:
    assert not coalitions(4)[0].any()
    assert coalitions(4)[-1].all()


def test_a_known_game_of_gloves_has_its_known_values() -> None:
    algorithm = exact(3)
    asked = next(algorithm)
    pairs = np.minimum(asked[:, 0], asked[:, 1] | asked[:, 2]).astype(float)
    with pytest.raises(StopIteration) as end:
        algorithm.send(pairs)
    np.testing.assert_allclose(end.value.value.contributions, [4 / 6, 1 / 6, 1 / 6])
