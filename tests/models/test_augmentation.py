from collections.abc import Callable
from typing import Final

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.augmentation import (
    Chain,
    Jitter,
    MagnitudeWarping,
    ProcessFault,
    Scaling,
    SensorFault,
    Slicing,
    TimeWarping,
    usual,
)
from tagsight_models.training import Augment

ALL: Final[dict[str, Callable[[float], Augment]]] = {
    "jitter": Jitter,
    "scaling": Scaling,
    "magnitude warping": MagnitudeWarping,
    "time warping": TimeWarping,
    "slicing": Slicing,
    "sensor fault": SensorFault,
    "process fault": ProcessFault,
    "chain": lambda strength: Chain((Jitter(strength), SensorFault(strength))),
    "usual": usual,
}
every = pytest.mark.parametrize("make", list(ALL.values()), ids=list(ALL))
shapes = st.tuples(st.integers(1, 5), st.integers(1, 12), st.integers(1, 4))
strengths = st.floats(0.0, 1.0)
seeds = st.integers(0, 2**31)


def batch(shape: tuple[int, ...], seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=random), torch.randn(shape[0], generator=random)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@every
@settings(max_examples=30, deadline=None)
@given(shape=shapes, strength=strengths, seed=seeds)
def test_shapes_and_targets_stay_inputs_are_not_touched_and_the_same_seed_gives_the_same(
    make: Callable[[float], Augment], shape: tuple[int, ...], strength: float, seed: int
) -> None:
    inputs, targets = batch(shape, seed)
    before, wanted = inputs.clone(), targets.clone()
    torch.manual_seed(1)
    expected = torch.random.get_rng_state()
    found, kept = make(strength)(inputs, targets, seeded(seed))
    again, _ = make(strength)(inputs, targets, seeded(seed))
    assert found.shape == inputs.shape
    assert found.dtype == inputs.dtype
    assert bool(torch.isfinite(found).all())
    assert torch.equal(kept, wanted)
    assert torch.equal(inputs, before)
    assert torch.equal(found, again)
    assert torch.equal(torch.random.get_rng_state(), expected)


@every
@settings(max_examples=10, deadline=None)
@given(shape=shapes, seed=seeds)
def test_strength_0_changes_nothing(make: Callable[[float], Augment], shape: tuple[int, ...], seed: int) -> None:
    inputs, targets = batch(shape, seed)
    found, _ = make(0.0)(inputs, targets, seeded(seed))
    assert torch.equal(found, inputs)


@every
def test_strength_1_changes_something(make: Callable[[float], Augment]) -> None:
    inputs, targets = batch((16, 10, 3), 0)
    found, _ = make(1.0)(inputs, targets, seeded(0))
    assert not torch.equal(found, inputs)


@pytest.mark.parametrize("make", [Slicing, TimeWarping], ids=["slicing", "time-warping"])
def test_changes_of_time_keep_the_last_step_and_the_order(make: Callable[[float], Augment]) -> None:
    inputs = torch.linspace(0.0, 1.0, 20)[None, :, None].repeat(8, 1, 2)
    found, _ = make(0.8)(inputs, torch.zeros(8), seeded(0))
    torch.testing.assert_close(found[:, -1], inputs[:, -1])
    assert bool((found.diff(dim=1) >= -1e-6).all())


def test_a_sensor_fault_breaks_one_role_of_a_window_and_only_its_end() -> None:
    inputs, targets = batch((40, 12, 4), 3)
    found, _ = SensorFault(1.0)(inputs, targets, seeded(4))
    changed = found != inputs
    assert int(changed.any(dim=1).sum(dim=1).max()) == 1
    first = changed.any(dim=2).int().argmax(dim=1)
    assert int(first.max()) > 0


def test_a_process_fault_moves_roles_together_and_grows() -> None:
    inputs = torch.zeros(30, 12, 4)
    found, _ = ProcessFault(1.0)(inputs, torch.zeros(30), seeded(4))
    assert int((found[:, -1] != 0.0).sum()) == found[:, -1].numel()
    assert bool((found.abs().diff(dim=1) >= 0.0).all())


@pytest.mark.parametrize("make", [Jitter, Scaling], ids=["jitter", "scaling"])
def test_contexts_of_the_health_network_can_be_changed_too(make: Callable[[float], Augment]) -> None:
    inputs, targets = batch((6, 9), 0)
    assert make(0.1)(inputs, targets, seeded(0))[0].shape == inputs.shape
