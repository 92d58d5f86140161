"""Laboratory values that are mistakes: a decimal point, a unit, a mixed-up sample.

A value far from all others is one only where the inputs give no reason for it: excursions of a plant are rare, far
from the usual, and what a soft sensor is for.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from tagsight_models.frame import Flags, Floats
from tagsight_models.regression.oblivious_trees import ObliviousTrees, TreeSettings
from tagsight_models.statistics.out_of_fold import blocks

FAR: Final = 20.0
"""Half-widths of the central 90 % from the median, beyond which a value is looked at."""

USUAL: Final = 2.0
"""Half-widths from the median, within which the inputs give no reason for it."""

TREES: Final = 100
DEPTH: Final = 2


def mistaken(features: Floats, values: Floats, settings: TreeSettings) -> Flags:
    """Which values (n,) are mistakes, given their features (n, columns): told by trees that did not see them."""
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    half = 0.5 * float(high - low)
    far = np.abs(values - middle) > FAR * half
    if half == 0.0 or not far.any():
        return np.zeros(len(values), dtype=np.bool_)
    bounded = np.clip(values, middle - FAR * half, middle + FAR * half)
    expected = np.empty(len(values))
    for block in blocks(len(values)):
        rest = np.delete(np.arange(len(values)), block)
        grown = ObliviousTrees.fit(features[rest], bounded[rest], replace(settings, trees=TREES, depth=DEPTH))
        expected[block] = grown.predict(features[block])
    return np.asarray(far & (np.abs(expected - middle) < USUAL * half))
