"""Where the training data lies: advice does not leave it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.frame import Floats

INSIDE: Final = 0.99
"""Share of the training data that lies inside."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """An ellipsoid round the inputs.

    Attributes:
        centre: shape (roles,).
        scale: shape (roles,).
        whitening: shape (roles, roles), of standardised rows.
        limit: the distance within which they lie.
    """

    centre: Floats
    scale: Floats
    whitening: Floats
    limit: float

    @classmethod
    def fit(cls, rows: Floats) -> "Region":
        """Round rows (n, roles)."""
        centre, scale = np.median(rows, axis=0), rows.std(axis=0)
        scale = np.where(scale > 0.0, scale, 1.0)
        standardised = (rows - centre) / scale
        covariance = standardised.T @ standardised / len(rows) + 0.01 * np.eye(rows.shape[1])
        whitening = np.linalg.inv(np.linalg.cholesky(covariance)).T
        distances = np.sqrt(((standardised @ whitening) ** 2).sum(axis=1))
        return cls(centre, scale, whitening, float(np.quantile(distances, INSIDE)))

    def standardised(self, rows: Floats) -> Floats:
        """Rows (n, roles) in spreads, kept within four: what is alike is told in this."""
        return np.asarray(np.clip((rows - self.centre) / self.scale, -4.0, 4.0))

    def distance(self, rows: Floats) -> Floats:
        """Of rows (n, roles) from the centre, shape (n,)."""
        return np.asarray(np.sqrt(((((rows - self.centre) / self.scale) @ self.whitening) ** 2).sum(axis=1)))
