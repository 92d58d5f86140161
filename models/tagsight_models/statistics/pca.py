"""PCA-SPE (Q statistic): squared distance from the plane of the leading principal components."""

from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.statistics.linear_algebra import Scaling, covariance, squared_length
from tagsight_models.statistics.statistic import present

EXPLAINED = 0.9


@dataclass(frozen=True, slots=True)
class PcaSpe:
    """Squared prediction error of a plane that explains 90 % of the variance."""

    scaling: Scaling
    residual: Floats

    @classmethod
    def fit(cls, values: Floats) -> "PcaSpe":
        """From normal rows; rows with NaN do not count."""
        scaling = Scaling.of(values)
        variances, vectors = np.linalg.eigh(covariance(scaling(values[present(values)])))
        share = np.cumsum(variances[::-1]) / variances.sum()
        kept = min(int(np.searchsorted(share, EXPLAINED)) + 1, max(len(variances) - 1, 0))
        return cls(scaling, np.asarray(vectors[:, : len(variances) - kept]))

    def rows(self, values: Floats) -> Floats:
        """Squared prediction error of each row."""
        return squared_length(self.scaling(values) @ self.residual)
