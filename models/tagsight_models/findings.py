"""What the training of a job beside `health` found, in the form that the card has for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tagsight_models.job_model import JobModel


@dataclass(frozen=True, slots=True)
class Findings:
    """A model and what is known of it.

    Attributes:
        model: trained.
        dropped: roles that were left out, with the cause.
        used_steps: steps that the model learned from.
        limit: in words: when the score is 1.0.
        verdict: of the comparison, one sentence.
        lines: of the comparison, for people.
        trial: it did not earn its place and must not alarm.
        metrics: name with unit -> figure, on time that the model did not learn from.
        facts: of calibration and training, JSON values.
        cannot_see: sentences.
        stopped_by_time: the time budget ended the training.
        seconds: of the whole training.
        asks: what must be read beside the inputs to score: see `ModelCard.asks`.
    """

    model: JobModel
    dropped: Mapping[str, str]
    used_steps: int
    limit: str
    verdict: str
    lines: tuple[str, ...]
    trial: bool
    metrics: Mapping[str, float]
    facts: Mapping[str, Any]
    cannot_see: tuple[str, ...]
    stopped_by_time: bool
    seconds: float
    asks: Mapping[str, int] = field(default_factory=dict)
