"""The loss of `LeaveRoleOut` networks side by side, and its gradient in closed form.

The loss is Huber's, of the residual in units of the learned spread, plus the log-spread: `training.expectation_loss`
says the same of one network. The gradient is written out, since what a general one spends on bookkeeping is more than
this costs, and time is the last axis as in `stacked.py`. The linear part of a network is fixed: it is taken off the
targets beforehand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from tagsight_models.networks.leave_role_out import BOUND, LeaveRoleOut

KNEE: Final = 3.0  # residuals beyond this count by their size, not by their square
NAMES: Final = ("own", "bias", "last", "offset")


def prepared(rows: Tensor, network: LeaveRoleOut, spread: Tensor) -> tuple[Tensor, Tensor]:
    """Context rows (n, lags * roles) -> what the hidden layer sees, role by role, and what the linear part leaves."""
    roles, lags, _ = network.first.shape
    left = (rows[:, :roles] - rows @ network.linear) / spread
    return rows.clamp(-BOUND, BOUND).view(-1, lags, roles).transpose(1, 2).flatten(1), left


def weights_of(network: LeaveRoleOut) -> dict[str, Tensor]:
    """What is learned, in the order of dimensions in which it is stacked."""
    with torch.no_grad():
        return {
            "own": network.first.transpose(1, 2).clone(),
            "bias": network.bias.clone(),
            "last": network.last.transpose(1, 2).clone(),
            "offset": network.offset[:, 0].clone(),
        }


def load_weights(network: LeaveRoleOut, weights: Mapping[str, Tensor]) -> None:
    """The inverse of `weights_of`."""
    with torch.no_grad():
        network.first.copy_(weights["own"].transpose(1, 2))
        network.bias.copy_(weights["bias"])
        network.last.copy_(weights["last"].transpose(1, 2))
        network.offset[:, 0].copy_(weights["offset"])


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Of each of the networks, and how many there are."""

    networks: int
    roles: int
    lags: int
    hidden: int

    @property
    def parts(self) -> tuple[tuple[int, ...], ...]:
        """Shape of each of `NAMES`, all networks together."""
        most = self.networks * self.roles
        return (most, self.hidden, self.lags), (most, self.hidden), (most, 2, self.hidden), (most, 2)

    @property
    def sizes(self) -> list[int]:
        """Number of values of each."""
        return [torch.Size(part).numel() for part in self.parts]


class Stack:
    """Weights of networks of one shape in one row of numbers: part by part, in each network by network.

    Attributes:
        flat: the weights.
        inverse: shape (networks * roles, 1), one over the spread of each role.
    """

    def __init__(self, shape: Shape, weights: Sequence[Mapping[str, Tensor]], spreads: Sequence[Tensor]) -> None:
        self.shape = shape
        self.flat = torch.cat([torch.stack([one[name] for one in weights]).flatten() for name in NAMES])
        self.gradient = torch.zeros_like(self.flat)
        self.inverse = 1.0 / torch.cat(list(spreads))[:, None]
        owners = [
            torch.arange(shape.networks).repeat_interleave(size // max(shape.networks, 1)) for size in shape.sizes
        ]
        self.owner = torch.cat(owners)
        """Which network each number belongs to."""
        self._own, self._bias, self._last, self._offset = self.views(self.flat)
        self._slopes = self.views(self.gradient)

    def views(self, flat: Tensor) -> list[Tensor]:
        """Each of `NAMES`, of a row of numbers like `flat`."""
        parts = torch.split_with_sizes(flat, self.shape.sizes)
        return [one.view(part) for one, part in zip(parts, self.shape.parts, strict=True)]

    def weights(self, number: int, flat: Tensor | None = None) -> dict[str, Tensor]:
        """A copy of the weights of one network, or of what belongs to them in another row of numbers."""
        roles = slice(number * self.shape.roles, (number + 1) * self.shape.roles)
        parts = self.views(self.flat if flat is None else flat)
        return {name: part[roles].clone() for name, part in zip(NAMES, parts, strict=True)}

    def hidden(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """(networks, roles * lags, n) -> hidden layer (networks * roles, hidden, n), and what it says (.., 2, n)."""
        networks, roles, lags, hidden = self.shape.networks, self.shape.roles, self.shape.lags, self.shape.hidden
        own, bias = self._own, self._bias
        together = own.view(networks, roles, hidden, lags).transpose(1, 2).reshape(networks, hidden, roles * lags)
        shared = together @ seen
        before = shared[:, None] + bias.view(networks, roles, hidden, 1)
        alone = seen.view(networks * roles, lags, -1)
        features = before.view(networks * roles, hidden, -1).baddbmm_(own, alone, alpha=-1.0).relu_()
        return features, torch.baddbmm(self._offset[..., None], self._last, features)

    def losses(self, seen: Tensor, left: Tensor) -> Tensor:
        """Sum of the losses of n rows, of each network; `left` has shape (networks * roles, n)."""
        _, said = self.hidden(seen)
        log_spread = torch.tanh(said[:, 1])
        size = ((left - said[:, 0] * self.inverse) * torch.exp(-log_spread)).abs_()
        huber = torch.where(size <= KNEE, 0.5 * size * size, KNEE * (size - 0.5 * KNEE))
        return (huber + log_spread).view(self.shape.networks, self.shape.roles, -1).sum(dim=(1, 2))

    def lengths(self) -> Tensor:
        """Of the gradient of each network."""
        squares = self.gradient.square()
        if self.shape.networks == 1:
            return squares.sum(dim=0, keepdim=True).sqrt_()
        return squares.new_zeros(self.shape.networks).index_add_(0, self.owner, squares).sqrt_()

    def find_gradient(self, seen: Tensor, left: Tensor, share: Tensor) -> None:
        """Of the mean loss of each network, into `gradient`.

        Args:
            seen: shape (networks, roles * lags, n).
            left: shape (networks * roles, n).
            share: shape (networks * roles, n) or (networks * roles, 1): what each loss counts; 0 for rows that fill up.
        """
        networks, roles, lags, hidden = self.shape.networks, self.shape.roles, self.shape.lags, self.shape.hidden
        features, said = self.hidden(seen)
        log_spread = torch.tanh(said[:, 1])
        factor = torch.exp(-log_spread)
        size = (left - said[:, 0] * self.inverse).mul_(factor)
        bent = size.clamp(-KNEE, KNEE)
        slope = torch.empty_like(said)
        torch.mul(bent.neg(), factor.mul_(self.inverse).mul_(share), out=slope[:, 0])
        torch.mul((1.0 - bent.mul_(size)).mul_(share), 1.0 - log_spread.square_(), out=slope[:, 1])
        own, bias, to_last, offset = self._slopes
        torch.sum(slope, dim=2, out=offset)
        torch.bmm(slope, features.transpose(1, 2), out=to_last)
        back = torch.ops.aten.threshold_backward(torch.bmm(self._last.transpose(1, 2), slope), features, 0.0)
        torch.sum(back, dim=2, out=bias)
        alone = seen.view(networks * roles, lags, -1)
        shared = back.view(networks, roles, hidden, -1).sum(dim=1) @ seen.transpose(1, 2)
        together = shared.view(networks, hidden, roles, lags).transpose(1, 2).reshape(own.shape)
        torch.baddbmm(together, back, alone.transpose(1, 2), alpha=-1.0, out=own)
