"""Fits of networks of one shape side by side: each as it would be alone, in fewer and larger steps of the processor.

Each fit has its own rows, order of batches, patience, time and state on disk; what it ends with differs from a fit
alone by rounding only. One round is one epoch of all that still learn; who has ended leaves the stack.

The time of a round counts for each of its fits in equal shares: together they take no longer than one after another.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any, Final

import torch
from torch import Tensor

from tagsight_models.errors import TrainingInterrupted
from tagsight_models.networks.leave_role_out import LeaveRoleOut
from tagsight_models.networks.stacked_gradient import NAMES, Shape, Stack, load_weights, prepared, weights_of
from tagsight_models.training import FitSettings, Fitted, Progress, run_epochs
from tagsight_models.training_state import Snapshot, TrainingState, fingerprint

ROLES_TOGETHER: Final = 100  # of all networks of a stack: beyond it their numbers leave the processor's cache
LEAST_BETTER: Final = 1e-4  # loss by which an epoch must be better to count
HELD_AT_ONCE: Final = 512  # rows whose loss is found together
AT_ONCE: Final = 16  # batches that are put in order together
BETAS: Final = (0.9, 0.999)
EPSILON: Final = 1e-8
LONGEST_STEP: Final = 1.0  # of a gradient


@dataclass(frozen=True, slots=True, eq=False)
class NetworkFit:
    """One fit: a network is fitted in place, and ends with the weights of its best validation.

    Attributes:
        network: starts where it stands; its linear part stays.
        spread: shape (roles,), of the residuals of the linear part.
        train: context rows (n, lags * roles), float32.
        validate: the same of blocks that training does not see.
        settings: budget and seed.
        progress: called with the share done and words after each epoch; an exception that it raises ends all fits.
    """

    network: LeaveRoleOut
    spread: Tensor
    train: Tensor
    validate: Tensor
    settings: FitSettings
    progress: Progress


def fit_stacked(fits: Sequence[NetworkFit]) -> list[Fitted]:
    """What became of each, in order; they may be of any shapes."""
    done: dict[int, Fitted] = {}
    order = sorted(range(len(fits)), key=lambda number: _alike(fits[number]))
    for _, group in groupby(order, key=lambda number: _alike(fits[number])):
        numbers = list(group)
        at_once = max(1, ROLES_TOGETHER // len(fits[numbers[0]].spread))
        for start in range(0, len(numbers), at_once):
            part = numbers[start : start + at_once]
            done |= zip(part, _fitted([_Track(fits[number]) for number in part]), strict=True)
    return [done[number] for number in range(len(fits))]


def _alike(one: NetworkFit) -> tuple[float, ...]:
    settings = one.settings
    return (*one.network.first.shape, settings.batch, settings.rate, settings.weight_decay)


class _Track:
    """How far one fit has come."""

    def __init__(self, asked: NetworkFit) -> None:
        self.settings, self.network, self.tell = asked.settings, asked.network, asked.progress
        self.train = prepared(asked.train, asked.network, asked.spread)
        self.validate = prepared(asked.validate, asked.network, asked.spread)
        self.spread = asked.spread
        self.generator = torch.Generator().manual_seed(self.settings.seed)
        self.epoch = self.best_epoch = self.steps = 0
        self.start_loss = self.best_loss = float("inf")
        self.seconds = 0.0
        self.begun = self.stopped_by_time = self.finished = False
        self.weights = self.best = weights_of(asked.network)
        self.moments = [{name: torch.zeros_like(value) for name, value in self.weights.items()} for _ in range(2)]
        self.state: TrainingState | None = None
        if self.settings.kept_in is not None:
            named = _fingerprint(asked)
            self.state = TrainingState(self.settings.kept_in, named, every_seconds=self.settings.kept_every_seconds)
            self._take_up(self.state.read())

    @property
    def rows(self) -> int:
        """To learn from."""
        return len(self.train[0])

    @property
    def batches(self) -> int:
        """Of one epoch."""
        return -(-self.rows // self.settings.batch)

    @property
    def ended(self) -> bool:
        """There is nothing more to learn, or no time for it."""
        settings = self.settings
        patient = self.epoch - self.best_epoch < settings.patience and self.epoch < settings.epochs
        return self.stopped_by_time or not patient

    def judge(self, loss: float, stack: Stack, number: int) -> None:
        """After a validation; the first one is that of the linear start."""
        if self.begun:
            self.epoch += 1
        else:
            self.start_loss, self.begun = loss, True
        if loss < self.best_loss - (LEAST_BETTER if self.epoch else 0.0):
            self.best_loss, self.best_epoch = loss, self.epoch
            self.best = stack.weights(number)
        self.stopped_by_time = self.seconds > self.settings.at_most_seconds

    def say(self) -> None:
        """To whoever watches."""
        done = self.epoch / max(self.settings.epochs, 1)
        spent = self.seconds / max(self.settings.at_most_seconds, 1e-9)
        self.tell(min(max(done, spent), 1.0), f"epoch {self.epoch}, loss {self.best_loss:.4f}")

    def fitted(self) -> Fitted:
        """What was done."""
        return Fitted(self.epoch, self.best_epoch, self.start_loss, self.best_loss, self.seconds, self.stopped_by_time)

    def keep(self) -> None:
        """On disk, if anywhere."""
        if self.state is not None:
            said = {**asdict(self.fitted()), "finished": self.finished, "steps": self.steps}
            optimiser = {f"{n}/{name}": one for n, part in enumerate(self.moments) for name, one in part.items()}
            random = {"batches": self.generator.get_state()}
            self.state.write(Snapshot(said, self.weights, self.best, optimiser, random))

    def _take_up(self, before: Snapshot | None) -> None:
        if before is None:
            return
        said = dict(before.said)
        self.begun = True
        self.finished, self.stopped_by_time, self.seconds = said["finished"], said["stopped_by_time"], said["seconds"]
        self.epoch, self.best_epoch, self.steps = said["epochs"], said["best_epoch"], said["steps"]
        self.start_loss, self.best_loss = said["start_loss"], said["best_loss"]
        self.weights, self.best = dict(before.weights), dict(before.best)
        self.moments = [{name: before.optimiser[f"{n}/{name}"] for name in NAMES} for n in range(2)]
        self.generator.set_state(before.random["batches"])


def _fitted(tracks: Sequence[_Track]) -> list[Fitted]:
    learning = [one for one in tracks if not one.ended or not one.begun]
    if learning:
        learner = _StackedLearner(learning)
        run_epochs(learner.learn, max(one.settings.epochs for one in learning) + 1)
        learner.leave()
    for one in tracks:
        load_weights(one.network, one.best)
        if not one.finished:
            one.finished = True
            one.keep()
    return [one.fitted() for one in tracks]


class _StackedLearner:
    """The fits that still learn: AdamW, the gradient of each kept short, and the mean loss of its held-out blocks."""

    def __init__(self, tracks: Sequence[_Track]) -> None:
        self.tracks = list(tracks)
        self._enter()

    def learn(self) -> bool:
        """One epoch of all, after the first losses; whether there is more to learn."""
        started = time.monotonic()
        judged = [one for one in self.tracks if not one.begun]
        if not judged:
            judged = self.tracks
            for step in _steps(self.tracks, self.stack.shape.roles):
                self._step(step)
        losses = self._losses()
        share = (time.monotonic() - started) / len(self.tracks)
        for number, one in enumerate(self.tracks):
            one.seconds += share
            if one in judged:
                one.judge(float(losses[number]), self.stack, number)
        self._tell()
        return self._without_ended()

    def leave(self) -> None:
        """Hand back what the stack has of each."""
        for number, one in enumerate(self.tracks):
            one.weights = self.stack.weights(number)
            one.moments = [self.stack.weights(number, moment) for moment in self.moments]

    def _tell(self) -> None:
        due = any(one.state is not None and one.state.due for one in self.tracks)
        if due:
            self.leave()
        for one in self.tracks:
            if due:
                one.keep()
        for one in self.tracks:
            try:
                one.say()
            except KeyboardInterrupt as error:
                raise TrainingInterrupted(one.epoch) from error

    def _without_ended(self) -> bool:
        left = [one for one in self.tracks if not one.ended]
        if len(left) < len(self.tracks):
            self.leave()
            self.tracks = left
            if left:
                self._enter()
        return bool(left)

    def _enter(self) -> None:
        roles, lags, hidden = self.tracks[0].network.first.shape
        shape = Shape(len(self.tracks), roles, lags, hidden)
        self.stack = Stack(shape, [one.weights for one in self.tracks], [one.spread for one in self.tracks])
        self.moments = [
            Stack(shape, [one.moments[n] for one in self.tracks], [one.spread for one in self.tracks]).flat
            for n in range(2)
        ]

    def _losses(self) -> Tensor:
        """Mean loss of the held-out rows of each."""
        total = torch.zeros(len(self.tracks), dtype=torch.float64)
        most = max(len(one.validate[0]) for one in self.tracks)
        for start in range(0, most, HELD_AT_ONCE):
            part = slice(start, start + HELD_AT_ONCE)
            counts = [len(one.validate[0][part]) for one in self.tracks]
            if min(counts) == max(counts):
                seen = torch.stack([one.validate[0][part].T for one in self.tracks])
                total += self.stack.losses(seen, torch.cat([one.validate[1][part].T for one in self.tracks]))
            else:
                total += self._uneven(part, counts)
        rows = torch.tensor([len(one.validate[0]) for one in self.tracks])
        return total / (rows * self.stack.shape.roles)

    def _uneven(self, part: slice, counts: Sequence[int]) -> Tensor:
        """Where some have fewer rows: what fills up is taken off again, its loss is that of nothing seen."""
        most = max(counts)
        seen = torch.stack([_filled(one.validate[0][part], most).T for one in self.tracks])
        left = torch.cat([_filled(one.validate[1][part], most).T for one in self.tracks])
        empty = self.stack.losses(torch.zeros_like(seen[..., :1]), torch.zeros_like(left[:, :1]))
        return self.stack.losses(seen, left) - empty * (most - torch.tensor(counts))

    def _step(self, step: "_Step") -> None:
        """One batch of each: gradient, no longer than allowed, and AdamW."""
        stack, owner = self.stack, self.stack.owner
        stack.find_gradient(step.seen, step.left, step.share)
        gradient = stack.gradient
        short = (LONGEST_STEP / stack.lengths().add_(1e-6)).clamp_(max=1.0)
        settings = self.tracks[0].settings
        for number, one in enumerate(self.tracks):
            one.steps += step.active[number]
        alike = len({one.steps for one in self.tracks}) == 1
        before = None if all(step.active) else [each.clone() for each in (stack.flat, *self.moments)]
        gradient.mul_(short[owner] if len(short) > 1 else short)
        first, second = self.moments
        stack.flat.mul_(1.0 - settings.rate * settings.weight_decay)
        first.lerp_(gradient, 1.0 - BETAS[0])
        second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1.0 - BETAS[1])
        if alike:
            done = self.tracks[0].steps
            size, root = settings.rate / (1.0 - BETAS[0] ** done), (1.0 - BETAS[1] ** done) ** 0.5
            stack.flat.addcdiv_(first, (second.sqrt() / root).add_(EPSILON), value=-size)
        else:
            dones = [max(one.steps, 1) for one in self.tracks]
            sizes = torch.tensor([settings.rate / (1.0 - BETAS[0] ** done) for done in dones])[owner]
            roots = torch.tensor([(1.0 - BETAS[1] ** done) ** 0.5 for done in dones])[owner]
            stack.flat.sub_(sizes * (first / (second.sqrt() / roots).add_(EPSILON)))
        if before is not None:
            kept = ~torch.tensor(step.active)[owner]
            for each, was in zip((stack.flat, *self.moments), before, strict=True):
                each[kept] = was[kept]


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """A batch of each fit; `active`: which of them have one."""

    seen: Tensor
    left: Tensor
    share: Tensor
    active: Sequence[bool]


def _steps(tracks: Sequence[_Track], roles: int) -> Iterator[_Step]:
    """The batches of one epoch, in an order of its own for each fit."""
    orders = [torch.randperm(one.rows, generator=one.generator) for one in tracks]
    batch, most = tracks[0].settings.batch, max(one.batches for one in tracks)
    for first in range(0, most, AT_ONCE):
        many = min(AT_ONCE, most - first)
        chosen = [order[first * batch : (first + many) * batch] for order in orders]
        seen = _in_batches([one.train[0][part] for one, part in zip(tracks, chosen, strict=True)], many, batch)
        left = _in_batches([one.train[1][part] for one, part in zip(tracks, chosen, strict=True)], many, batch)
        for number in range(many):
            counts = [min(max(len(part) - number * batch, 0), batch) for part in chosen]
            longest = max(counts)
            share = torch.tensor([1.0 / (max(count, 1) * roles) for count in counts]).repeat_interleave(roles)[:, None]
            if min(counts) < longest:
                counted = torch.arange(longest) < torch.tensor(counts)[:, None]
                share = share * counted.repeat_interleave(roles, dim=0)
            yield _Step(
                seen[number, ..., :longest],
                left[number, ..., :longest].flatten(0, 1),
                share,
                [count > 0 for count in counts],
            )


def _in_batches(rows: Sequence[Tensor], many: int, batch: int) -> Tensor:
    """Rows (n, columns) of each fit -> (many, fits, columns, batch); rows of 0 fill up."""
    whole = torch.stack([_filled(one, many * batch) for one in rows])
    return whole.view(len(rows), many, batch, -1).permute(1, 0, 3, 2).contiguous()


def _filled(rows: Tensor, count: int) -> Tensor:
    return rows if len(rows) == count else torch.cat([rows, rows.new_zeros(count - len(rows), rows.shape[1])])


def _fingerprint(asked: NetworkFit) -> str:
    """Of data, settings and first weights."""
    wanted: Any = replace(asked.settings, kept_in=None, kept_every_seconds=0.0)
    state = asked.network.state_dict()
    return fingerprint([f"stacked {wanted}", *state.values(), asked.spread, asked.train, asked.validate])
