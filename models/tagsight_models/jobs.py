"""What a model is for: one typed registry of jobs, and the training of each from a frame to a model and its card."""

import hashlib
import importlib.metadata
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np

from tagsight_models import comparison
from tagsight_models.calibration import Alarming, Budget, Limit, calibrate
from tagsight_models.card import ModelCard
from tagsight_models.delays import Delays
from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.frame import Flags, Floats, Frame, Times
from tagsight_models.health import HealthModel
from tagsight_models.health_fit import NetworkSettings, fit_health
from tagsight_models.statistics.out_of_fold import blocks, without
from tagsight_models.statistics.statistic import present
from tagsight_models.training import FitSettings, Fitted, Progress
from tagsight_models.windows import windows

SHORT: Final = 50_000  # usable steps below which the limit comes from five blocked folds as well
FOLD_EPOCHS: Final = 40  # at most, and at most the epoch that was the best of the whole
BAND: Final = 0.995  # share of normal time that lies inside a role's band
VERSIONS: Final = ("tagsight", "torch", "lightning", "numpy", "scipy")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What the plan says about a training.

    Attributes:
        window_steps: steps of a window.
        at_most: activations allowed ...
        per_ns: ... per this time.
        delays: of the alarm.
        every_ns: scoring interval.
        at_most_seconds: time budget; each of up to six fits keeps to a sixth of it.
        seed: the same data, settings and seed give the same bytes.
        limit_span: held-out normal time [start, end) in UTC ns; None: the last quarter of the usable steps.
        drop_constant: leave a constant role out, with a word in the card, instead of refusing.
    """

    window_steps: int = 60
    at_most: float = 2.0
    per_ns: int = 2_592_000_000_000_000
    delays: Delays = field(default_factory=lambda: Delays(300_000_000_000, 300_000_000_000))
    every_ns: int = 60_000_000_000
    at_most_seconds: float = 600.0
    seed: int = 0
    limit_span: tuple[int, int] | None = None
    drop_constant: bool = False


@dataclass(frozen=True, slots=True)
class Trained:
    """A model with its limit, and its card."""

    model: HealthModel
    card: ModelCard


@dataclass(frozen=True, slots=True)
class _Task:
    """A frame as rows with NaN where nothing counts, split into time to learn from and time to hold out."""

    frame: Frame
    dropped: Mapping[str, str]
    values: Floats
    held: Flags
    settings: TrainingSettings
    alarming: Alarming

    @property
    def train(self) -> Floats:
        """The rows without the held-out ones."""
        return np.where(self.held[:, None], np.nan, self.values)

    def fit(self, values: Floats, epochs: int, progress: Progress) -> tuple[HealthModel, Fitted]:
        """A health model of these rows."""
        seconds = self.settings.at_most_seconds / 6.0
        network = NetworkSettings(fit=FitSettings(epochs=epochs, seed=self.settings.seed, at_most_seconds=seconds))
        return fit_health(
            values,
            self.frame.roles,
            network,
            progress,
            grid_ns=self.frame.grid_ns,
            window_steps=self.settings.window_steps,
        )


Train: TypeAlias = Callable[[Frame, TrainingSettings, Mapping[str, Any], Mapping[str, str], Progress], Trained]


def train(
    job: str,
    frame: Frame,
    settings: TrainingSettings,
    *,
    gates: Mapping[str, Any] | None = None,
    hashes: Mapping[str, str] | None = None,
    progress: Progress = lambda _share, _words: None,
) -> Trained:
    """Train the model of a job.

    Args:
        job: a key of `JOBS`.
        frame: the training history, aligned and gated.
        settings: what the plan says.
        gates: what the caller needs to gate live data as in training (JSON values); kept in the card.
        hashes: `plan` (and `data`, else computed from the frame), kept in the card.
        progress: called with the share done, 0 to 1, and words.

    Raises:
        TooLittleData: too few usable steps, with how many would do.
        UnusableInput: a constant role (unless `drop_constant`) or one without any value; an unknown job.
    """
    if job not in JOBS:
        raise UnusableInput("job", f"{job!r} is not one of {', '.join(JOBS)}")
    return JOBS[job](frame, settings, gates or {}, hashes or {}, progress)


def train_health(
    frame: Frame,
    settings: TrainingSettings,
    gates: Mapping[str, Any],
    hashes: Mapping[str, str],
    progress: Progress,
) -> Trained:
    """The job `health`: normal behaviour, without labels."""
    started = time.monotonic()
    task = _task(frame, settings)
    model, fitted = task.fit(task.train, FitSettings().epochs, _part(progress, 0.0, 0.5))
    folds = _folds(task, fitted.best_epoch, _part(progress, 0.5, 0.7))
    distances = model.series_distance(np.where(task.held[:, None], task.values, np.nan))
    distances = np.where(task.frame.usable, np.where(np.isfinite(distances), distances, folds), np.nan)
    limit = calibrate(task.frame.times, distances, task.alarming)
    model = model.with_limit(limit.normal, limit.value, _band(model, task))
    progress(0.75, "comparing with simple statistics")
    judged = _compare(model, task, limit)
    progress(1.0, judged.verdict)
    seconds = time.monotonic() - started
    return Trained(
        model,
        _card(task, model, fitted=fitted, limit=limit, judged=judged, gates=gates, hashes=hashes, seconds=seconds),
    )


JOBS: Final[Mapping[str, Train]] = {"health": train_health}


def data_hash(frame: Frame) -> str:
    """SHA-256 of times, values and reasons."""
    digest = hashlib.sha256()
    for array in (frame.times, np.nan_to_num(frame.values, nan=0.0, posinf=0.0, neginf=0.0), frame.reasons):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _task(frame: Frame, settings: TrainingSettings) -> _Task:
    frame, dropped = _without_unusable(frame, drop=settings.drop_constant)
    values, usable = _bridged(frame)
    while causes := _constant_where_learned(frame, values, usable, settings):
        frame = _narrowed(frame, causes, drop=settings.drop_constant)
        dropped |= causes
        values, usable = _bridged(frame)
    found = int(usable.sum())
    needed = max(4 * settings.window_steps, 3 * len(frame.roles) + 2 * settings.window_steps)
    if found < needed:
        raise TooLittleData("training a health model", found, needed)
    held = _held(frame.times, usable, settings.limit_span)
    for what, rows in (("the held-out time of the limit", held), ("training beside the held-out time", ~held)):
        steps = int((usable & rows).sum())
        if steps < settings.window_steps:
            raise TooLittleData(what, steps, settings.window_steps)
    alarming = Alarming(
        settings.delays, Budget(settings.at_most, settings.per_ns), frame.grid_ns, settings.window_steps
    )
    return _Task(frame, dropped, values, held, settings, alarming)


def _without_unusable(frame: Frame, *, drop: bool) -> tuple[Frame, dict[str, str]]:
    dropped: dict[str, str] = {}
    for column, role in enumerate(frame.roles):
        values = frame.values[:, column][(frame.reasons[:, column] == 0) & np.isfinite(frame.values[:, column])]
        if values.size == 0:
            dropped[role.name] = "no usable value in the training data"
        elif values.min() == values.max():
            dropped[role.name] = f"constant ({values[0]:g}) in the training data"
    if not dropped:
        return frame, dropped
    if len(dropped) == len(frame.roles) and all("usable" in cause for cause in dropped.values()):
        raise TooLittleData("training a health model", 0, 1)
    return _narrowed(frame, dropped, drop=drop), dropped


def _narrowed(frame: Frame, dropped: Mapping[str, str], *, drop: bool) -> Frame:
    """Without the roles of `dropped`. Raises UnusableInput if that is not wanted, or leaves nothing."""
    kept = [column for column, role in enumerate(frame.roles) if role.name not in dropped]
    if not drop or not kept:
        name, cause = next(iter(dropped.items()))
        others = f"; so are {', '.join(list(dropped)[1:])}" if len(dropped) > 1 else ""
        raise UnusableInput(name, cause + others)
    return replace(
        frame,
        values=frame.values[:, kept],
        reasons=frame.reasons[:, kept],
        uncertain=frame.uncertain[:, kept],
        roles=tuple(frame.roles[column] for column in kept),
    )


def _bridged(frame: Frame) -> tuple[Floats, Flags]:
    """Values with small holes bridged exactly as they are when scoring, NaN rows elsewhere; and which rows count."""
    bridged = windows(frame, 1).values[:, 0]
    usable = present(bridged)
    return np.where(usable[:, None], bridged, np.nan), usable


def _constant_where_learned(frame: Frame, values: Floats, usable: Flags, settings: TrainingSettings) -> dict[str, str]:
    """Roles that vary somewhere, but not in the steps that are learned from, or only in one fold of them."""
    if int(usable.sum()) < 4 * settings.window_steps:
        return {}  # too little to say; the caller says so
    rows = values[usable & ~_held(frame.times, usable, settings.limit_span)]
    if len(rows) < settings.window_steps:
        return {}
    constant = np.ptp(rows, axis=0) == 0.0
    once = constant.copy()
    if len(rows) < SHORT:
        for block in blocks(len(rows)):
            once |= np.ptp(np.delete(rows, block, axis=0), axis=0) == 0.0
    return {
        role.name: "constant in the steps that are learned from" if constant[n] else "constant but for one stretch"
        for n, role in enumerate(frame.roles)
        if once[n]
    }


def _held(times: Times, usable: Flags, span: tuple[int, int] | None) -> Flags:
    if span is not None:
        return np.asarray((times >= span[0]) & (times < span[1]), dtype=np.bool_)
    first = np.flatnonzero(usable)[int(0.75 * usable.sum())]
    return np.asarray(np.arange(len(times)) >= first, dtype=np.bool_)


def _folds(task: _Task, epochs: int, progress: Progress) -> Floats:
    """Distances of the training rows from five blocked folds where data is short; NaN elsewhere."""
    distances = np.full(len(task.values), np.nan)
    rows = np.flatnonzero(present(task.train))
    if len(rows) >= SHORT:
        return distances
    train = task.train
    for number, chosen in enumerate(blocks(len(rows))):
        block = np.arange(rows[chosen[0]], rows[chosen[-1]] + 1)
        progress(number / 5, f"limit from blocked folds, {number + 1} of 5")
        model, _ = task.fit(without(train, block), min(epochs, FOLD_EPOCHS), lambda _share, _words: None)
        distances[block] = model.series_distance(train[block])
    return distances


def _band(model: HealthModel, task: _Task) -> Floats:
    """Half-width of the normal band of each role in residual spreads: held-out quantile, at least 2."""
    residuals = np.abs(model.residuals(np.where(task.held[:, None], task.values, np.nan)))
    width: Floats = np.maximum(np.quantile(residuals[present(residuals)], BAND, axis=0), 2.0)
    return width


def _compare(model: HealthModel, task: _Task, limit: Limit) -> comparison.Comparison:
    ours = comparison.Contestant(comparison.OURS, model.series_distance, limit.value)
    rows = slice(int(np.flatnonzero(~task.held)[0]), int(np.flatnonzero(~task.held)[-1]) + 1)
    others = comparison.baselines(task.train[rows], task.frame.times[rows], task.alarming)
    span = np.flatnonzero(task.held)
    held = comparison.HeldOut(
        task.frame.times[span[0] : span[-1] + 1],
        np.where(task.held[:, None], task.values, np.nan)[span[0] : span[-1] + 1],
    )
    return comparison.compare(ours, others, held, alarming=task.alarming, seed=task.settings.seed)


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda share, words: progress(start + share * (end - start), words)


def _card(
    task: _Task,
    model: HealthModel,
    *,
    fitted: Fitted,
    limit: Limit,
    judged: comparison.Comparison,
    gates: Mapping[str, Any],
    hashes: Mapping[str, str],
    seconds: float,
) -> ModelCard:
    times, settings = task.frame.times, task.settings
    held = np.flatnonzero(task.held)
    used = int(present(task.train).sum())
    counts = {
        role: {reason.words: count for reason, count in found.items()} for role, found in task.frame.counts().items()
    }
    budget = {
        "at_most": settings.at_most,
        "per_ns": settings.per_ns,
        "on_ns": settings.delays.on_ns,
        "off_ns": settings.delays.off_ns,
        "every_ns": settings.every_ns,
    }
    fit = asdict(fitted)
    stopped, spent = bool(fit.pop("stopped_by_time")), fit.pop("seconds")
    return ModelCard(
        job="health",
        roles=model.roles,
        dropped=task.dropped,
        grid_ns=model.grid_ns,
        window_steps=model.window_steps,
        start_ns=int(times[0]),
        end_ns=int(times[-1]),
        used_steps=used,
        counts=counts,
        limit_start_ns=int(times[held[0]]),
        limit_end_ns=int(times[held[-1]]),
        limit={**asdict(limit), "folds": used < SHORT},
        budget=budget,
        provisional=limit.provisional,
        comparison=comparison.as_json(judged),
        trial=judged.trial,
        metrics={**fit, "fit_seconds": spent},
        seconds=seconds,
        stopped_by_time=stopped,
        seed=settings.seed,
        data_hash=hashes.get("data") or data_hash(task.frame),
        plan_hash=hashes.get("plan", ""),
        versions={"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in VERSIONS}},
        cannot_see=_cannot_see(model),
        gates=gates,
    )


def _cannot_see(model: HealthModel) -> tuple[str, ...]:
    minutes = model.window_steps * model.grid_ns / 60e9
    return (
        f"Changes that take much longer than a window ({minutes:g} min) and keep all relations between the inputs.",
        "States of the machine that the training data does not hold: they look abnormal, whatever they are.",
        "Faults that no input shows; and which fault it is.",
        *(
            ["With one input there is no other to compare with: only its own range and noise."]
            if len(model.roles) == 1
            else []
        ),
    )
