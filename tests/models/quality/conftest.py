"""One trained soft sensor serves many tests."""

import pytest

from tagsight_models.quality.fit import QualityTrained, train_quality
from tagsight_models.training import silent
from tagsight_models.training_settings import TrainingSettings
from tests.models.quality.lab_plant import JOB, lab_plant


@pytest.fixture(scope="session")
def viscosity() -> QualityTrained:
    """Trained on a plant without drift."""
    return train_quality(lab_plant().data(), TrainingSettings(window_steps=4), JOB, silent)
