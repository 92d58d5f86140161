"""A robust straight line through a window, and how far such lines were off in the past.

The slope is the median of the slopes between all pairs of steps (H. Theil, 1950; P. K. Sen, 1968), the level the median
of what remains: up to 29 % of the steps may be wild.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.frame import Floats, Times

LEVEL_STEPS: Final = 9
"""The level at a step is the median of as many steps round it: what must cross the limit, not a single value."""

CHUNK: Final = 64


def lines(values: Floats) -> tuple[Floats, Floats]:
    """Windows (n, steps) -> level at the last step and rise a step, each (n,)."""
    steps = values.shape[1]
    first, second = np.triu_indices(steps, 1)
    back = np.arange(1 - steps, 1)
    level, slope = np.empty(len(values)), np.empty(len(values))
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK]
        rise = np.median((part[:, second] - part[:, first]) / (second - first), axis=1)
        slope[start : start + CHUNK] = rise
        level[start : start + CHUNK] = np.median(part - rise[:, None] * back, axis=1)
    return level, slope


def levels(values: Floats) -> Floats:
    """Series (rows,) -> its level at each row, NaN at the ends and where a value is missing."""
    half = LEVEL_STEPS // 2
    padded = np.concatenate([np.full(half, np.nan), values, np.full(half, np.nan)])
    seen = np.lib.stride_tricks.sliding_window_view(padded, LEVEL_STEPS)
    return np.asarray(np.median(seen, axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How far levels lay from the line, by distance into the future; beyond the last one it grows in proportion.

    Attributes:
        horizons: shape (h,), steps, ascending.
        below: shape (h,), lower quantile of level - line, at most 0.
        above: shape (h,), upper quantile, at least 0.
    """

    horizons: Floats
    below: Floats
    above: Floats

    def at(self, ahead: Floats) -> tuple[Floats, Floats]:
        """Lower and upper quantile at these distances (steps)."""
        known = np.concatenate([[0.0], self.horizons])
        beyond = np.maximum(1.0, ahead / self.horizons[-1])
        below = np.interp(ahead, known, np.concatenate([self.below[:1], self.below])) * beyond
        return below, np.interp(ahead, known, np.concatenate([self.above[:1], self.above])) * beyond

    @classmethod
    def of(cls, errors: Floats, horizons: Times, spans: Floats, tail: float) -> "Spread":
        """From errors (origins, horizons), NaN where there is none; `spans`: independent stretches of each horizon.

        Spreads never shrink with the distance.
        """
        below, above = [], []
        for column, independent in enumerate(spans):
            own = errors[:, column][np.isfinite(errors[:, column])]
            level = min(1.0, (1.0 - tail) * (1.0 + 1.0 / independent))
            below.append(min(0.0, -float(np.quantile(-own, level, method="higher"))))
            above.append(max(0.0, float(np.quantile(own, level, method="higher"))))
        lowest = np.minimum.accumulate(np.array(below))
        return cls(np.asarray(horizons, dtype=np.float64), lowest, np.maximum.accumulate(np.array(above)))
