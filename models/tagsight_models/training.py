"""Training of networks: the one place of Lightning's Trainer. Seeded, deterministic, quiet, within a time budget."""

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deprecations inside the library are not the user's
    import lightning.pytorch as lightning

from tagsight_models.errors import TrainingInterrupted

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

Progress: TypeAlias = Callable[[float, str], None]

Augment: TypeAlias = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""(inputs, targets, random numbers) -> inputs and targets to learn from instead."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How long and how fast a network learns."""

    epochs: int = 150
    patience: int = 12
    batch: int = 256
    rate: float = 6e-3
    weight_decay: float = 1e-3
    seed: int = 0
    at_most_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit did: epochs run, the epoch whose weights were kept (0: the linear start), losses, seconds."""

    epochs: int
    best_epoch: int
    start_loss: float
    best_loss: float
    seconds: float
    stopped_by_time: bool


class Batches:
    """Rows in batches, in a new seeded order each epoch."""

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        batch: int,
        generator: torch.Generator | None,
        augment: Augment | None = None,
    ) -> None:
        self.inputs, self.targets, self.batch, self.generator = inputs, targets, batch, generator
        self.augment = augment

    def __len__(self) -> int:
        return max(0, -(-len(self.inputs) // self.batch))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        count = len(self.inputs)
        order = torch.randperm(count, generator=self.generator) if self.generator else torch.arange(count)
        for start in range(0, count, self.batch):
            chosen = order[start : start + self.batch]
            inputs, targets = self.inputs[chosen], self.targets[chosen]
            if self.augment is not None and self.generator is not None:
                inputs, targets = self.augment(inputs, targets, self.generator)
            yield inputs, targets


Loss: TypeAlias = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""(network, inputs, targets) -> mean loss of the batch."""


class Learner(lightning.LightningModule):
    """Any network with any loss: AdamW, and the mean loss of held-out blocks."""

    def __init__(self, network: nn.Module, loss: Loss, settings: FitSettings) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.settings = settings
        self.validation: list[Tensor] = []

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """One batch."""
        inputs, targets = batch
        return self.loss(self.network, inputs, targets)

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """One batch of held-out blocks."""
        inputs, targets = batch
        self.validation.append(self.loss(self.network, inputs, targets).detach() * len(inputs))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(
            self.network.parameters(), lr=self.settings.rate, weight_decay=self.settings.weight_decay
        )


def expectation_loss(spread: Tensor) -> Loss:
    """Huber loss of the residual in units of the learned spread; `spread` has shape (roles,)."""

    def loss(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
        expected, log_spread = network(inputs)
        residual: Tensor = (targets - expected) / spread * torch.exp(-log_spread)
        zero = torch.zeros_like(residual)
        huber: Tensor = nn.functional.huber_loss(residual, zero, reduction="none", delta=3.0)
        mean: Tensor = (huber + log_spread).mean()
        return mean

    return loss


class BestWeights(lightning.Callback):
    """Keeps the weights of the best validation, and stops on patience, on time, or on the caller's wish."""

    def __init__(self, settings: FitSettings, rows: int, progress: Progress) -> None:
        self.settings, self.rows, self.progress = settings, rows, progress
        self.started = time.monotonic()
        self.start_loss = self.best_loss = float("inf")
        self.epoch = self.best_epoch = 0
        self.stopped_by_time = False
        self.weights: dict[str, Tensor] = {}

    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Compare; the first validation, before any step, is the linear start."""
        loss = float(torch.stack(pl_module.validation).sum()) / self.rows
        pl_module.validation.clear()
        if trainer.sanity_checking:
            self.start_loss = loss
        else:
            self.epoch += 1
        if loss < self.best_loss - (1e-4 if self.weights else 0.0):
            self.best_loss, self.best_epoch = loss, self.epoch
            self.weights = {name: value.clone() for name, value in pl_module.network.state_dict().items()}
        self._stop(trainer)

    def _stop(self, trainer: Any) -> None:
        spent = time.monotonic() - self.started
        self.stopped_by_time = spent > self.settings.at_most_seconds
        if self.stopped_by_time or self.epoch - self.best_epoch >= self.settings.patience:
            trainer.should_stop = True
        share = max(self.epoch / max(self.settings.epochs, 1), spent / max(self.settings.at_most_seconds, 1e-9))
        self.progress(min(share, 1.0), f"epoch {self.epoch}, loss {self.best_loss:.4f}")

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Ended from outside."""
        del trainer, pl_module
        if isinstance(exception, KeyboardInterrupt):
            raise TrainingInterrupted(self.epoch) from exception


def fit(
    network: nn.Module,
    loss: Loss,
    train: tuple[Tensor, Tensor],
    validate: tuple[Tensor, Tensor],
    settings: FitSettings,
    *,
    progress: Progress,
    augment: Augment | None = None,
) -> Fitted:
    """Fit the network in place; it ends with the weights of its best validation.

    Args:
        network: what the loss calls with inputs.
        loss: of a batch; its mean over the held-out blocks decides which weights are kept.
        train: inputs and targets, float32.
        validate: the same of blocks that training does not see.
        settings: budget and seed: the same data and settings give the same bytes with the same thread count.
        progress: called with the fraction done and words, after each epoch; an exception it raises ends the fit.
        augment: changes each training batch (never a held-out one), with the fit's own random numbers.
    """
    keeper = BestWeights(settings, len(validate[0]), progress)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(settings.seed)  # of dropout
        trainer = lightning.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=max(settings.epochs, 0),
            num_sanity_val_steps=-1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            gradient_clip_val=1.0,
            callbacks=[keeper],
        )
        trainer.fit(
            Learner(network, loss, settings),
            Batches(*train, settings.batch, torch.Generator().manual_seed(settings.seed), augment),
            Batches(*validate, 4096, None),
        )
    network.load_state_dict(keeper.weights)
    seconds = time.monotonic() - keeper.started
    return Fitted(keeper.epoch, keeper.best_epoch, keeper.start_loss, keeper.best_loss, seconds, keeper.stopped_by_time)


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a part of the work, as progress of the whole."""
    return lambda share, words: progress(start + share * (end - start), words)


def silent(_share: float, _words: str) -> None:
    """Tells nobody."""
