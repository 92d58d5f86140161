"""The multilayer perceptron of the textbook: fully connected layers of 12 and 8, on all values of the window.

With 8 inputs, one step and one output behind a sigmoid it is the plain 8-12-8-1 network.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Mlp(nn.Module):
    """(batch, steps, roles) standardised -> (batch, outputs)."""

    def __init__(
        self, steps: int, roles: int, outputs: int, *, hidden: Sequence[int] = (12, 8), dropout: float = 0.0
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        before = steps * roles
        for size in hidden:
            layers += [nn.Linear(before, size), nn.ReLU(), nn.Dropout(dropout)]
            before = size
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(before, outputs)

    def forward(self, windows: Tensor) -> Tensor:
        """Outputs of each window."""
        found: Tensor = self.head(self.body(windows))
        return found


class Sigmoid(nn.Module):
    """A network with its outputs between 0 and 1."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, windows: Tensor) -> Tensor:
        """Outputs of each window, 0 to 1."""
        return torch.sigmoid(self.network(windows))
