"""A small plant with a laboratory: what the tests of the soft sensor learn from."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from tagsight_models.frame import Floats, Frame, Series
from tagsight_models.quality.settings import QualitySettings
from tagsight_models.regression.oblivious_trees import TreeSettings
from tagsight_models.regression.regressor import RegressorSettings
from tagsight_models.training import FitSettings
from tagsight_models.training_data import TrainingData
from tests.models.plants import frame_of

EVERY = 4
SMALL = RegressorSettings(networks=1, trees=TreeSettings(trees=40, depth=4), fit=FitSettings(epochs=12, patience=4))
JOB = QualitySettings(delay_ns=0, regressor=SMALL)


@dataclass(frozen=True)
class LabPlant:
    frame: Frame
    truth: Floats

    def data(self, *, steps: slice = slice(None), every: int = EVERY, wrong: float = 0.0) -> TrainingData:
        """A laboratory value every few steps, a share of them wrong by a factor of ten."""
        rows = np.arange(len(self.truth))[steps][::every]
        values = self.truth[rows].copy()
        values[np.random.default_rng(5).random(len(rows)) < wrong] *= 10.0
        target = Series(self.frame.times[rows], values, np.zeros(len(rows), dtype=np.uint8))
        return TrainingData(self.frame, target=target, target_name="Viscosity", target_unit="cP")


def lab_plant(steps: int = 2400, seed: int = 0, *, delay: int = 0, drift: float = 0.0, noise: float = 0.15) -> LabPlant:
    """Viscosity follows temperature, flow times feed, and a slow drift that no input shows."""
    random = np.random.default_rng(seed)
    inputs = lfilter([0.3], [1.0, -0.7], random.normal(size=(steps + 50, 4)), axis=0)[50:] * 2.0
    clean = 20.0 + 2.0 * inputs[:, 0] - inputs[:, 1] + 1.5 * np.tanh(inputs[:, 2])
    late = np.concatenate([np.full(delay, clean[0]), clean[: len(clean) - delay]])
    truth = late + drift * np.arange(steps) / steps + noise * random.normal(size=steps)
    return LabPlant(frame_of(50.0 + 5.0 * inputs), truth)
