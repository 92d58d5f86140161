"""The networks over windows."""

import pytest
import torch

from tagsight_models.networks.mlp import Mlp, Sigmoid
from tagsight_models.networks.registry import NETWORKS, network


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("steps", "roles"), [(1, 1), (5, 3), (60, 20)])
def test_every_network_takes_windows_of_any_shape(name: str, steps: int, roles: int) -> None:
    made = network(name, steps, roles, 4, seed=0).eval()
    assert made(torch.zeros(7, steps, roles)).shape == (7, 4)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_seed_gives_the_same_weights_and_leaves_other_random_numbers_alone(name: str) -> None:
    before = torch.random.get_rng_state()
    one, other, third = (network(name, 12, 3, 2, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    states = [torch.cat([value.flatten() for value in made.state_dict().values()]) for made in (one, other, third)]
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@pytest.mark.parametrize("name", NETWORKS)
def test_what_else_is_in_the_batch_changes_nothing(name: str) -> None:
    made = network(name, 12, 3, 2, seed=0).double().eval()
    windows = torch.randn(6, 12, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(made(windows)[2:3], made(windows[2:3]), rtol=1e-9, atol=1e-12)


def test_the_convolutions_of_a_long_window_reach_its_first_step() -> None:
    made = network("tcn", 60, 2, 1, seed=0).double().eval()
    windows = torch.randn(1, 60, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    made.head.weight.data[:, made.head.in_features // 2 :] = 0.0  # leaves what the last step sees
    changed = windows.clone()
    changed[0, 0] += 1.0
    assert not torch.equal(made(windows), made(changed))


def test_the_network_of_the_textbook_has_8_12_8_and_1_cells() -> None:
    made = Sigmoid(Mlp(1, 8, 1))
    sizes = [tuple(weight.shape) for weight in made.parameters() if weight.dim() == 2]
    assert sizes == [(12, 8), (8, 12), (1, 8)]
    found = made(torch.randn(100, 1, 8))
    assert 0.0 < found.min() < found.max() < 1.0
