"""Fits side by side end as each alone would."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tagsight_models.errors import TrainingInterrupted
from tagsight_models.networks.leave_role_out import LeaveRoleOut
from tagsight_models.networks.stacked_gradient import NAMES, Shape, Stack, load_weights, prepared, weights_of
from tagsight_models.stacked_training import NetworkFit, fit_stacked
from tagsight_models.training import FitSettings, Fitted, Progress, expectation_loss, fit, silent

ROLES, LAGS = 5, 2
KEPT = FitSettings(epochs=6, patience=6, batch=32, seed=3, at_most_seconds=600.0, kept_every_seconds=0.0)


def rows(seed: int, count: int, roles: int = ROLES) -> Tensor:
    """Context in which one role is the square of another."""
    found = torch.randn(count, LAGS * roles, generator=torch.Generator().manual_seed(seed))
    found[:, 1] = 0.7 * found[:, 0] ** 2 + 0.1 * found[:, 1]
    return found


def asked(seed: int, count: int, settings: FitSettings, progress: Progress = silent, roles: int = ROLES) -> NetworkFit:
    """A fit of its own."""
    generator = torch.Generator().manual_seed(seed)
    network = LeaveRoleOut(roles, LAGS, 6, seed)
    network.linear.copy_(0.1 * torch.randn(LAGS * roles, roles, generator=generator))
    spread = 0.5 + torch.rand(roles, generator=generator)
    held = rows(seed + 1000, max(count // 4, 3), roles)
    return NetworkFit(network, spread, rows(seed, count, roles), held, replace(settings, seed=seed), progress)


def weights(one: NetworkFit) -> Tensor:
    return torch.cat([value.flatten() for value in one.network.state_dict().values()])


def without_seconds(fitted: Fitted) -> Fitted:
    """Losses to the digits that rounding leaves alone."""
    start, best = round(fitted.start_loss, 4), round(fitted.best_loss, 4)
    return replace(fitted, seconds=0.0, start_loss=start, best_loss=best)


def test_the_gradient_is_that_of_the_loss_of_each_network() -> None:
    generator = torch.Generator().manual_seed(0)
    fits = [asked(seed, 40, FitSettings()) for seed in range(3)]
    for one in fits:
        one.network.double()
        torch.nn.init.normal_(one.network.last, generator=generator)
        torch.nn.init.normal_(one.network.offset, generator=generator)
    ready = [prepared(one.train.double(), one.network, one.spread.double()) for one in fits]
    stack = Stack(Shape(3, ROLES, LAGS, 6), [weights_of(one.network) for one in fits], [one.spread for one in fits])
    seen, left = torch.stack([each.T for each, _ in ready]), torch.cat([each.T for _, each in ready])
    stack.find_gradient(seen, left, torch.full((3 * ROLES, 1), 1.0 / (40 * ROLES), dtype=torch.float64))
    losses = stack.losses(seen, left) / (40 * ROLES)
    for number, one in enumerate(fits):
        inputs = one.train.double()
        loss = expectation_loss(one.spread.double())(one.network, inputs, inputs[:, :ROLES])
        loss.backward()  # type: ignore[no-untyped-call]
        found = LeaveRoleOut(ROLES, LAGS, 6).double()
        load_weights(found, stack.weights(number, stack.gradient))
        for name, part in one.network.named_parameters():
            assert part.grad is not None
            torch.testing.assert_close(dict(found.named_parameters())[name].detach(), part.grad)
        torch.testing.assert_close(losses[number], loss.detach())


@pytest.mark.parametrize("count", [3, 256, 300, 5000])
def test_a_fit_ends_as_the_general_one_does(count: int) -> None:
    one, other = (asked(1, count, FitSettings(epochs=4)) for _ in range(2))
    (done,) = fit_stacked([one])
    learned, held = ((inputs, inputs[:, :ROLES].contiguous()) for inputs in (other.train, other.validate))
    wanted = fit(other.network, expectation_loss(other.spread), learned, held, other.settings, progress=silent)
    torch.testing.assert_close(weights(one), weights(other), rtol=1e-4, atol=1e-5)
    assert without_seconds(done) == without_seconds(wanted)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([20, 64, 65, 150]), min_size=2, max_size=6), st.sampled_from([1, 3]))
def test_fits_side_by_side_end_as_each_alone(counts: Sequence[int], patience: int) -> None:
    quick = FitSettings(epochs=5, patience=patience, batch=64)
    alone = [asked(seed, count, quick) for seed, count in enumerate(counts)]
    wanted = [fit_stacked([one])[0] for one in alone]
    together = [asked(seed, count, quick) for seed, count in enumerate(counts)]
    done = fit_stacked(together)
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(weights(one), weights(other), rtol=1e-4, atol=1e-5)
    assert [without_seconds(each) for each in done] == [without_seconds(each) for each in wanted]


def test_fits_of_other_shapes_and_settings_can_be_asked_for_together() -> None:
    quick = FitSettings(epochs=2)
    various = [asked(0, 90, quick), asked(1, 90, quick, roles=3), asked(2, 90, replace(quick, rate=1e-3, epochs=3))]
    done = fit_stacked(various)
    assert [each.epochs for each in done] == [2, 2, 3]


def test_a_fit_that_gets_no_better_ends_and_the_others_go_on() -> None:
    wild = asked(0, 200, FitSettings(epochs=9, patience=2))
    wild.train[:] = torch.randn(wild.train.shape, generator=torch.Generator().manual_seed(5)) ** 3
    done = fit_stacked([wild, asked(1, 300, FitSettings(epochs=9, patience=9))])
    assert done[0].epochs < 9
    assert done[1].epochs == 9


def test_the_time_of_fits_together_is_shared_among_them() -> None:
    none = FitSettings(epochs=50, patience=50, at_most_seconds=0.0)
    done = fit_stacked([asked(0, 300, none), asked(1, 300, replace(none, at_most_seconds=600.0))])
    assert done[0].stopped_by_time
    assert done[0].epochs <= 1
    assert (done[1].stopped_by_time, done[1].epochs) == (False, 50)


class Killed(Exception):
    pass


def test_killed_fits_go_on_and_end_with_the_weights_of_uninterrupted_ones(tmp_path: Path) -> None:
    def dies(_share: float, words: str) -> None:
        if words.startswith("epoch 3"):
            raise Killed

    whole = [asked(seed, 100, KEPT) for seed in range(3)]
    wanted = fit_stacked(whole)
    kept = replace(KEPT, kept_in=tmp_path)
    with pytest.raises(Killed):
        fit_stacked([asked(seed, 100, kept, dies) for seed in range(3)])
    epochs: list[str] = []
    again = [asked(seed, 100, kept, lambda _s, words: epochs.append(words.split(",")[0])) for seed in range(3)]
    done = fit_stacked(again)
    assert sorted(set(epochs)) == ["epoch 4", "epoch 5", "epoch 6"]
    assert [without_seconds(each) for each in done] == [without_seconds(each) for each in wanted]
    for one, other in zip(again, whole, strict=True):
        assert torch.equal(weights(one), weights(other))


def test_what_was_kept_of_one_fit_can_be_taken_up_beside_a_new_one(tmp_path: Path) -> None:
    kept = replace(KEPT, kept_in=tmp_path)
    first = asked(0, 100, kept)
    (wanted,) = fit_stacked([first])
    told: list[str] = []
    again = asked(0, 100, kept, lambda _s, words: told.append(words))
    done = fit_stacked([again, asked(1, 100, kept)])
    assert told == []
    assert without_seconds(done[0]) == without_seconds(wanted)
    assert torch.equal(weights(again), weights(first))


def test_an_interrupt_says_after_which_epoch() -> None:
    def interrupt(_share: float, words: str) -> None:
        if words.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(TrainingInterrupted, match="after epoch 2"):
        fit_stacked([asked(0, 100, KEPT, interrupt)])


def test_the_weights_of_a_stack_are_those_that_it_was_made_of() -> None:
    fits = [asked(seed, 10, FitSettings()) for seed in range(3)]
    stack = Stack(Shape(3, ROLES, LAGS, 6), [weights_of(one.network) for one in fits], [one.spread for one in fits])
    for number, one in enumerate(fits):
        assert all(torch.equal(stack.weights(number)[name], weights_of(one.network)[name]) for name in NAMES)
