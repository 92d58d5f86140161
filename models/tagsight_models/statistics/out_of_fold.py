"""Statistics of rows that the fit did not see: blocked folds, in the order of time, never shuffled."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Floats
from tagsight_models.statistics.statistic import Fit

FOLDS = 5


def blocks(steps: int, folds: int = FOLDS) -> Iterator[NDArray[np.intp]]:
    """Contiguous blocks of row numbers that cover everything, in order."""
    yield from np.array_split(np.arange(steps), folds)


def without(values: Floats, block: NDArray[np.intp]) -> Floats:
    """The rows with NaN in the block, so that no lag reaches across it."""
    rest = values.copy()
    rest[block] = np.nan
    return rest


def out_of_fold(fit: Fit, values: Floats, folds: int = FOLDS) -> Floats:
    """Statistic of every row from a fit on the other blocks, shape (steps,); each block starts without a past."""
    found = np.full(len(values), np.nan)
    for block in blocks(len(values), folds):
        found[block] = fit(without(values, block)).rows(values[block])
    return found
