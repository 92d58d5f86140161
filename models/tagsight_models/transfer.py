"""Transfer: a network starts from the weights of a sister machine's, role by role, and is released in steps.

Roles are matched by name, and by unit where both have one. What belongs to a role that the sister does not have starts
as in a new network; its roles that ours does not have are left behind; all else is taken over. First only the last
layer learns, then all layers, each with a budget of its own. Whether it helped is measured: the same network is
trained from nothing too, and the one with the lower held-out loss is kept.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import torch
from torch import Tensor, nn

from tagsight_models.errors import SisterUnusable
from tagsight_models.frame import Role
from tagsight_models.networks.gru import Gru
from tagsight_models.networks.leave_role_out import LeaveRoleOut
from tagsight_models.networks.mlp import Mlp
from tagsight_models.networks.tcn import Tcn
from tagsight_models.training import Augment, FitSettings, Fitted, Loss, Progress, fit, part_of

STEPS: Final = (0.25, 0.75)
"""Shares of the time of a fit: for the last layer alone, and for all layers."""

Pair: TypeAlias = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Sister:
    """A trained network of another machine.

    Attributes:
        name: of its model, with its version, for people.
        roles: in the order of its columns.
        network: as trained; stays as it is.
        grid_ns: distance of its steps.
    """

    name: str
    roles: tuple[Role, ...]
    network: nn.Module
    grid_ns: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """What starting from a sister was worth: held-out losses of the same network, started there and from nothing."""

    sister: str
    matched: int
    roles: int
    from_sister: float
    from_nothing: float

    @property
    def helped(self) -> bool:
        """The one that started from the sister is kept."""
        return self.from_sister < self.from_nothing

    @property
    def words(self) -> str:
        """For the card and the command line."""
        losses = f"held-out loss {self.from_sister:.4g} against {self.from_nothing:.4g} from nothing"
        verdict = "it helped, and is kept" if self.helped else "it did not help; training started from nothing"
        return f"From {self.sister}, {self.matched} of {self.roles} inputs matched: {losses}: {verdict}"

    @property
    def metrics(self) -> dict[str, float]:
        """The same as numbers."""
        return {
            "transfer_matched": float(self.matched),
            "transfer_loss_from_sister": self.from_sister,
            "transfer_loss_from_nothing": self.from_nothing,
            "transfer_helped": float(self.helped),
        }


def matched(roles: Sequence[Role], sister: Sister) -> dict[int, int]:
    """Our column -> the sister's, by name, and by unit where both have one.

    Raises:
        SisterUnusable: no role matches, or its steps have another length.
    """
    theirs = {role.name: (column, role.unit) for column, role in enumerate(sister.roles)}
    found: dict[int, int] = {}
    other_units: list[str] = []
    for column, role in enumerate(roles):
        if role.name in theirs:
            number, unit = theirs[role.name]
            if role.unit and unit and role.unit != unit:
                other_units.append(f"{role.name} is in {role.unit} here and in {unit} there")
            else:
                found[column] = number
    if not found:
        cause = "; ".join(other_units) or f"its inputs are {', '.join(theirs)}, ours {', '.join(r.name for r in roles)}"
        raise SisterUnusable(sister.name, f"no input matches: {cause}")
    return found


def check_grid(sister: Sister, grid_ns: int) -> None:
    """Raise SisterUnusable unless the sister's steps are as long as ours."""
    if sister.grid_ns != grid_ns:
        cause = f"its grid is {sister.grid_ns / 1e9:g} s, ours {grid_ns / 1e9:g} s"
        raise SisterUnusable(sister.name, cause, mend="Set the same `score.grid` for both, or remove `from`.")


def started_from(fresh: nn.Module, sister: Sister, columns: Mapping[int, int], count: int) -> nn.Module:
    """A copy of `fresh`, a new network of `count` roles, with the sister's weights wherever they have a place.

    `columns`: as `matched` gives them. A last layer with other outputs stays new.

    Raises:
        SisterUnusable: a network of another kind or size.
    """
    if type(fresh) is not type(sister.network):
        kinds = f"{type(sister.network).__name__.lower()}, ours is {type(fresh).__name__.lower()}"
        raise SisterUnusable(sister.name, f"its network is {kinds}", mend="Set the same `network` for both.")
    made = copy.deepcopy(fresh)
    theirs = sister.network.state_dict()
    ours = made.state_dict()
    places = _role_places(fresh, count), _role_places(sister.network, len(sister.roles))
    mine, other = torch.tensor(list(columns)), torch.tensor(list(columns.values()))
    for name, value in ours.items():
        if name not in theirs or theirs[name].numel() == 0:
            continue
        given = theirs[name].to(value.dtype)
        if name in places[0]:
            (shape, dims), (their_shape, _) = places[0][name], places[1][name]
            _same_size(sister, name, shape, their_shape, dims)
            value.view(shape)[_at(len(shape), dims, mine)] = given.reshape(their_shape)[_at(len(shape), dims, other)]
        elif value.shape == given.shape:
            value.copy_(given)
        elif not _is_last(name):
            raise SisterUnusable(sister.name, f"{name} is {tuple(given.shape)} there and {tuple(value.shape)} here")
    return made


