"""The largest standardised deviation of any single role: what a table of fixed limits would see."""

from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.statistics.ewma import enough, smoothed
from tagsight_models.statistics.linear_algebra import Scaling

WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class LargestZ:
    """Each role is smoothed, EWMA(0.2), then the largest |z| counts."""

    scaling: Scaling

    @classmethod
    def fit(cls, values: Floats) -> "LargestZ":
        """From normal rows; rows with NaN do not count."""
        return cls(Scaling.of(values))

    def rows(self, values: Floats) -> Floats:
        """Largest smoothed |z| of each row."""
        scores = self.scaling(values)
        lookback = enough(WEIGHT)
        columns = [smoothed(column, WEIGHT, lookback) for column in scores.T]
        return np.asarray(np.abs(np.stack(columns, axis=1)).max(axis=1))
