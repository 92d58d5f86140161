"""One trained diagnosis of each kind serves many tests."""

import pytest

from tagsight_models.diagnosis.fit import DiagnosisTrained, train_diagnosis
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.training import silent
from tagsight_models.training_settings import TrainingSettings
from tests.models.diagnosis.rigs import cycles, history

SMALL = DiagnosisSettings(windows_of_class=120, trees=20, folds=2)
STEPS = TrainingSettings(window_steps=24)


@pytest.fixture(scope="session")
def running_machine() -> DiagnosisTrained:
    """Normal, bearing and seal, one run of each."""
    return train_diagnosis(history({"normal": 500, "bearing": 400, "seal": 400}), STEPS, SMALL, silent)


@pytest.fixture(scope="session")
def cycling_machine() -> DiagnosisTrained:
    """Two components, cycle by cycle."""
    return train_diagnosis(cycles(), TrainingSettings(window_steps=30), SMALL, silent)
