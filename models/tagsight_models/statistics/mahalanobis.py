"""Mahalanobis distance (Hotelling's T2) with a shrunk covariance."""

from dataclasses import dataclass

from tagsight_models.frame import Floats
from tagsight_models.statistics.linear_algebra import Scaling, inverse_root, shrunk_covariance, squared_length
from tagsight_models.statistics.statistic import present


@dataclass(frozen=True, slots=True)
class Mahalanobis:
    """Squared distance from the mean in the metric of the covariance."""

    scaling: Scaling
    whitening: Floats

    @classmethod
    def fit(cls, values: Floats) -> "Mahalanobis":
        """From normal rows; rows with NaN do not count."""
        scaling = Scaling.of(values)
        return cls(scaling, inverse_root(shrunk_covariance(scaling(values[present(values)])), 1e-12))

    def rows(self, values: Floats) -> Floats:
        """Squared distance of each row."""
        return squared_length(self.scaling(values) @ self.whitening)
