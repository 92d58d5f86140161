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
from tagsight_models.transfer import Sister, fit_from, fit_in_steps, matched, started_from

SHARE: Final = 0.05
SETTINGS: Final = FitSettings(epochs=120, patience=15, batch=64, rate=3e-3, weight_decay=1e-2, at_most_seconds=1e4)
OF_SISTER: Final = replace(SETTINGS, epochs=30, batch=256)
HIDDEN: Final = (32, 16)
VARIANTS: Final = ("plain", "augmented", "transferred", "transferred and augmented")


@dataclass(frozen=True, slots=True)
class Scaling:
    """Mean and spread of each role, and of targets that are numbers, of the data that is learned from."""

    centre: Floats
    scale: Floats
    target_centre: float = 0.0
    target_scale: float = 1.0

    @classmethod
    def of(cls, windows: Floats, targets: Tensor) -> "Scaling":
        """Windows of shape (n, steps, roles); targets that are classes stay."""
        scale = windows.std(axis=(0, 1))
        found = cls(windows.mean(axis=(0, 1)), np.where(scale > 1e-9, scale, 1.0))
        if not targets.is_floating_point():
            return found
        return replace(found, target_centre=float(targets.mean()), target_scale=float(targets.std()))

    def __call__(self, windows: Floats) -> Tensor:
        """Standardised, float32, within five spreads: with little data a scale may be far too small."""
        return torch.as_tensor(np.clip((windows - self.centre) / self.scale, -5.0, 5.0), dtype=torch.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Windows (n, steps, roles) with targets (n, ...) as the loss takes them, and which of them are held out."""

    windows: Floats
    targets: Tensor
    held: Flags

    @property
    def scaling(self) -> Scaling:
        """Of what is learned from."""
        return Scaling.of(self.windows[~self.held], self.targets[torch.as_tensor(~self.held)])

    def pairs(self, by: Scaling) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """To learn from, and held out."""
        inputs, held, targets = by(self.windows), torch.as_tensor(self.held), self.targets
        if targets.is_floating_point():
            targets = (targets - by.target_centre) / by.target_scale
        return (inputs[~held], targets[~held]), (inputs[held], targets[held])


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """A sister, and how the data that she learned from was scaled."""

    sister: Sister
    scaling: Scaling


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One kind of network and loss."""

    roles: tuple[Role, ...]
    outputs: int
    loss: Loss

    def new(self, steps: int, seed: int) -> nn.Module:
        """Without training."""
        return network("mlp", steps, len(self.roles), self.outputs, seed, hidden=HIDDEN, dropout=0.1)


def sister(task: Task, data: Labelled) -> Scaled:
    """Trained on all the data of the other machine."""
    made = task.new(data.windows.shape[1], seed=100)
    fit(made, task.loss, *data.pairs(data.scaling), OF_SISTER, progress=silent)
    return Scaled(Sister("the sister", task.roles, made, 1), data.scaling)


def trained(task: Task, data: Labelled, seed: int, other: Scaled | None) -> Mapping[str, Callable[[Floats], Floats]]:
    """Variant -> a function from windows to outputs; those that transfer are left out without a sister.

    Epochs bound all of them alike, not time, so that a busy machine gives the same figures.
    """
    found: dict[str, Callable[[Floats], Floats]] = {}
    own = replace(SETTINGS, seed=seed)
    for variant in VARIANTS:
        augment: Augment | None = usual() if "augmented" in variant else None
        if "transferred" not in variant:
            made = task.new(data.windows.shape[1], seed)
            fit(made, task.loss, *data.pairs(data.scaling), own, progress=silent, augment=augment)
            found[variant] = _outputs(made.eval(), data.scaling)
        elif other is not None:
            found[variant] = _transferred(task, data, own, other, augment)
    return found


def _transferred(
    task: Task, data: Labelled, own: FitSettings, other: Scaled, augment: Augment | None
) -> Callable[[Floats], Floats]:
    """From nothing, and from the sister with either scaling: the lowest held-out loss in units of the target."""
    steps, roles = data.windows.shape[1], task.roles
    made, fitted, _ = fit_from(
        task.new(steps, own.seed),
        task.loss,
        data.pairs(data.scaling),
        own,
        sister=other.sister,
        roles=roles,
        progress=silent,
        augment=augment,
    )
    hers = started_from(task.new(steps, own.seed), other.sister, matched(roles, other.sister), len(roles))
    stepped = fit_in_steps(hers, task.loss, *data.pairs(other.scaling), own, progress=silent, augment=augment)
    losses = fitted.best_loss * data.scaling.target_scale**2, stepped.best_loss * other.scaling.target_scale**2
    return _outputs(made.eval(), data.scaling) if losses[0] <= losses[1] else _outputs(hers.eval(), other.scaling)


def _outputs(made: nn.Module, scaling: Scaling) -> Callable[[Floats], Floats]:
    def outputs(windows: Floats) -> Floats:
        with torch.no_grad():
            parts = [made(scaling(windows[start : start + 2048])) for start in range(0, len(windows), 2048)]
        return scaling.target_centre + scaling.target_scale * np.asarray(torch.cat(parts).double().numpy())

    return outputs


def windows_of(rows: Floats, steps: int) -> Floats:
    """Rows (n, roles) -> every window (n - steps + 1, steps, roles)."""
    return np.lib.stride_tricks.sliding_window_view(rows, steps, axis=0).transpose(0, 2, 1)
