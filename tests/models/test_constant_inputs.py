"""Inputs that vary somewhere, but not where the model learns."""

from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.errors import UnusableInput
from tagsight_models.frame import Frame
from tagsight_models.jobs import train
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import frame_of, linear_plant

SETTINGS = TrainingSettings(drop_constant=True)


def _frame(first: int, last: int) -> Frame:
    """Role 3 is 7, but for some steps."""
    values = linear_plant(900)
    values[:, 3] = 7.0
    values[first:last, 3] += np.linspace(0.1, 1.0, last - first)
    return frame_of(values)


def test_a_role_that_varies_only_in_the_held_out_time_is_left_out_with_its_cause() -> None:
    trained = train("health", TrainingData(_frame(800, 900)), SETTINGS)
    assert trained.card.dropped == {"role3": "constant in the steps that are learned from"}
    assert len(trained.model.roles) == 5


def test_a_role_that_varies_in_one_stretch_only_is_left_out_with_its_cause() -> None:
    trained = train("health", TrainingData(_frame(10, 20)), SETTINGS)
    assert trained.card.dropped == {"role3": "constant but for one stretch"}


def test_so_is_one_whose_stretch_lies_in_two_folds_of_the_time_to_learn_from_and_in_one_of_all_time() -> None:
    trained = train("health", TrainingData(_frame(262, 278)), SETTINGS)
    assert trained.card.dropped == {"role3": "constant but for one stretch"}


def test_such_a_role_is_refused_by_name_where_the_caller_wants_that() -> None:
    with pytest.raises(UnusableInput, match="'role3' cannot be used: constant but for one stretch"):
        train("health", TrainingData(_frame(10, 20)), replace(SETTINGS, drop_constant=False))
