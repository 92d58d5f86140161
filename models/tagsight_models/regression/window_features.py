"""What a regression sees of a window: the last value of each role, and how it lies to its means over the recent past.

Means over 2, 4, 8 ... steps up to the lookback, each as its difference from the last value: a steady move of a role
changes its last value only, so a set-point move has one meaning.
"""

from collections.abc import Sequence

import numpy as np

from tagsight_models.frame import Floats


def taps(lookback: int) -> tuple[int, ...]:
    """Lengths of the means: powers of two up to the lookback, which itself is one of them."""
    found = [1]
    while found[-1] < lookback:
        found.append(min(2 * found[-1], lookback))
    return tuple(found)


def window_features(windows: Floats, lengths: Sequence[int]) -> Floats:
    """Windows (n, steps, roles) -> (n, len(lengths) * roles), the last values first; `lengths` begin with 1."""
    last = windows[:, -1]
    means = [windows[:, -length:].mean(axis=1) for length in lengths[1:]]
    return np.concatenate([last, *(last - mean for mean in means)], axis=1)
