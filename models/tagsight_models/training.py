"""Training of networks: the one place of Lightning's Trainer. Seeded, deterministic, quiet, within a time budget.

Where the settings name a folder, a fit keeps its state there (`training_state`; Lightning's own checkpoints are pickles
and stay off): killed and started again, it goes on from the last epoch that was kept, and ends with the same weights.
"""

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deprecations inside the library are not the user's
    import lightning.pytorch as lightning

from tagsight_models.errors import TrainingInterrupted
from tagsight_models.training_state import (
    Snapshot,
    TrainingState,
    fingerprint,
    optimiser_tensors,
    restore_optimiser,
)

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

Progress: TypeAlias = Callable[[float, str], None]

Augment: TypeAlias = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""(inputs, targets, random numbers) -> inputs and targets to learn from instead."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How long and how fast a network learns; `kept_in`: folder of the state of fits that may be killed."""

    epochs: int = 150
    patience: int = 12
    batch: int = 256
    rate: float = 6e-3
    weight_decay: float = 1e-3
    seed: int = 0
    at_most_seconds: float = 20.0
    kept_in: Path | None = None
    kept_every_seconds: float = 3.0


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
            [one for one in self.network.parameters() if one.requires_grad],
            lr=self.settings.rate,
            weight_decay=self.settings.weight_decay,
        )


class _Epochs(lightning.LightningModule):
    """What learns by itself, one whole epoch at a time: no optimiser of Lightning's, no batches."""

    def __init__(self, learn: Callable[[], bool]) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.learn = learn

    def training_step(self, _batch: object, _number: int) -> None:
        """One epoch."""
        if not self.learn():
            self.trainer.should_stop = True

    def configure_optimizers(self) -> None:
        """None."""


