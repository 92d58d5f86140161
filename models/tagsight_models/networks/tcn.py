"""A temporal convolutional network: causal, dilated convolutions with residual connections.

S. Bai, J. Z. Kolter, V. Koltun, "An empirical evaluation of generic convolutional and recurrent networks for sequence
modeling", 2018; with layer normalisation over channels in place of weight normalisation, and a head that sees the last
step and the mean over time.
"""

import torch
from torch import Tensor, nn


class Tcn(nn.Module):
    """(batch, steps, roles) standardised -> (batch, outputs)."""

    def __init__(
        self, steps: int, roles: int, outputs: int, *, channels: int = 32, kernel: int = 3, dropout: float = 0.1
    ) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        reach, dilation, before = 1, 1, roles
        while reach < steps or not blocks:
            blocks.append(_Block(before, channels, kernel, dilation, dropout))
            reach += 2 * (kernel - 1) * dilation
            before, dilation = channels, 2 * dilation
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(2 * channels, outputs)

    def forward(self, windows: Tensor) -> Tensor:
        """Outputs of each window."""
        seen = self.blocks(windows.transpose(1, 2))
        found: Tensor = self.head(torch.cat([seen[:, :, -1], seen.mean(dim=2)], dim=1))
        return found


class _Block(nn.Module):
    """Two causal convolutions and a way past them; (batch, channels, steps)."""

    def __init__(self, before: int, channels: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.past = (kernel - 1) * dilation
        self.first = nn.Conv1d(before, channels, kernel, dilation=dilation)
        self.second = nn.Conv1d(channels, channels, kernel, dilation=dilation)
        self.first_norm = nn.GroupNorm(1, channels)
        self.second_norm = nn.GroupNorm(1, channels)
        self.dropout = nn.Dropout(dropout)
        self.around = nn.Conv1d(before, channels, 1) if before != channels else nn.Identity()

    def forward(self, seen: Tensor) -> Tensor:
        found = nn.functional.pad(seen, (self.past, 0))
        found = self.dropout(torch.relu(self.first_norm(self.first(found))))
        found = nn.functional.pad(found, (self.past, 0))
        found = self.dropout(torch.relu(self.second_norm(self.second(found))))
        around: Tensor = self.around(seen)
        return torch.relu(found + around)
