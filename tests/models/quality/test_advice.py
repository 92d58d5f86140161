"""Advice."""

from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.quality.advice import NONE_FOUND, NOTHING
from tagsight_models.quality.fit import QualityTrained
from tagsight_models.quality.soft_sensor import SoftSensor
from tests.models.plants import windows_of
from tests.models.quality.lab_plant import lab_plant


def sensor(trained: QualityTrained, adjustable: dict[str, tuple[float, float]], high: float) -> SoftSensor:
    return SoftSensor(replace(trained.model.parts, adjustable=adjustable)).with_limits(None, high)


def a_high_window(trained: QualityTrained) -> np.ndarray:
    windows = windows_of(lab_plant(800, 5).frame.values, 4)
    found = trained.model.predict(windows)
    return np.array(windows[np.argsort(found)[-40]])


def test_the_advised_move_brings_the_prediction_back_inside(viscosity: QualityTrained) -> None:
    window = a_high_window(viscosity)
    high = float(viscosity.model.predict(window[None])[0]) - 1.0
    model = sensor(viscosity, {"role0": (30.0, 70.0), "role1": (30.0, 70.0)}, high)
    advice = model.advice(window, 0.0)
    moved = window.copy()
    for role, value in advice.values.items():
        column = int(role[-1])
        moved[:, column] += value - window[-1, column]
    assert model.predict(moved[None])[0] <= high
    assert advice.prediction == pytest.approx(float(model.predict(moved[None])[0]))
    assert advice.words.startswith("move role")
    assert all(30.0 <= value <= 70.0 for value in advice.values.values())


def test_the_bias_counts_in_advice(viscosity: QualityTrained) -> None:
    window = a_high_window(viscosity)
    high = float(viscosity.model.predict(window[None])[0]) + 0.5
    model = sensor(viscosity, {"role0": (30.0, 70.0)}, high)
    assert model.advice(window, 0.0).words == NOTHING
    assert model.advice(window, 1.0).words.startswith("move role0")


def test_where_no_move_within_the_bounds_does_it_says_so(viscosity: QualityTrained) -> None:
    window = a_high_window(viscosity)
    at = float(window[-1, 0])
    high = float(viscosity.model.predict(window[None])[0]) - 3.0
    advice = sensor(viscosity, {"role0": (at - 0.1, at + 0.1)}, high).advice(window, 0.0)
    assert advice.words == NONE_FOUND
    assert advice.values == {"role0": at}


def test_it_does_not_leave_where_training_data_lies(viscosity: QualityTrained) -> None:
    window = a_high_window(viscosity)
    high = float(viscosity.model.predict(window[None])[0]) - 30.0
    model = sensor(viscosity, {"role0": (-1e4, 1e4), "role1": (-1e4, 1e4)}, high)
    assert model.advice(window, 0.0).words == NONE_FOUND


def test_without_adjustable_roles_there_is_none(viscosity: QualityTrained) -> None:
    model = sensor(viscosity, {}, 0.0)
    assert not any(output.name.startswith("Advice") for output in model.outputs)
