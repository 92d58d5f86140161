"""What a model is for: one typed registry of jobs, and the training of each from a frame to a model and its card."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tagsight_models.card import ModelCard
from tagsight_models.card_writing import Origin, Outcome, card_of
from tagsight_models.errors import UnusableInput
from tagsight_models.frame import Floats, Frame
from tagsight_models.health import HealthModel
from tagsight_models.health_fit import NetworkSettings, fit_health
from tagsight_models.health_limit import bands, compared, health_limit
from tagsight_models.training import FitSettings, Fitted, Progress
from tagsight_models.training_rows import TrainingRows
from tagsight_models.training_settings import TrainingSettings

__all__ = ["JOBS", "Train", "Trained", "TrainingSettings", "train", "train_health"]

FITS: Final = 6  # at most: the model's, and those of five folds
FOLD_EPOCHS: Final = 40  # at most, and at most the epoch that was the best of the whole


@dataclass(frozen=True, slots=True)
class Trained:
    """A model with its limit, and its card."""

    model: HealthModel
    card: ModelCard


Train: TypeAlias = Callable[[Frame, TrainingSettings, Origin, Progress], Trained]


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
    return JOBS[job](frame, settings, Origin(gates or {}, hashes or {}), progress)


def train_health(frame: Frame, settings: TrainingSettings, origin: Origin, progress: Progress) -> Trained:
    """The job `health`: normal behaviour, without labels."""
    started = time.monotonic()
    rows = TrainingRows.of(frame, settings)
    alarming = settings.alarming(frame.grid_ns)
    model, fitted = _fit(rows, settings, rows.learned, FitSettings().epochs, _part(progress, 0.0, 0.5))

    def fold(values: Floats) -> HealthModel:
        return _fit(rows, settings, values, min(fitted.best_epoch, FOLD_EPOCHS), _silent)[0]

    model, limit = health_limit(model, rows, alarming, fold, _part(progress, 0.5, 0.7))
    model = model.with_limit(limit.normal, limit.value, bands(model, rows))
    progress(0.75, "comparing with simple statistics")
    judged = compared(model, limit, rows, alarming, settings.seed)
    progress(1.0, judged.verdict)
    outcome = Outcome(model, rows, fitted, limit, judged, time.monotonic() - started)
    return Trained(model, card_of(outcome, settings, origin))


JOBS: Final[Mapping[str, Train]] = {"health": train_health}


def _fit(
    rows: TrainingRows, settings: TrainingSettings, values: Floats, epochs: int, progress: Progress
) -> tuple[HealthModel, Fitted]:
    """A health model of these rows, within its share of the time budget."""
    budget = FitSettings(epochs=epochs, seed=settings.seed, at_most_seconds=settings.at_most_seconds / FITS)
    return fit_health(
        values,
        rows.frame.roles,
        NetworkSettings(fit=budget),
        progress,
        grid_ns=rows.frame.grid_ns,
        window_steps=settings.window_steps,
    )


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda share, words: progress(start + share * (end - start), words)


def _silent(_share: float, _words: str) -> None:
    """Tells nobody."""
