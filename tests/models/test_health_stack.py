"""Health models of one shape, scored together."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.frame import Floats, Role
from tagsight_models.health import HealthModel
from tagsight_models.health_fit import fit_health
from tagsight_models.health_gradient import slopes
from tagsight_models.health_network import NetworkSettings
from tagsight_models.health_stack import HealthStack, shape_of
from tagsight_models.networks.leave_role_out import LeaveRoleOut, context
from tagsight_models.networks.stacked import StackedNetworks, contexts
from tagsight_models.training import FitSettings
from tests.models.plants import MINUTE, linear_plant, two_point_plant, windows_of


@cache
def fitted(seed: int, hidden: int = 3, smallest: float = 0.0) -> HealthModel:
    """A model of its own plant; the weights that training would find are drawn."""
    quick = NetworkSettings(hidden=hidden, fit=FitSettings(epochs=0))
    roles = tuple(Role(f"r{n}", smallest_deviation=smallest * n) for n in range(6))
    plant = linear_plant if seed % 2 else two_point_plant
    made, _ = fit_health(plant(700, seed), roles, quick, lambda _s, _w: None, grid_ns=MINUTE, window_steps=60)
    drawn = LeaveRoleOut(6, len(made.lags), hidden, seed)
    drawn.linear.copy_(made.network.linear)
    torch.nn.init.normal_(drawn.last, std=0.3, generator=torch.Generator().manual_seed(seed))
    return HealthModel(roles, drawn, made.parameters, grid_ns=MINUTE, window_steps=60, lags=made.lags)


def windows_for(seed: int, count: int) -> Floats:
    """Windows of the plant of a model, the last with a fault."""
    plant = linear_plant if seed % 2 else two_point_plant
    found = windows_of(plant(59 + count, seed + 100)).copy()
    found[-1, 30:, seed % 6] *= 3.0
    return found


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=7), st.integers(1, 30))
def test_models_scored_together_give_the_scores_of_each_alone(seeds: list[int], count: int) -> None:
    models = [fitted(seed, smallest=0.02 * (seed % 3)) for seed in seeds]
    assert len({shape_of(model) for model in models}) == 1
    windows = np.stack([windows_for(seed, count) for seed in seeds])
    stack = HealthStack(models)
    together, expected = stack.distance(windows), stack.expectation(windows)
    for number, model in enumerate(models):
        np.testing.assert_allclose(together[number], model.distance(windows[number]), rtol=1e-9)
        alone = model.expectation(windows[number])
        np.testing.assert_allclose(expected.expected[number], alone.expected, rtol=1e-9)
        np.testing.assert_allclose(expected.lower[number], alone.lower, rtol=1e-9)
        np.testing.assert_allclose(expected.upper[number], alone.upper, rtol=1e-9)


@pytest.mark.parametrize("hidden", [0, 3])
def test_the_distance_is_what_the_formulas_say_one_after_the_other(hidden: int) -> None:
    model, windows = fitted(3, hidden=hidden, smallest=0.05), windows_for(3, 40)
    model = model.with_limit(0.0, 1.0, model.parameters.band)
    np.testing.assert_allclose(model.score(windows), slopes(model, windows)[0], rtol=1e-9)


@pytest.mark.parametrize("hidden", [0, 4])
def test_stacked_networks_give_what_each_network_gives(hidden: int) -> None:
    generator = torch.Generator().manual_seed(0)
    networks = [LeaveRoleOut(3, 2, hidden, seed).double() for seed in range(4)]
    for one in networks:
        for name in ("last", "offset"):
            torch.nn.init.normal_(getattr(one, name), generator=generator)
        one.linear.copy_(torch.randn(6, 3, generator=generator))
    values = torch.randn(4, 3, 5, 20, generator=generator, dtype=torch.float64)
    with torch.inference_mode():
        expected, log_spread = StackedNetworks.of(networks)(contexts(values, (0, 7)))
        for number, one in enumerate(networks):
            seen = context(values[number].permute(1, 2, 0), (0, 7)).flatten(0, 1)
            alone = one(seen)
            torch.testing.assert_close(expected[number].T, alone[0])
            torch.testing.assert_close(log_spread[number].T, alone[1])