def fit_in_steps(
    network: nn.Module,
    loss: Loss,
    train: Pair,
    validate: Pair,
    settings: FitSettings,
    *,
    progress: Progress,
    augment: Augment | None = None,
) -> Fitted:
    """Fit in place: first the last layer alone, then all layers."""
    frozen = [one for name, one in network.named_parameters() if not _is_last(name) and one.requires_grad]
    first, second = (replace(settings, at_most_seconds=share * settings.at_most_seconds) for share in STEPS)
    for one in frozen:
        one.requires_grad = False
    try:
        last = fit(network, loss, train, validate, first, progress=part_of(progress, 0.0, STEPS[0]), augment=augment)
    finally:
        for one in frozen:
            one.requires_grad = True
    whole = fit(network, loss, train, validate, second, progress=part_of(progress, STEPS[0], 1.0), augment=augment)
    return Fitted(
        epochs=last.epochs + whole.epochs,
        best_epoch=last.epochs + whole.best_epoch if whole.best_epoch else last.best_epoch,
        start_loss=last.start_loss,
        best_loss=whole.best_loss,
        seconds=last.seconds + whole.seconds,
        stopped_by_time=last.stopped_by_time or whole.stopped_by_time,
    )


def fit_from(
    network: nn.Module,
    loss: Loss,
    data: tuple[Pair, Pair],
    settings: FitSettings,
    *,
    sister: Sister,
    roles: Sequence[Role],
    progress: Progress,
    augment: Augment | None = None,
) -> tuple[nn.Module, Fitted, Transfer]:
    """Train a window network from nothing and from the sister, half the time each; keep the better.

    Args:
        network: new, one of `networks.registry`; trained in place from nothing.
        loss: as `training.fit` takes it.
        data: inputs and targets to learn from, and those of held-out blocks, which decide.
        settings: budget of both together.
        sister: of the same kind and size; the number of its roles and outputs may differ.
        roles: ours, in the order of the columns.
        progress: of both together.
        augment: for both alike.
    """
    columns = matched(roles, sister)
    start = started_from(network, sister, columns, len(roles))
    half = replace(settings, at_most_seconds=settings.at_most_seconds / 2)
    train, validate = data
    plain = fit(network, loss, train, validate, half, progress=part_of(progress, 0.0, 0.5), augment=augment)
    stepped = fit_in_steps(start, loss, train, validate, half, progress=part_of(progress, 0.5, 1.0), augment=augment)
    transfer = Transfer(sister.name, len(columns), len(roles), stepped.best_loss, plain.best_loss)
    return (start, stepped, transfer) if transfer.helped else (network, plain, transfer)


_Places: TypeAlias = dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
"""Name of a tensor -> (shape in which roles have dimensions of their own, these dimensions)."""


def _of_leave_role_out(network: LeaveRoleOut, count: int) -> _Places:
    _, lags, hidden = network.first.shape
    return {
        "linear": ((lags, count, count), (1, 2)),
        "first": ((count, lags, hidden), (0,)),
        "bias": ((count, hidden), (0,)),
        "last": ((count, hidden, 2), (0,)),
        "offset": ((count, 1, 2), (0,)),
    }


def _of_mlp(network: Mlp, count: int) -> _Places:
    first = network.body[1]
    assert isinstance(first, nn.Linear)
    return {"body.1.weight": ((first.out_features, first.in_features // count, count), (2,))}


def _of_tcn(network: Tcn, count: int) -> _Places:
    named = {"blocks.0.first.weight", "blocks.0.around.weight"}
    del count
    return {name: (tuple(one.shape), (1,)) for name, one in network.state_dict().items() if name in named}


def _of_gru(network: Gru, count: int) -> _Places:
    del count
    name = "recurrent.weight_ih_l0"
    return {name: (tuple(network.state_dict()[name].shape), (1,))}


_PLACES: Final[Mapping[type[nn.Module], Callable[..., _Places]]] = {
    LeaveRoleOut: _of_leave_role_out,
    Mlp: _of_mlp,
    Tcn: _of_tcn,
    Gru: _of_gru,
}


def _role_places(network: nn.Module, count: int) -> _Places:
    return _PLACES[type(network)](network, count)


def _is_last(name: str) -> bool:
    """Of the last layer: the head of a window network, value and spread of the health network."""
    return name.startswith("head.") or name in {"last", "offset"}


def _at(dimensions: int, dims: tuple[int, ...], numbers: Tensor) -> tuple[slice | Tensor, ...]:
    """An index that picks these roles in each of `dims`, which stand side by side."""
    found: list[slice | Tensor] = [slice(None)] * dimensions
    for place, dim in enumerate(dims):
        found[dim] = numbers.view(-1, *(1,) * (len(dims) - 1 - place))
    return tuple(found)


def _same_size(
    sister: Sister, name: str, ours: tuple[int, ...], theirs: tuple[int, ...], dims: tuple[int, ...]
) -> None:
    """But for the number of roles."""
    if [n for d, n in enumerate(ours) if d not in dims] != [n for d, n in enumerate(theirs) if d not in dims]:
        cause = f"its network has another size ({name}: {theirs} there, {ours} here)"
        raise SisterUnusable(sister.name, cause, mend="Use the same window and the same size of network for both.")
