"""Networks of one shape side by side, with time along the last axis: many evaluated in the kernels of one.

A matrix product is quick where its last axis is long, and time is the longest: so contexts come as
(networks, lags, roles, n), and the hidden layer of each role of each network is one product of a batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tagsight_models.networks.leave_role_out import BOUND, LeaveRoleOut


@dataclass(frozen=True, slots=True, eq=False)
class StackedNetworks:
    """The weights of `LeaveRoleOut` networks of one shape, for contexts with time along the last axis.

    Attributes:
        linear: shape (networks, roles, lags * roles).
        shared: shape (networks, hidden, lags * roles), the first layer for all roles together.
        own: shape (networks * roles, hidden, lags), what a role itself adds to that.
        bias: shape (networks, roles, hidden, 1).
        last: shape (networks * roles, 2, hidden).
        offset: shape (networks * roles, 2, 1).
    """

    linear: Tensor
    shared: Tensor
    own: Tensor
    bias: Tensor
    last: Tensor
    offset: Tensor

    @classmethod
    def of(cls, networks: Sequence[LeaveRoleOut]) -> "StackedNetworks":
        """A copy of their weights."""
        roles, lags, hidden = networks[0].first.shape
        with torch.no_grad():
            return cls(
                linear=torch.stack([one.linear.T for one in networks]).contiguous(),
                shared=torch.stack([one.first.permute(2, 1, 0).reshape(hidden, lags * roles) for one in networks]),
                own=torch.cat([one.first.transpose(1, 2) for one in networks]).contiguous(),
                bias=torch.stack([one.bias[..., None] for one in networks]),
                last=torch.cat([one.last.transpose(1, 2) for one in networks]).contiguous(),
                offset=torch.cat([one.offset.transpose(1, 2) for one in networks]).contiguous(),
            )

    def __call__(self, seen: Tensor, room: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Contexts (networks, lags, roles, n) -> expected value and log-spread, each (networks, roles, n).

        `room` is where the hidden layer may stand, (networks, roles, hidden, n): new memory costs more than the work.
        """
        networks, lags, roles, count = seen.shape
        hidden = self.shared.shape[1]
        expected = self.linear @ seen.view(networks, lags * roles, count)
        if hidden == 0:
            constant = self.offset.view(networks, roles, 2, 1)
            return expected.add_(constant[:, :, 0]), torch.tanh(constant[:, :, 1]).expand_as(expected)
        bounded = seen.clamp(-BOUND, BOUND)
        shared = self.shared @ bounded.view(networks, lags * roles, count)
        before = torch.add(shared[:, None], self.bias, out=room)
        own = bounded.transpose(1, 2).reshape(networks * roles, lags, count)
        features = before.view(networks * roles, hidden, count).baddbmm_(self.own, own, alpha=-1.0).relu_()
        out = torch.baddbmm(self.offset, self.last, features).view(networks, roles, 2, count)
        return expected.add_(out[:, :, 0]), torch.tanh(out[:, :, 1])


def contexts(values: Tensor, lags: Sequence[int]) -> Tensor:
    """Values (networks, roles, batch, steps) -> (networks, lags, roles, batch * (steps - max(lags)))."""
    longest, steps = lags[-1], values.shape[3]
    return torch.stack([values[..., longest - lag : steps - lag] for lag in lags], dim=1).flatten(3)
