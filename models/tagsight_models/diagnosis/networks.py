"""Networks on the discriminants: they bend the borders that the linear discriminants draw straight."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tagsight_models.frame import Floats
from tagsight_models.networks.registry import network
from tagsight_models.training import FitSettings, Fitted, Loss, fit, silent

HIDDEN = (96,)
EPOCHS = 30
BATCH = 128
JITTER = 0.3  # within-class spreads: added to what is learned from, anew in each epoch
FAR = 30.0


def new_network(discriminants: int, classes: int, seed: int) -> nn.Module:
    """Without training; takes (batch, 1, discriminants)."""
    return network("mlp", 1, discriminants, classes, seed, hidden=HIDDEN, dropout=0.2)


def bounded(along: Floats) -> Tensor:
    """What a network sees, (n, 1, discriminants), float64."""
    return torch.from_numpy(np.arcsinh(np.clip(along, -1e6, 1e6) / FAR) * FAR)[:, None]


def log_probabilities(networks: list[nn.Module], along: Floats) -> Floats:
    """Shape (n, discriminants) -> (n, classes): the mean of the networks' log probabilities, normalised."""
    with torch.no_grad():
        found = torch.stack([torch.log_softmax(one(bounded(along)), dim=1) for one in networks]).mean(dim=0)
        return np.asarray(torch.log_softmax(found, dim=1).numpy(), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seed of one network, and the seconds that it may take."""

    seed: int
    seconds: float


def learned_network(
    along: Floats, classes: NDArray[np.intp], count: int, patience: Patience
) -> tuple[nn.Module, Fitted]:
    """A network, all of whose classes weigh alike; a fixed number of epochs, so that nothing held out is looked at."""
    made = new_network(along.shape[1], count, patience.seed)
    inputs, targets = bounded(along).float(), torch.from_numpy(classes.astype(np.int64))
    settings = FitSettings(
        epochs=EPOCHS,
        patience=EPOCHS,
        batch=BATCH,
        rate=2e-3,
        weight_decay=1e-2,
        seed=patience.seed,
        at_most_seconds=patience.seconds,
    )
    fitted = fit(
        made, _loss(classes, count), (inputs, targets), (inputs, targets), settings, progress=silent, augment=_jitter
    )
    return made.double().eval(), fitted


def _loss(classes: NDArray[np.intp], count: int) -> Loss:
    frequency = np.maximum(np.bincount(classes, minlength=count), 1)
    weights = torch.from_numpy(len(classes) / count / frequency).float()

    def loss(made: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
        each = nn.functional.cross_entropy(made(inputs), targets, reduction="none")
        return (each * weights[targets]).mean()

    return loss


def _jitter(inputs: Tensor, targets: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    return inputs + JITTER * torch.randn(inputs.shape, generator=random), targets
