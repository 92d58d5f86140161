import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tagsight_models.errors import SisterUnusable
from tagsight_models.frame import Role
from tagsight_models.networks.leave_role_out import LeaveRoleOut
from tagsight_models.networks.registry import NETWORKS, network
from tagsight_models.networks.ridge import leave_role_out_ridge
from tagsight_models.training import FitSettings, silent
from tagsight_models.transfer import Sister, check_grid, fit_from, fit_in_steps, matched, started_from

ABC = (Role("a", "bar"), Role("b"), Role("c", "K"))
STEPS = 6
kinds = pytest.mark.parametrize("kind", list(NETWORKS))


def loss(made: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.mse_loss(made(inputs), targets)


def sister(made: nn.Module, roles: tuple[Role, ...] = ABC) -> Sister:
    return Sister("P102/Health version 3", roles, made, 60_000_000_000)


def windows(rows: int, seed: int, roles: int = 3) -> tuple[Tensor, Tensor]:
    inputs = torch.randn(rows, STEPS, roles, generator=torch.Generator().manual_seed(seed))
    return inputs, torch.sin(2.0 * inputs[:, -1, :1]) + inputs[:, 0, 1:2] * inputs[:, -1, 1:2]


@settings(max_examples=40, deadline=None)
@given(st.permutations(list("abcdef")), st.permutations(list("abcxyz")))
def test_roles_are_matched_by_name(ours: list[str], theirs: list[str]) -> None:
    other = tuple(Role(name) for name in theirs)
    found = matched([Role(name) for name in ours], sister(nn.Identity(), other))
    assert {ours[mine]: theirs[column] for mine, column in found.items()} == {name: name for name in "abc"}


def test_a_role_in_another_unit_does_not_match_and_one_without_unit_does() -> None:
    assert matched([Role("a", "psi"), Role("b", "m"), Role("c", "K")], sister(nn.Identity())) == {1: 1, 2: 2}


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        pytest.param((Role("x"),), "its inputs are a, b, c, ours x", id="other names"),
        pytest.param((Role("a", "psi"),), "a is in psi here and in bar there", id="other unit"),
    ],
)
def test_a_sister_without_a_matching_input_is_refused(roles: tuple[Role, ...], said: str) -> None:
    with pytest.raises(SisterUnusable, match=said) as refused:
        matched(roles, sister(nn.Identity()))
    assert "P102/Health version 3" in str(refused.value)
    assert "from" in refused.value.mend


def test_a_sister_on_another_grid_is_refused() -> None:
    check_grid(sister(nn.Identity()), 60_000_000_000)
    with pytest.raises(SisterUnusable, match="its grid is 60 s, ours 10 s"):
        check_grid(sister(nn.Identity()), 10_000_000_000)


@kinds
def test_a_network_of_the_same_roles_starts_as_its_sister_whatever_their_order(kind: str) -> None:
    theirs = network(kind, STEPS, 3, 2, seed=1).eval()
    inputs = torch.randn(5, STEPS, 3)
    for order in itertools.permutations(range(3)):
        roles = tuple(ABC[column] for column in order)
        fresh = network(kind, STEPS, 3, 2, seed=2)
        made = started_from(fresh, sister(theirs), matched(roles, sister(theirs)), 3).eval()
        torch.testing.assert_close(made(inputs[:, :, list(order)]), theirs(inputs))


@kinds
def test_a_role_that_the_sister_has_not_starts_as_in_a_new_network(kind: str) -> None:
    theirs = network(kind, STEPS, 3, 1, seed=1)
    fresh = network(kind, STEPS, 4, 1, seed=2)
    roles = (Role("new"), *ABC)
    made = started_from(fresh, sister(theirs), matched(roles, sister(theirs)), 4)
    new, given_ = _first(fresh, kind), _first(theirs, kind)
    torch.testing.assert_close(_of_role(_first(made, kind), kind, 0, 4), _of_role(new, kind, 0, 4))
    torch.testing.assert_close(_of_role(_first(made, kind), kind, 2, 4), _of_role(given_, kind, 1, 3))


def _first(made: nn.Module, kind: str) -> Tensor:
    name = {"mlp": "body.1.weight", "tcn": "blocks.0.first.weight", "gru": "recurrent.weight_ih_l0"}[kind]
    found: Tensor = made.state_dict()[name]
    return found


def _of_role(weights: Tensor, kind: str, role: int, roles: int) -> Tensor:
    return weights.view(len(weights), -1, roles)[:, :, role] if kind == "mlp" else weights[:, role]


@kinds
def test_a_head_of_other_outputs_stays_new(kind: str) -> None:
    theirs, fresh = network(kind, STEPS, 3, 4, seed=1), network(kind, STEPS, 3, 2, seed=2)
    made = started_from(fresh, sister(theirs), {0: 0, 1: 1, 2: 2}, 3)
    torch.testing.assert_close(made.state_dict()["head.weight"], fresh.state_dict()["head.weight"])


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        pytest.param(network("gru", STEPS, 3, 1, 0), "its network is gru, ours is mlp", id="kind"),
        pytest.param(network("mlp", STEPS + 1, 3, 1, 0), "another size", id="window"),
        pytest.param(network("mlp", STEPS, 3, 1, 0, hidden=(12, 9)), "there and", id="hidden layer"),
    ],
)
def test_a_sister_of_another_kind_or_size_is_refused(theirs: nn.Module, said: str) -> None:
    with pytest.raises(SisterUnusable, match=said):
        started_from(network("mlp", STEPS, 3, 1, 0), sister(theirs), {0: 0}, 3)


