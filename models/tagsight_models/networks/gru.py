"""A recurrent network: gated recurrent units over the steps of the window (K. Cho et al., 2014)."""

import torch
from torch import Tensor, nn


class Gru(nn.Module):
    """(batch, steps, roles) standardised -> (batch, outputs); the state starts at zero with each window."""

    def __init__(
        self, steps: int, roles: int, outputs: int, *, hidden: int = 32, layers: int = 1, dropout: float = 0.1
    ) -> None:
        super().__init__()
        del steps  # any number of them
        self.recurrent = nn.GRU(roles, hidden, layers, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * hidden, outputs)

    def forward(self, windows: Tensor) -> Tensor:
        """Outputs of each window."""
        seen, _ = self.recurrent(windows)
        found: Tensor = self.head(self.dropout(torch.cat([seen[:, -1], seen.mean(dim=1)], dim=1)))
        return found
