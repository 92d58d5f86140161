"""Exponentially weighted moving average over a finite lookback: a pure function of the last rows (design law 15)."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from tagsight_models.frame import Floats
from tagsight_models.statistics.statistic import Statistic


def weights(weight: float, lookback: int) -> Floats:
    """Weights of the newest, the second newest ... row; they add up to 1."""
    raw = (1.0 - weight) ** np.arange(lookback)
    return np.asarray(raw / raw.sum())


def enough(weight: float, rest: float = 0.01) -> int:
    """Lookback after which an endless average would add less than `rest`."""
    return math.ceil(math.log(rest) / math.log(1.0 - weight))


def smoothed(rows: Floats, weight: float, lookback: int) -> Floats:
    """Weighted mean of the rows within the lookback that hold a number; NaN where the newest one does not."""
    taps = weights(weight, lookback)
    finite = np.isfinite(rows)
    total = lfilter(taps, [1.0], np.where(finite, rows, 0.0))
    share = lfilter(taps, [1.0], finite.astype(np.float64))
    return np.where(finite, total / np.where(finite, share, 1.0), np.nan)


@dataclass(frozen=True, slots=True)
class Smoothed:
    """A statistic, smoothed."""

    statistic: Statistic
    weight: float

    def rows(self, values: Floats) -> Floats:
        """Smoothed statistic of each row."""
        return smoothed(self.statistic.rows(values), self.weight, enough(self.weight))
