"""The expected value of each role from the recent past and present of all other roles.

A role's own values are never an input of its own expectation, so a fault in one sensor does not pull its expected
value along. Expectation = linear part (fixed, ridge regression in closed form) + a small network that learns what is
not linear; both see the context at causal, dilated lags. The first layer is shared by all roles: the contribution of
the role itself is subtracted from the shared sum before the nonlinearity, so leaving out each of R roles costs about
as much as one evaluation, not R.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

BOUND = 4.0  # the nonlinear part sees standardised inputs within this bound: it never extrapolates


class LeaveRoleOut(nn.Module):
    """Standardised context -> expected value and log of the relative spread of each role.

    Attributes:
        linear: shape (lags * roles, roles), zero where a role would see itself.
        first: shape (roles, lags, hidden), the shared first layer.
        bias: shape (roles, hidden).
        last: shape (roles, hidden, 2): value and log-spread; starts at zero, so training starts at the linear part.
    """

    linear: Tensor

    def __init__(self, roles: int, lags: int, hidden: int, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        spread = (lags * roles) ** -0.5
        self.register_buffer("linear", torch.zeros(lags * roles, roles))
        self.first = nn.Parameter(2.0 * spread * torch.randn(roles, lags, hidden, generator=generator))
        self.bias = nn.Parameter(torch.randn(roles, hidden, generator=generator))
        self.last = nn.Parameter(torch.zeros(roles, hidden, 2))
        self.offset = nn.Parameter(torch.zeros(roles, 1, 2))

    def without_hidden(self) -> "LeaveRoleOut":
        """The linear part alone."""
        roles, lags, _ = self.first.shape
        linear = LeaveRoleOut(roles, lags, 0)
        linear.linear.copy_(self.linear)
        return linear

    def forward(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Context of shape (n, lags * roles) -> two tensors of shape (n, roles)."""
        roles, lags, hidden = self.first.shape
        bounded = context.clamp(-BOUND, BOUND)
        shared = bounded @ self.first.transpose(0, 1).reshape(lags * roles, hidden)
        own = bounded.reshape(-1, lags, roles).permute(2, 0, 1)
        before = shared[None] + self.bias[:, None]
        features = torch.relu(torch.baddbmm(before, own, self.first, alpha=-1.0))
        out = torch.baddbmm(self.offset, features, self.last)
        return context @ self.linear + out[..., 0].T, torch.tanh(out[..., 1].T)


def context(values: Tensor, lags: Sequence[int]) -> Tensor:
    """Values (batch, steps, roles) -> (batch, steps - max(lags), len(lags) * roles); `lags` ascend from 0."""
    longest, steps = lags[-1], values.shape[1]
    return torch.cat([values[:, longest - lag : steps - lag] for lag in lags], dim=2)
