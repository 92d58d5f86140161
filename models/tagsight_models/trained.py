"""What a training gives: a model with its limit, and its card."""

from dataclasses import dataclass

from tagsight_models.card import ModelCard
from tagsight_models.job_model import JobModel


@dataclass(frozen=True, slots=True)
class Trained:
    """A model with its limit, and its card."""

    model: JobModel
    card: ModelCard
