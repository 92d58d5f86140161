"""What a training of this job hands over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tagsight_models.job_model import JobModel
from tagsight_models.training import Fitted


@dataclass(frozen=True, slots=True)
class PrognosisTrained:
    """A model and what is known of it.

    Attributes:
        model: remaining life, or time until a limit is crossed.
        metrics: name with unit -> figure, on time that the predicting network did not see.
        compared: lines in plain words, ours and the simple baselines.
        verdict: of the comparison, one sentence.
        trial: the model did not earn its place: it may be shown, and must not alarm.
        calibration: facts of the interval.
        cannot_see: sentences.
        fitted: of each network.
        seconds: of the whole training.
        dropped: roles that were left out, with the cause.
    """

    model: JobModel
    metrics: Mapping[str, float]
    compared: tuple[str, ...]
    verdict: str
    trial: bool
    calibration: Mapping[str, float | int | str]
    cannot_see: tuple[str, ...]
    fitted: tuple[Fitted, ...]
    seconds: float
    dropped: Mapping[str, str] = field(default_factory=dict)
