"""The same network on the same little data: plain, with changed copies, from a sister's weights, and with both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from tagsight_models.augmentation import usual
from tagsight_models.frame import Flags, Floats, Role
from tagsight_models.networks.registry import network
from tagsight_models.training import Augment, FitSettings, Loss, fit, silent
from tagsight_models.transfer import Sister, fit_from

SHARE: Final = 0.05
SETTINGS: Final = FitSettings(epochs=120, patience=15, batch=64, rate=3e-3, weight_decay=1e-2, at_most_seconds=1e4)
OF_SISTER: Final = replace(SETTINGS, epochs=30, batch=256)
HIDDEN: Final = (32, 16)
VARIANTS: Final = ("plain", "augmented", "transferred", "transferred and augmented")


@dataclass(frozen=True, slots=True)
class Scaling:
    """Mean and spread of each role, of the data that is learned from."""

    centre: Floats
    scale: Floats

    @classmethod
    def of(cls, windows: Floats) -> "Scaling":
        """Windows of shape (n, steps, roles)."""
        scale = windows.std(axis=(0, 1))
        return cls(windows.mean(axis=(0, 1)), np.where(scale > 1e-9, scale, 1.0))

    def __call__(self, windows: Floats) -> Tensor:
        """Standardised, float32, within five spreads: with little data a scale may be far too small."""
        return torch.as_tensor(np.clip((windows - self.centre) / self.scale, -5.0, 5.0), dtype=torch.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Windows (n, steps, roles) with targets (n, ...) as the loss takes them, and which of them are held out."""

    windows: Floats
    targets: Tensor
    held: Flags

    def pairs(self) -> tuple[Scaling, tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]]:
        """To learn from, and held out; scaled by what is learned from."""
        scaling = Scaling.of(self.windows[~self.held])
        inputs, held = scaling(self.windows), torch.as_tensor(self.held)
        return scaling, ((inputs[~held], self.targets[~held]), (inputs[held], self.targets[held]))


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One kind of network and loss."""

    roles: tuple[Role, ...]
    outputs: int
    loss: Loss

    def new(self, steps: int, seed: int) -> nn.Module:
        """Without training."""
        return network("mlp", steps, len(self.roles), self.outputs, seed, hidden=HIDDEN, dropout=0.1)


def sister(task: Task, data: Labelled) -> Sister:
    """Trained on all the data of the other machine."""
    made = task.new(data.windows.shape[1], seed=100)
    _, (learned, held) = data.pairs()
    fit(made, task.loss, learned, held, OF_SISTER, progress=silent)
    return Sister("the sister", task.roles, made, 1)


def trained(task: Task, data: Labelled, seed: int, other: Sister | None) -> Mapping[str, Callable[[Floats], Floats]]:
    """Variant -> a function from windows to outputs; those that transfer are left out without a sister.

    Epochs bound all of them alike, not time, so that a busy machine gives the same figures.
    """
    scaling, (learned, held) = data.pairs()
    found: dict[str, Callable[[Floats], Floats]] = {}
    own = replace(SETTINGS, seed=seed)
    for variant in VARIANTS:
        made = task.new(data.windows.shape[1], seed)
        augment: Augment | None = usual() if "augmented" in variant else None
        if "transferred" not in variant:
            fit(made, task.loss, learned, held, own, progress=silent, augment=augment)
        elif other is not None:
            made, _, _ = fit_from(
                made,
                task.loss,
                (learned, held),
                own,
                sister=other,
                roles=task.roles,
                progress=silent,
                augment=augment,
            )
        else:
            continue
        found[variant] = _outputs(made.eval(), scaling)
    return found


def _outputs(made: nn.Module, scaling: Scaling) -> Callable[[Floats], Floats]:
    def outputs(windows: Floats) -> Floats:
        with torch.no_grad():
            parts = [made(scaling(windows[start : start + 2048])) for start in range(0, len(windows), 2048)]
        return np.asarray(torch.cat(parts).double().numpy())

    return outputs


def windows_of(rows: Floats, steps: int) -> Floats:
    """Rows (n, roles) -> every window (n - steps + 1, steps, roles)."""
    return np.lib.stride_tricks.sliding_window_view(rows, steps, axis=0).transpose(0, 2, 1)
