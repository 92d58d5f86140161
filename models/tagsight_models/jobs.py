"""What a model is for: one typed registry of jobs, and the training of each from data to a model and its card."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from tagsight_models.card_writing import Origin
from tagsight_models.errors import UnusableInput
from tagsight_models.health_training import train_health
from tagsight_models.trained import Trained
from tagsight_models.training import Progress, silent
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings

Train: TypeAlias = Callable[[TrainingData, TrainingSettings, Origin, Progress], Trained]

JOBS: Final[Mapping[str, Train]] = {"health": train_health}


def train(
    job: str,
    data: TrainingData,
    settings: TrainingSettings,
    *,
    gates: Mapping[str, Any] | None = None,
    hashes: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Trained:
    """Train the model of a job.

    Args:
        job: a key of `JOBS`.
        data: the training history, aligned and gated, with the labels, target or lives that the job needs.
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
    return JOBS[job](data, settings, Origin(gates or {}, hashes or {}), progress)
