"""Changed copies of windows to learn from, where there is little data: what a network should not mind.

Each augmentation is a value that is an `Augment` of `training.fit`: (inputs, targets, random numbers) -> both again.
Inputs have shape (batch, steps, roles), standardised; jitter, scaling and chains take (batch, columns) too. Laws, for
all of them: shapes stay; targets stay as they are; strength 0 changes nothing; only the generator that is handed in
gives random numbers; inputs are never changed in place. The last step of a window stays the last step: what a target
belongs to.

T. T. Um and others, "Data augmentation of wearable sensor data for Parkinson's disease monitoring using convolutional
neural networks", 2017; B. K. Iwana, S. Uchida, "An empirical survey of data augmentation for time series", 2021.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from tagsight_models.training import Augment


@dataclass(frozen=True, slots=True)
class Jitter:
    """Noise on every value; `strength`: its standard deviation, in standard deviations of the role."""

    strength: float

    def __call__(self, inputs: Tensor, targets: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs of any shape."""
        if not self.strength:
            return inputs, targets
        return inputs + self.strength * _normal(inputs.shape, random), targets


@dataclass(frozen=True, slots=True)
class Scaling:
    """Each role of each window by a factor of its own; `strength`: standard deviation of the factor's logarithm."""

    strength: float

    def __call__(self, inputs: Tensor, targets: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs of shape (batch, steps, roles) or (batch, columns)."""
        if not self.strength:
            return inputs, targets
        one_each = (inputs.shape[0], *(1,) * (inputs.dim() - 2), inputs.shape[-1])
        return inputs * torch.exp(self.strength * _normal(one_each, random)), targets


@dataclass(frozen=True, slots=True)
class MagnitudeWarping:
    """Each role by a factor that wanders over the window; `strength`: of its logarithm at the `knots`."""

    strength: float
    knots: int = 4

    def __call__(self, inputs: Tensor, targets: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs of shape (batch, steps, roles)."""
        if not self.strength:
            return inputs, targets
        batch, steps, roles = inputs.shape
        wandering = _curve(_normal((batch, self.knots, roles), random), steps)
        return inputs * torch.exp(self.strength * wandering), targets


@dataclass(frozen=True, slots=True)
class TimeWarping:
    """Time runs faster here and slower there, the same for all roles; the window's ends stay its ends.

    `strength`: standard deviation of the logarithm of the speed at the `knots`.
    """

    strength: float
    knots: int = 4

    def __call__(self, inputs: Tensor, targets: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs of shape (batch, steps, roles)."""
        batch, steps, _ = inputs.shape
        if not self.strength or steps < 2:
            return inputs, targets
        logarithms = _curve(_normal((batch, self.knots, 1), random), steps - 1)[..., 0]
        passed = torch.exp(self.strength * logarithms).cumsum(dim=1)
        positions = (steps - 1) * torch.cat([torch.zeros_like(passed[:, :1]), passed], dim=1) / passed[:, -1:]
        return _at(inputs, positions), targets


@dataclass(frozen=True, slots=True)
class Slicing:
    """The end of the window, stretched to its whole length; `strength`: the largest share cut from its start."""

    strength: float

    def __call__(self, inputs: Tensor, targets: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs of shape (batch, steps, roles)."""
        batch, steps, _ = inputs.shape
        if not self.strength:
            return inputs, targets
        cut = self.strength * (steps - 1) * torch.rand(batch, 1, generator=random)
        positions = cut + (steps - 1 - cut) * torch.linspace(0.0, 1.0, steps)[None]
        return _at(inputs, positions), targets


@dataclass(frozen=True, slots=True)
class SensorFault:
    """One role of some windows fails from some step on: it holds, is off by a lot, gets noisy, or reads its mean.

    `strength`: share of windows with such a fault. A network that learns with them does not lean on a single sensor.
    """

    strength: float
    size: float = 3.0

    def __call__(self, inputs: Tensor, targets: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs of shape (batch, steps, roles)."""
        if not self.strength:
            return inputs, targets
        batch, steps, roles = inputs.shape
        failing = torch.rand(batch, generator=random) < self.strength
        role = torch.randint(roles, (batch,), generator=random)
        start = torch.randint(steps, (batch,), generator=random)
        way = torch.randint(4, (batch, 1), generator=random)
        offset, noise = self.size * _normal((batch, 1), random), self.size * _normal((batch, steps), random)
        number = torch.arange(batch)
        value = inputs[number, :, role]
        held = inputs[number, start, role][:, None].expand_as(value)
        broken = torch.where(way == 0, held, torch.where(way == 1, value + offset, 0.0 * value))
        broken = torch.where(way == 2, value + noise, broken)
        from_there = failing[:, None] & (torch.arange(steps)[None] >= start[:, None])
        changed = inputs.clone()
        changed[number, :, role] = torch.where(from_there, broken, value)
        return changed, targets


@dataclass(frozen=True, slots=True)
class ProcessFault:
    """The process of some windows drifts: several roles move together, each its own way, from some step to the end.

    `strength`: share of windows with such a drift; for targets that do not depend on it, or that stand for the class
    "drifting too": the target stays.
    """

    strength: float
    size: float = 1.0

    def __call__(self, inputs: Tensor, targets: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs of shape (batch, steps, roles)."""
        if not self.strength:
            return inputs, targets
        batch, steps, roles = inputs.shape
        failing = (torch.rand(batch, 1, 1, generator=random) < self.strength).to(inputs.dtype)
        start = torch.rand(batch, 1, generator=random)
        ramp = ((torch.linspace(0.0, 1.0, steps)[None] - start) / (1.0 - start).clamp(min=1e-3)).clamp(0.0, 1.0)
        direction = self.size * _normal((batch, 1, roles), random)
        return inputs + failing * ramp[..., None] * direction, targets


@dataclass(frozen=True, slots=True)
class Chain:
    """One after the other."""

    parts: tuple[Augment, ...]

    def __call__(self, inputs: Tensor, targets: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs of the shape that all parts take."""
        for part in self.parts:
            inputs, targets = part(inputs, targets, random)
        return inputs, targets


def usual(strength: float = 1.0) -> Chain:
    """What windows of a process can do without their target changing, weaker than the noise of most sensors."""
    return Chain(
        (
            Slicing(0.2 * strength),
            TimeWarping(0.1 * strength),
            MagnitudeWarping(0.05 * strength),
            Scaling(0.05 * strength),
            Jitter(0.1 * strength),
            SensorFault(min(0.1 * strength, 1.0)),
        )
    )


def _normal(shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=random)


def _curve(knots: Tensor, steps: int) -> Tensor:
    """Values at evenly spaced knots, (batch, knots, roles) -> (batch, steps, roles), with cosines between them."""
    count = knots.shape[1]
    place = torch.linspace(0.0, count - 1.0, steps)
    before = place.long().clamp(max=max(count - 2, 0))
    share = (0.5 - 0.5 * torch.cos(torch.pi * (place - before)))[None, :, None]
    return knots[:, before] * (1.0 - share) + knots[:, (before + 1).clamp(max=count - 1)] * share


def _at(inputs: Tensor, positions: Tensor) -> Tensor:
    """Inputs (batch, steps, roles) at fractional steps (batch, steps), linear between them."""
    last = inputs.shape[1] - 1
    positions = positions.clamp(0.0, float(last))
    before = positions.long().clamp(max=max(last - 1, 0))
    share = (positions - before)[..., None].to(inputs.dtype)
    roles = inputs.shape[2]
    lower = inputs.gather(1, before[..., None].expand(-1, -1, roles))
    upper = inputs.gather(1, (before + 1).clamp(max=last)[..., None].expand(-1, -1, roles))
    return lower + share * (upper - lower)
