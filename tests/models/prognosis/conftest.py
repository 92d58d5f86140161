"""A model of remaining life, trained once for all tests of it."""

import pytest

from tagsight_models.prognosis.fit import train_prognosis
from tagsight_models.prognosis.settings import PrognosisSettings
from tagsight_models.prognosis.trained import PrognosisTrained
from tagsight_models.training_settings import TrainingSettings
from tests.models.prognosis.worn_machines import fleet

SETTINGS = TrainingSettings(window_steps=24)
JOB = PrognosisSettings(cap_hours=60.0, horizon_hours=12.0, members=4)


@pytest.fixture(scope="session")
def trained() -> PrognosisTrained:
    """Of 24 machines with two operating points."""
    return train_prognosis(fleet(24, seed=1), SETTINGS, JOB, lambda _share, _words: None)
