"""PCA-SPE over stacked rows: dynamic principal component analysis, a baseline of the suites alone.

W. Ku, R. Storer, C. Georgakis, "Disturbance detection and isolation by dynamic principal component analysis", 1995.
"""

from dataclasses import dataclass

from tagsight_models.frame import Floats
from tagsight_models.statistics.linear_algebra import stacked
from tagsight_models.statistics.pca import PcaSpe

LAGS = 3


@dataclass(frozen=True, slots=True)
class DpcaSpe:
    """Squared prediction error of a plane through three rows side by side."""

    plane: PcaSpe

    @classmethod
    def fit(cls, values: Floats) -> "DpcaSpe":
        """From normal rows; stacks with NaN do not count."""
        return cls(PcaSpe.fit(stacked(values, LAGS)))

    def rows(self, values: Floats) -> Floats:
        """Squared prediction error of each row."""
        return self.plane.rows(stacked(values, LAGS))
