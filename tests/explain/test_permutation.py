"""Sampling by pairs of permutations."""

from collections.abc import Callable

import numpy as np
import pytest

from tagsight_explain.attribution import Attribution
from tagsight_explain.errors import BudgetSpent
from tagsight_explain.permutation import sampled
from tagsight_models.frame import Flags, Floats

Game = Callable[[Flags], Floats]


def play(game: Game, roles: int, at_most: int = 4096, seed: int = 0) -> tuple[Attribution, int]:
    algorithm = sampled(roles, at_most, seed)
    coalitions, asked = next(algorithm), 0
    while True:
        asked += len(coalitions)
        try:
            coalitions = algorithm.send(game(coalitions))
        except StopIteration as end:
            return end.value, asked


def quadratic(coalitions: Flags) -> Floats:
    form = np.random.default_rng(1).normal(size=(coalitions.shape[1],) * 2)
    return np.asarray(np.einsum("ni,ij,nj->n", coalitions, form, coalitions))


def rough(coalitions: Flags) -> Floats:
    return np.asarray(np.abs(coalitions @ np.random.default_rng(2).normal(size=coalitions.shape[1])))


def test_a_game_of_pairwise_interactions_is_exact_after_the_first_round() -> None:
    form = np.random.default_rng(1).normal(size=(20, 20))
    found, asked = play(quadratic, 20)
    np.testing.assert_allclose(found.contributions, (form + form.T).sum(axis=0) / 2, atol=1e-9)
    assert asked == 2 + 4 * 2 * 19 + 5
    assert found.standard_error.max() < 1e-9


def test_contributions_add_up_however_few_pairs_were_drawn() -> None:
    found, _ = play(rough, 30, at_most=2 + 2 * 2 * 29)
    full = rough(np.ones((1, 30), dtype=bool))[0]
    assert found.base + found.contributions.sum() == pytest.approx(full, abs=1e-12)


def test_no_more_is_asked_than_was_allowed() -> None:
    for at_most in (300, 1000, 4096):
        assert play(rough, 20, at_most)[1] <= at_most


def test_a_standard_error_says_how_far_the_estimate_is_off() -> None:
    truth = play(rough, 15, at_most=200_000)[0].contributions
    many = np.stack([play(rough, 15, at_most=600, seed=seed)[0].contributions for seed in range(60)])
    claimed = np.mean([play(rough, 15, at_most=600, seed=seed)[0].standard_error for seed in range(60)])
    spread = np.sqrt(((many - truth) ** 2).mean())
    assert 0.6 < spread / claimed < 1.6


def test_less_than_two_pairs_is_a_spent_budget() -> None:
    with pytest.raises(BudgetSpent, match="77 evaluations"):
        next(sampled(20, 77, seed=0))


def test_a_budget_that_ends_later_leaves_what_was_found() -> None:
    algorithm = sampled(20, 4096, seed=0)
    coalitions = next(algorithm)
    coalitions = algorithm.send(rough(coalitions))
    algorithm.send(rough(coalitions))
    with pytest.raises(StopIteration) as end:
        algorithm.throw(BudgetSpent(2.0, "s"))
    assert (end.value.value.standard_error > 0).any()


def test_a_budget_that_ends_in_the_first_round_leaves_nothing() -> None:
    algorithm = sampled(20, 4096, seed=0)
    algorithm.send(None)
    algorithm.send(np.array([0.0, 1.0]))
    with pytest.raises(BudgetSpent):
        algorithm.throw(BudgetSpent(2.0, "s"))


def test_the_seed_alone_decides() -> None:
    one, again, other = (play(rough, 20, seed=seed)[0].contributions for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
