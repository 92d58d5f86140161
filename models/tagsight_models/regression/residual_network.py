"""A small ensemble of networks on what the line leaves over, trained by `training.fit`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from tagsight_models.frame import Floats
from tagsight_models.networks.registry import network
from tagsight_models.training import FitSettings, Fitted, Progress, fit

HIDDEN: Final = (32, 16)
BLOCKS: Final = 20
"""Stretches of training time; each network holds out every fourth of them, to stop in time."""


def half_squares(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Half the mean squared error."""
    found: Tensor = 0.5 * nn.functional.mse_loss(model(inputs), targets)
    return found


def fit_networks(
    features: Floats, left: Floats, count: int, settings: FitSettings, *, progress: Progress
) -> tuple[list[nn.Module], Fitted]:
    """Train them.

    Args:
        features: standardised, shape (n, columns).
        left: what the line leaves of a standardised target, shape (n,).
        count: of networks.
        settings: of each fit; the time budget is that of all.
        progress: told the share done of each.

    Returns:
        The networks, float64, and what their fits did together.
    """
    inputs = torch.as_tensor(features[:, None], dtype=torch.float32)
    targets = torch.as_tensor(left[:, None], dtype=torch.float32)
    stretch = np.minimum(np.arange(len(left)) * BLOCKS // max(len(left), 1), BLOCKS - 1)
    found, done = [], list[Fitted]()
    for number in range(count):
        made = empty_network(features.shape[1], settings.seed * 101 + number)
        own = replace(settings, seed=settings.seed * 101 + number, at_most_seconds=settings.at_most_seconds / count)
        held = torch.as_tensor(stretch % 4 == number % 4)
        pair = (inputs[~held], targets[~held]), (inputs[held], targets[held])
        done.append(fit(made, half_squares, *pair, own, progress=progress))
        found.append(made.double().eval().requires_grad_(requires_grad=False))
    return found, _together(done)


def _together(done: Sequence[Fitted]) -> Fitted:
    return Fitted(
        max((one.epochs for one in done), default=0),
        max((one.best_epoch for one in done), default=0),
        float(np.mean([one.start_loss for one in done] or [0.0])),
        float(np.mean([one.best_loss for one in done] or [0.0])),
        sum(one.seconds for one in done),
        any(one.stopped_by_time for one in done),
    )


def empty_network(columns: int, seed: int = 0) -> nn.Module:
    """Of the shape of all; its last layer starts at zero, so that training starts at the line."""
    made = network("mlp", 1, columns, 1, seed, hidden=HIDDEN)
    head = made.head
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
    return made


@torch.inference_mode()
def predicted(networks: Sequence[nn.Module], features: Floats) -> Floats:
    """Mean of the networks, shape (n,)."""
    if not networks:
        return np.zeros(len(features))
    inputs = torch.from_numpy(np.ascontiguousarray(features[:, None], dtype=np.float64))
    return np.asarray(sum(each(inputs).numpy()[:, 0] for each in networks) / len(networks))
