"""The delay between the inputs and what a sample shows, found in the data."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats, Frame, Times
from tagsight_models.quality.lab_samples import LEAST, samples
from tagsight_models.regression.ridge_line import ridge

CANDIDATES: Final = 25
CLEAR: Final = 0.1
"""A delay counts when its error is this share below that of none: a line that is no good model of the plant can seem a
little better at a wrong delay, and where inputs are so slow that the delay hardly shows, it hardly matters."""


@dataclass(frozen=True, slots=True)
class FoundDelay:
    """The delay in steps of the grid, and the mean squared error of a line at each candidate (steps, error)."""

    steps: int
    errors: tuple[tuple[int, float], ...]


def find_delay(frame: Frame, times: Times, values: Floats, lookback: int, most_steps: int) -> FoundDelay:
    """The candidate at which a line, on blocks of time that its fit did not see, is nearest to the values.

    The line sees the last step alone: with means of the past a shorter delay would look as good as the right one.
    """
    candidates = np.unique(np.linspace(0, most_steps, min(most_steps + 1, CANDIDATES)).round().astype(int)).tolist()
    cut = {steps: samples(frame, times, values, lookback, steps) for steps in candidates}
    common = times
    for found in cut.values():
        common = np.intersect1d(common, found.times)
    if len(common) < LEAST:
        raise TooLittleData("laboratory values with usable inputs at every possible delay", len(common), LEAST)
    errors = []
    for found in cut.values():
        part = found.at(np.flatnonzero(np.isin(found.times, common)))
        errors.append(_error(part.windows[:, -1], part.values))
    best = int(np.argmin(errors))
    clear = errors[best] < (1.0 - CLEAR) * errors[0]
    return FoundDelay(candidates[best] if clear else 0, tuple(zip(candidates, errors, strict=True)))


def _error(features: Floats, values: Floats) -> float:
    scale = features.std(axis=0)
    standardised = (features - features.mean(axis=0)) / np.where(scale > 0.0, scale, 1.0)
    low, high = np.quantile(values, [0.01, 0.99])  # a wrong laboratory value must not decide
    bounded = np.clip(values, low, high)
    return ridge(standardised, bounded - bounded.mean())[1]
