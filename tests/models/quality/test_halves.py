from dataclasses import replace

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.quality.fit import QualityTrained
from tagsight_models.quality.halves import halves, unaided
from tagsight_models.quality.inner_time import Calibrated
from tagsight_models.quality.lab_samples import LabSamples
from tagsight_models.quality.residual_field import USUAL, ResidualField
from tagsight_models.regression.noise_level import NoiseLevel
from tagsight_models.regression.oblivious_trees import TreeSettings
from tagsight_models.regression.region import Region
from tagsight_models.regression.regressor import SHARES, Regressor, RegressorSettings
from tagsight_models.training import silent

SETTINGS = RegressorSettings(networks=0, trees=TreeSettings(trees=20, depth=2))
FOUND = Calibrated(NoiseLevel(np.array([0.0]), np.array([1.0])), ResidualField(USUAL), 1.6)


def quantile_of(values: Floats, inputs: Floats) -> float:
    """Of the interval of a sensor for these values."""
    samples = LabSamples(np.arange(len(values), dtype=np.int64), values, inputs[:, None])
    middle = len(values) // 2
    first, _ = Regressor.fit(inputs[:middle], values[:middle], SETTINGS)
    held = halves(samples, inputs, first, SETTINGS, silent)
    assert [len(each.samples) for each in held] == [middle, len(values) - middle]
    return unaided(held, SHARES["line"], FOUND, Region.fit(inputs), 0.9).quantile


def test_a_change_between_the_halves_makes_the_interval_wider() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(800, 2))
    values = inputs @ np.array([1.0, -1.0]) + 0.3 * random.normal(size=800)
    shifted = values + np.where(np.arange(800) < 400, 0.0, 3.0)
    assert quantile_of(shifted, inputs) > 3.0 * quantile_of(values, inputs)


def test_the_worse_half_counts() -> None:
    random = np.random.default_rng(1)
    inputs = random.normal(size=(800, 2))
    noisy = np.where(np.arange(800) < 400, 0.2, 2.0)
    values = inputs @ np.array([1.0, -1.0]) + noisy * random.normal(size=800)
    quiet = inputs @ np.array([1.0, -1.0]) + 0.2 * random.normal(size=800)
    assert quantile_of(values, inputs) > 6.0 * quantile_of(quiet, inputs)


def test_an_unaided_interval_is_wider_where_inputs_are_far_from_what_was_learned(viscosity: QualityTrained) -> None:
    parts = viscosity.model.parts
    near = replace(parts.unaided.nearness, share=0.5)
    spread = np.ones(2)
    rows = np.stack([np.median(near.rows, axis=0), near.rows.max(axis=0) + 10.0])
    half = replace(parts.unaided, nearness=near).half(spread, rows)
    assert half[1] > 1.5 * half[0]
