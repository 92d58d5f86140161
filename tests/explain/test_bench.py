"""A fast slice of the bench of explanations: its arithmetic, its rivals and its ways of counting."""

import numpy as np
import pytest

from tagsight_models.health import HealthModel
from tests.explain.trained_jobs import JOBS
from tests.explain_bench.cases import Case, Cases, first_confirmed, hits, wilson
from tests.explain_bench.deletion import area, random_rankings, restored
from tests.explain_bench.games import SAMPLERS, game_of
from tests.explain_bench.methods import STEP_BY_STEP, all_methods
from tests.explain_bench.relative_error import permuted, relative
from tests.models.plants import linear_plant

FAULTY = 4


@pytest.fixture(scope="module")
def shifted() -> Cases:
    """Windows of the linear plant in which one role is off by six spreads."""
    model = JOBS["health"]()
    assert isinstance(model, HealthModel)
    normal = linear_plant(900)
    cases = []
    for end in (400, 600, 800):
        window = normal[end - model.window_steps : end].copy()
        window[20:, FAULTY] += 6.0 * model.parameters.scale[FAULTY]
        cases.append(Case("shift", "injected: bias", window, frozenset({FAULTY}), 10))
    return Cases(model, normal, cases)


def test_every_method_blames_a_role_that_is_far_off(shifted: Cases) -> None:
    for name, found in all_methods(shifted, 400).items():
        assert all(hits(found, shifted.cases)), name
        if name != STEP_BY_STEP and "last row" not in name:
            assert sum(hits(found, shifted.cases, 1)) >= 2, name


def test_restoring_the_faulty_role_ends_the_alarm_and_random_roles_do_worse(shifted: Cases) -> None:
    right = [np.eye(6)[FAULTY]] * len(shifted.cases)
    assert shifted.scores.min() > 1.0
    assert restored(shifted, right, 1).max() < 1.0
    assert area(shifted, right) < area(shifted, random_rankings(shifted, 0))


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:PendingDeprecationWarning")
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_all_samplers_estimate_what_permutations_do(shifted: Cases, sampler: str) -> None:
    game = game_of(shifted.model, shifted.windows[0], conditional=True)
    truth = permuted(game, 6, 200)
    np.testing.assert_allclose(truth.sum(), shifted.scores[0] - game(np.zeros((1, 6), dtype=bool))[0], rtol=1e-6)
    assert relative(SAMPLERS[sampler](game, 6, 2000), truth) < 0.15


def test_the_first_confirmed_alarm_lasts_for_the_delay_and_began_after_the_start() -> None:
    scores = np.array([2.0, 2.0, 0.5, 0.5, 2.0, 0.5, 2.0, 2.0, 2.0, 2.0])
    assert first_confirmed(scores, 2, 60_000_000_000) == 8
    assert first_confirmed(scores[:7], 2, 60_000_000_000) is None


def test_the_interval_of_a_share_is_that_of_wilson() -> None:
    low, high = wilson(180, 200)
    assert (low, high) == pytest.approx((85.06, 93.43), abs=0.01)
    assert wilson(10, 10)[1] == pytest.approx(100.0)
    assert np.isnan(wilson(0, 0)[0])
