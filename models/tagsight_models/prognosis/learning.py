"""The ensemble: each network learns from most lives, stops by a part of them, and is judged on a part it never saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from tagsight_models.frame import Flags, Floats, Times
from tagsight_models.prognosis.features import Features
from tagsight_models.prognosis.model import ensemble, new_network
from tagsight_models.training import FitSettings, Fitted, Progress, fit

EPOCHS: Final = 20
PATIENCE: Final = 6
BATCH: Final = 512
RATE: Final = 5e-3
DECAY: Final = 1e-2
NOISE: Final = 0.05  # of the standardised features, in training only


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """What the networks learn from.

    Attributes:
        inputs: shape (n, filters, coordinates).
        target: shape (n,), remaining life in steps, capped.
        life: shape (n,), number of the life.
        age: shape (n,), steps since the life began; for judging alone, never an input.
        cap: steps.
    """

    inputs: Floats
    target: Floats
    life: Times
    age: Times
    cap: float

    def part(self, chosen: Flags) -> tuple[Tensor, Tensor]:
        """Inputs and targets of some rows, as the networks take them."""
        target = self.target[chosen, None] / self.cap - 0.5
        return torch.as_tensor(self.inputs[chosen], dtype=torch.float32), torch.as_tensor(target, dtype=torch.float32)


def folds(life: Times, count: int, seed: int) -> Times:
    """Shape (n,): the fold of each row; a life lies in one fold whole."""
    lives = np.unique(life)
    order = np.random.default_rng(seed).permutation(len(lives))
    number = np.empty(len(lives), dtype=np.int64)
    number[order] = np.arange(len(lives)) % count
    return np.asarray(number[np.searchsorted(lives, life)])


def learn(
    examples: Examples,
    features: Features,
    network: str,
    fold: Times,
    *,
    seed: int,
    at_most_seconds: float,
    progress: Progress,
    kept_in: Path | None = None,
) -> tuple[list[nn.Module], Floats, list[Fitted]]:
    """The networks, the prediction for each example by the one that saw nothing of its life, and what the fits did."""
    members: list[nn.Module] = []
    done: list[Fitted] = []
    unseen = np.empty(len(fold))
    count = int(fold.max()) + 1
    for number in range(count):
        left_out, stopping = fold == number, fold == (number + 1) % count
        budget = FitSettings(
            epochs=EPOCHS,
            patience=PATIENCE,
            batch=BATCH,
            rate=RATE,
            weight_decay=DECAY,
            seed=seed * 1000 + number,
            at_most_seconds=at_most_seconds / count,
            kept_in=kept_in,
        )
        member = new_network(network, features, budget.seed)
        shown = _part(progress, number / count, (number + 1) / count)
        learned = examples.part(~left_out & ~stopping)
        done.append(fit(member, squared, learned, examples.part(stopping), budget, progress=shown, augment=noisy))
        members.append(member.double().eval())
        unseen[left_out] = ensemble(members[-1:], examples.inputs[left_out], examples.cap)
    return members, unseen, done


def squared(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error."""
    return nn.functional.mse_loss(network(inputs), targets)


def noisy(inputs: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inputs with a little noise, so that no network learns a single machine by heart."""
    return inputs + NOISE * torch.randn(inputs.shape, generator=generator), targets


def weights(life: Times) -> Floats:
    """Each life counts the same; sums to one."""
    lives, own, rows = np.unique(life, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / rows[own] / len(lives))


def rms(errors: Floats, life: Sequence[int] | Times) -> float:
    """Root of the mean square, each life with the same weight."""
    return float(np.sqrt((weights(np.asarray(life)) * errors**2).sum()))


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda share, words: progress(start + share * (end - start), words)
