"""The short memory of a prognosis: level and slope over several lookbacks, and windows at the start of a life.

Where a machine has run for fewer steps than a window has, the window is filled by mirroring what there is: noise stays
noise, no value repeats in a row, and nothing in it counts the time since the start.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tagsight_models.frame import Floats, Times

SHARES: Final = (1 / 12, 1 / 6, 1 / 3, 2 / 3, 1.0)
"""Lookbacks as shares of the window."""

TOKENS: Final = 12
"""Blocks of a window whose means a recurrent or convolutional network sees one after the other."""


def bank(steps: int, network: str) -> Floats:
    """Shape (filters, steps): weights over the steps of a window.

    For `mlp` the end point and the slope of a straight line over each lookback, for the others block means.
    """
    if network == "mlp":
        return np.concatenate([_line(max(2, round(share * steps)), steps) for share in SHARES])
    blocks = np.array_split(np.arange(steps), min(TOKENS, steps))
    return np.array([np.isin(np.arange(steps), block) / len(block) for block in blocks])


def _line(lookback: int, steps: int) -> Floats:
    """Least squares line through the last steps: its value at the last one, and its rise over the lookback."""
    time = np.arange(1 - lookback, 1) / lookback
    fitted = np.linalg.pinv(np.stack([np.ones(lookback), time], axis=1))
    return np.concatenate([np.zeros((2, steps - lookback)), fitted], axis=1)


def mirrored(ends: Times, ages: Times, steps: int) -> Times:
    """Shape (n, steps): the rows of each window that ends at row `ends` and has `ages` rows of its own life."""
    own = np.maximum(np.minimum(ages, steps), 1)[:, None]
    period = np.maximum(2 * (own - 1), 1)
    back = np.arange(steps)[::-1][None] % period
    found: Times = ends[:, None] - np.where(back < own, back, period - back)
    return found


def life_windows(values: Floats, steps: int, rows: Sequence[int] | Times) -> Floats:
    """Windows (n, steps, roles) that end at these rows of one life (rows, roles), mirrored where it is younger."""
    ends = np.asarray(rows, dtype=np.int64)
    return values[mirrored(ends, ends + 1, steps)]
