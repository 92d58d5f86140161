"""A small plant: output follows feed and temperature, and its valve runs out of travel."""

from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.frame import Floats, Frame, Role, Series
from tagsight_models.production.fit import ProductionTrained, train_production
from tagsight_models.production.settings import ProductionSettings
from tagsight_models.regression.oblivious_trees import TreeSettings
from tagsight_models.regression.regressor import RegressorSettings
from tagsight_models.training import FitSettings, silent
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import frame_of

QUICK = RegressorSettings(networks=1, trees=TreeSettings(trees=40), fit=FitSettings(epochs=4))
NAMES = ("weather", "temperature", "valve", "idle")
BOUNDS = {"temperature": (75.0, 85.0)}
JOB = ProductionSettings(adjustable=BOUNDS, conditions=("weather",), regressor=QUICK)
SETTINGS = TrainingSettings(window_steps=4, seed=1)


def plant(steps: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Inputs and output: 2 for each degree below 84 is lost, and 10 while the valve is fully open."""
    random = np.random.default_rng(seed)
    weather = np.repeat(random.normal(size=steps // 20 + 1), 20)[:steps]
    temperature = 80.0 + 2.0 * np.repeat(random.normal(size=steps // 10 + 1), 10)[:steps]
    wanted = 80.0 + 15.0 * np.repeat(random.normal(size=steps // 15 + 1), 15)[:steps] + random.normal(size=steps)
    idle = random.normal(size=steps)
    output = 100.0 + 5.0 * weather - 2.0 * np.maximum(84.0 - temperature, 0.0) - 10.0 * (wanted >= 100.0)
    inputs = np.stack([weather, temperature, np.minimum(wanted, 100.0), idle], axis=1)
    return inputs, output + 0.3 * random.normal(size=steps)


def named(frame: Frame, names: tuple[str, ...]) -> Frame:
    return replace(frame, roles=tuple(Role(name, "u") for name in names))


def data_of(inputs: Floats, output: Floats, names: tuple[str, ...] = NAMES) -> TrainingData:
    frame = named(frame_of(inputs), names)
    target = Series(frame.times, output, np.zeros(len(output), dtype=np.uint8))
    return TrainingData(frame, target=target, target_name="output", target_unit="t/h")


def trained_on(data: TrainingData, job: ProductionSettings = JOB) -> ProductionTrained:
    return train_production(data, SETTINGS, job, silent)


@pytest.fixture(scope="session")
def production() -> ProductionTrained:
    return trained_on(data_of(*plant(3000)))