def run_epochs(learn: Callable[[], bool], most: int) -> None:
    """Call `learn`, one epoch each, without derivatives, until it says that there is no more or for so many epochs."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), torch.no_grad():
        warnings.simplefilter("ignore")
        _quiet_trainer(most, inference_mode=False).fit(_Epochs(learn), [0])


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

    @property
    def ended(self) -> bool:
        """There is nothing more to learn: no better for long, or all epochs done."""
        return self.epoch - self.best_epoch >= self.settings.patience or self.epoch >= self.settings.epochs

    def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Compare; the first validation, before any step, is the linear start."""
        loss = float(torch.stack(pl_module.validation).sum()) / self.rows
        pl_module.validation.clear()
        if trainer.sanity_checking:
            if self.weights:  # it goes on from where it was
                return
            self.start_loss = loss
        else:
            self.epoch += 1
        if loss < self.best_loss - (1e-4 if self.weights else 0.0):
            self.best_loss, self.best_epoch = loss, self.epoch
            self.weights = {name: value.clone() for name, value in pl_module.network.state_dict().items()}
        if not trainer.sanity_checking:
            self.keep(trainer, pl_module)
        self._stop(trainer)

    def keep(self, trainer: Any, pl_module: Any) -> None:
        """After each epoch: nothing is kept of a fit without a folder."""

    def _stop(self, trainer: Any) -> None:
        spent = time.monotonic() - self.started
        self.stopped_by_time = spent > self.settings.at_most_seconds
        if self.stopped_by_time or self.epoch - self.best_epoch >= self.settings.patience:
            trainer.should_stop = True
        share = max(self.epoch / max(self.settings.epochs, 1), spent / max(self.settings.at_most_seconds, 1e-9))
        self.progress(min(share, 1.0), f"epoch {self.epoch}, loss {self.best_loss:.4f}")

    def fitted(self) -> Fitted:
        """What was done so far."""
        return Fitted(
            self.epoch,
            self.best_epoch,
            self.start_loss,
            self.best_loss,
            time.monotonic() - self.started,
            self.stopped_by_time,
        )

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Ended from outside."""
        del trainer, pl_module
        if isinstance(exception, KeyboardInterrupt):
            raise TrainingInterrupted(self.epoch) from exception


class KeptWeights(BestWeights):
    """The same, with its state on disk."""

    def __init__(
        self,
        settings: FitSettings,
        rows: int,
        progress: Progress,
        state: TrainingState,
        generator: torch.Generator,
    ) -> None:
        super().__init__(settings, rows, progress)
        self.state, self.generator = state, generator
        self.before = state.read()
        self.finished = False
        if self.before is not None:
            said = dict(self.before.said)
            self.finished, self.stopped_by_time = said["finished"], said["stopped_by_time"]
            self.epoch, self.best_epoch = said["epochs"], said["best_epoch"]
            self.start_loss, self.best_loss = said["start_loss"], said["best_loss"]
            self.started -= said["seconds"]
            self.weights = dict(self.before.best)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Take up what was left; the first validation may not have used any random number."""
        del pl_module
        if self.before is not None:
            restore_optimiser(trainer.optimizers[0], self.before.optimiser)
            self.generator.set_state(self.before.random["batches"])
            torch.random.set_rng_state(self.before.random["dropout"])

    def keep(self, trainer: Any, pl_module: Any) -> None:
        """Now and then."""
        if self.state.due:
            self.write(pl_module.network, optimiser_tensors(trainer.optimizers[0]))

    def write(self, network: nn.Module, optimiser: Mapping[str, Tensor]) -> None:
        """All of it."""
        said = {**asdict(self.fitted()), "finished": self.finished}
        random = {"batches": self.generator.get_state(), "dropout": torch.random.get_rng_state()}
        self.state.write(Snapshot(said, network.state_dict(), self.weights, optimiser, random))


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
    generator = torch.Generator().manual_seed(settings.seed)
    learner = Learner(network, loss, settings)
    keeper = BestWeights(settings, len(validate[0]), progress)
    if settings.kept_in is not None:
        named = _fingerprint(learner, train, validate, augment)
        state = TrainingState(settings.kept_in, named, every_seconds=settings.kept_every_seconds)
        keeper = kept = KeptWeights(settings, len(validate[0]), progress, state, generator)
        if kept.before is not None:
            network.load_state_dict(kept.before.weights)
    if not (keeper.weights and (keeper.ended or keeper.stopped_by_time)):
        _run(learner, keeper, Batches(*train, settings.batch, generator, augment), validate)
    network.load_state_dict(keeper.weights)
    if isinstance(keeper, KeptWeights) and not keeper.finished:
        keeper.finished = True
        keeper.write(network, {})
    return keeper.fitted()


def _run(learner: Learner, keeper: BestWeights, batches: Batches, validate: tuple[Tensor, Tensor]) -> None:
    """Lightning's part: the epochs that are left."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(learner.settings.seed)  # of dropout
        trainer = _quiet_trainer(
            max(learner.settings.epochs - keeper.epoch, 0),
            num_sanity_val_steps=-1,
            gradient_clip_val=1.0,
            callbacks=[keeper],
        )
        trainer.fit(learner, batches, Batches(*validate, 4096, None))


def _quiet_trainer(epochs: int, **how: Any) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **how,
    )


def _fingerprint(
    learner: Learner, train: tuple[Tensor, Tensor], validate: tuple[Tensor, Tensor], augment: Augment | None
) -> str:
    """Of data, settings and first weights; what the loss is shows in its values."""
    network, loss, settings = learner.network, learner.loss, learner.settings
    was_training = network.training
    network.eval()
    with torch.no_grad():
        losses = [loss(network, inputs[:256], targets[:256]) for inputs, targets in (train, validate)]
    network.train(was_training)
    frozen = [name for name, one in network.named_parameters() if not one.requires_grad]
    wanted = replace(settings, kept_in=None, kept_every_seconds=0.0)
    changed = getattr(augment, "__qualname__", repr(augment))
    said = f"{type(network).__qualname__} {list(network.state_dict())} {frozen} {wanted} {changed}"
    return fingerprint([said, *network.state_dict().values(), *train, *validate, *losses])


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a part of the work, as progress of the whole."""
    return lambda share, words: progress(start + share * (end - start), words)


def silent(_share: float, _words: str) -> None:
    """Tells nobody."""
