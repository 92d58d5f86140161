"""One trained model serves many tests: training is the slow part."""

from collections.abc import Iterator

import pytest
import torch

from tagsight_models.jobs import train
from tagsight_models.trained import Trained
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import frame_of, linear_plant, two_point_plant


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def linear() -> Trained:
    """Trained on the linear plant."""
    return train("health", TrainingData(frame_of(linear_plant(3000))), TrainingSettings(), hashes={"plan": "p" * 64})


@pytest.fixture(scope="session")
def nonlinear() -> Trained:
    """Trained on the plant with two operating points."""
    return train("health", TrainingData(frame_of(two_point_plant(5000))), TrainingSettings())
