"""Linear discriminants with shrinkage: all classes share one spread, whose correlations are shrunk.

Numbers of the same spread in each class part classes best along few directions; the distances along these give the log
probabilities of the linear discriminant analysis, and they are what the networks see.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from tagsight_models.frame import Floats

FLOOR: Final = 1e-6  # share of the mean variance that every feature has at least
HEAVY: Final = 5.0  # degrees of freedom of the tails


@dataclass(frozen=True, slots=True, eq=False)
class Discriminants:
    """Directions and where each class lies.

    Attributes:
        directions: shape (features, discriminants); the spread of a class is 1 along each.
        means: shape (classes, discriminants); NaN of a class that was not there.
    """

    directions: Floats
    means: Floats

    def along(self, features: Floats) -> Floats:
        """Shape (n, features) -> (n, discriminants)."""
        return np.asarray(features @ self.directions)

    def log_probabilities(self, features: Floats) -> Floats:
        """Shape (n, features) -> (n, classes), as if all were equally frequent; one that was not there has the least.

        Distances count as those of a Student distribution: what is far from all is not sure to be the nearest.
        """
        apart = ((self.along(features)[:, None] - self.means[None]) ** 2).sum(axis=2)
        apart = np.where(np.isnan(apart), np.nanmax(apart, axis=1, keepdims=True), apart)
        found = -0.5 * (HEAVY + self.directions.shape[1]) * np.log1p(apart / HEAVY)
        return np.asarray(found - scipy.special.logsumexp(found, axis=1, keepdims=True))

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        return {"directions": self.directions, "means": self.means}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Floats], features: int, classes: int) -> Self:
        """The inverse of `tensors`.

        Raises:
            ValueError: of other shapes.
        """
        made = cls(tensors["directions"], tensors["means"])
        if len(made.directions) != features or made.means.shape != (classes, made.directions.shape[1]):
            msg = "not the discriminants of these features and classes"
            raise ValueError(msg)
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """What discriminants of any shrinkage are made of: class means and the covariance within classes."""

    means: Floats
    within: Floats

    @classmethod
    def of(cls, features: Floats, classes: NDArray[np.intp], count: int) -> "Spread":
        """Every class weighs alike."""
        means = np.full((count, features.shape[1]), np.nan)
        within = np.zeros((features.shape[1], features.shape[1]))
        present = np.unique(classes)
        for one in present:
            rows = features[classes == one]
            means[one] = rows.mean(axis=0)
            apart = rows - means[one]
            within += apart.T @ apart / len(rows) / len(present)
        return cls(means, within)

    def discriminants(self, shrinkage: float) -> Discriminants:
        """At most one direction fewer than there are classes."""
        diagonal = np.diag(self.within)
        shrunk = (1.0 - shrinkage) * self.within + np.diag(shrinkage * diagonal + FLOOR * diagonal.mean() + 1e-12)
        there = self.means[~np.isnan(self.means[:, 0])]
        half: Any = scipy.linalg.cholesky(shrunk, lower=True)
        white = scipy.linalg.solve_triangular(half, (there - there.mean(axis=0)).T, lower=True)
        left, size, _ = np.linalg.svd(white, full_matrices=False)
        kept = left[:, : max(1, int((size > 1e-9 * size.max()).sum()))]
        kept = kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
        directions = scipy.linalg.solve_triangular(half, kept, lower=True, trans="T")
        return Discriminants(np.asarray(directions), self.means @ directions)