def test_the_health_network_starts_as_its_sister_whatever_the_order_of_the_roles() -> None:
    theirs = LeaveRoleOut(3, 2, 4, seed=1)
    rows = np.random.default_rng(0).standard_normal((200, 6))
    theirs.linear.copy_(torch.as_tensor(leave_role_out_ridge(rows, 3)))
    with torch.no_grad():
        theirs.last.normal_(generator=torch.Generator().manual_seed(0))
    context = torch.randn(7, 2, 3)
    order = [2, 0, 1]
    roles = tuple(ABC[column] for column in order)
    made = started_from(LeaveRoleOut(3, 2, 4, seed=2), sister(theirs), matched(roles, sister(theirs)), 3)
    wanted, found = theirs(context.reshape(7, 6)), made(context[:, :, order].reshape(7, 6))
    for one, other in zip(wanted, found, strict=True):
        torch.testing.assert_close(other, one[:, order])


def test_a_sister_that_is_linear_alone_gives_its_linear_part() -> None:
    theirs = LeaveRoleOut(3, 2, 4, seed=1).without_hidden()
    theirs.linear.copy_(torch.randn(6, 3))
    fresh = LeaveRoleOut(3, 2, 4, seed=2)
    made = started_from(fresh, sister(theirs), {0: 0, 1: 1, 2: 2}, 3).state_dict()
    torch.testing.assert_close(made["linear"], theirs.linear)
    torch.testing.assert_close(made["first"], fresh.first.detach())


@kinds
def test_the_last_layer_learns_first_and_then_all(kind: str) -> None:
    made = network(kind, STEPS, 3, 1, seed=1)
    before = {name: value.clone() for name, value in made.state_dict().items()}
    seen: list[set[str]] = []

    def watch(_share: float, _words: str) -> None:
        seen.append({name for name, value in made.state_dict().items() if not torch.equal(value, before[name])})

    short = FitSettings(epochs=3, patience=9)
    fitted = fit_in_steps(made, loss, windows(64, 1), windows(32, 2), short, progress=watch)
    assert fitted.epochs == 6
    assert seen[3] == {"head.weight", "head.bias"}
    assert seen[-1] == set(before)
    assert all(one.requires_grad for one in made.parameters())


def test_the_start_from_a_machine_that_behaves_alike_is_kept_and_the_words_say_by_how_much() -> None:
    theirs = network("mlp", STEPS, 3, 1, seed=1, hidden=(24, 12))
    long = FitSettings(epochs=60, patience=60, rate=1e-2)
    fit_in_steps(theirs, loss, windows(3000, 1), windows(300, 2), long, progress=silent)
    few = FitSettings(epochs=40, patience=40)
    made, fitted, transfer = fit_from(
        network("mlp", STEPS, 3, 1, seed=5, hidden=(24, 12)),
        loss,
        (windows(40, 3), windows(200, 4)),
        few,
        sister=sister(theirs),
        roles=ABC,
        progress=silent,
    )
    assert transfer.helped
    assert transfer.from_sister < 0.5 * transfer.from_nothing
    assert fitted.best_loss == transfer.from_sister
    assert float(loss(made, *windows(200, 4)).detach()) == pytest.approx(transfer.from_sister, rel=1e-4)
    assert "3 of 3 inputs matched" in transfer.words
    assert "it helped" in transfer.words


def test_the_start_from_a_machine_that_behaves_otherwise_is_not_kept() -> None:
    theirs = network("mlp", STEPS, 3, 1, seed=1)
    with torch.no_grad():
        for one in theirs.parameters():
            one.fill_(-3.0)  # no unit of it ever fires
    _, fitted, transfer = fit_from(
        network("mlp", STEPS, 3, 1, seed=5),
        loss,
        (windows(400, 3), windows(200, 4)),
        FitSettings(epochs=15, patience=40),
        sister=sister(theirs),
        roles=ABC,
        progress=silent,
    )
    assert not transfer.helped
    assert fitted.best_loss == transfer.from_nothing
    assert "did not help" in transfer.words
    assert transfer.metrics["transfer_helped"] == 0.0


def test_coefficients_shrink_towards_those_of_a_sister() -> None:
    random = np.random.default_rng(0)
    mixing = random.standard_normal((4, 4))
    plenty, few = random.standard_normal((4000, 4)) @ mixing, random.standard_normal((12, 4)) @ mixing
    wanted = leave_role_out_ridge(plenty, 4)
    alone, towards = leave_role_out_ridge(few, 4), leave_role_out_ridge(few, 4, towards=wanted)
    assert np.abs(towards - wanted).max() < 0.3 * np.abs(alone - wanted).max()
    np.testing.assert_array_equal(np.diag(towards), 0.0)
