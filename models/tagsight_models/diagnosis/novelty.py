"""How unlike everything learned a window is: its distance to the nearest class, in units of that class's own windows.

Distances are Mahalanobis distances in all features with the spread that the classes share; a class whose own windows
lie wide is allowed more. The limit comes from held-out windows of known classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from tagsight_models.diagnosis.discriminants import FLOOR, Spread
from tagsight_models.frame import Floats

SHRINKAGE: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """What is familiar.

    Attributes:
        white: shape (features, features): features @ white have the same spread in every direction.
        means: shape (classes, features), in these.
        usual: shape (classes,), squared distance that a class's own windows have: as learned the median, then as
            held-out windows of the class ask for.
    """

    white: Floats
    means: Floats
    usual: Floats

    def apart(self, features: Floats) -> Floats:
        """Shape (n, features) -> (n, classes): distance from each class in units of its own; infinite if not there."""
        seen = features @ self.white
        found = np.stack([((seen - mean) ** 2).sum(axis=1) for mean in self.means], axis=1) / self.usual
        return np.asarray(np.where(np.isnan(found), np.inf, found))

    def __call__(self, features: Floats) -> Floats:
        """Shape (n, features) -> (n,): at most about 1 is as a known class, far above 1 is like none."""
        return np.asarray(self.apart(features).min(axis=1))

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        return {"white": self.white, "means": self.means, "usual": self.usual}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Floats], features: int, classes: int) -> Self:
        """The inverse of `tensors`.

        Raises:
            ValueError: of other shapes.
        """
        made = cls(tensors["white"], tensors["means"], tensors["usual"])
        expected = ((features, features), (classes, features), (classes,))
        if (made.white.shape, made.means.shape, made.usual.shape) != expected:
            msg = "what is familiar in other features"
            raise ValueError(msg)
        return made


def familiar(features: Floats, classes: NDArray[np.intp], count: int) -> Novelty:
    """Learn what is familiar."""
    spread = Spread.of(features, classes, count)
    diagonal = np.diag(spread.within)
    shrunk = (1.0 - SHRINKAGE) * spread.within + np.diag(SHRINKAGE * diagonal + FLOOR * diagonal.mean() + 1e-12)
    half: Any = scipy.linalg.cholesky(shrunk, lower=True)
    white = np.asarray(scipy.linalg.solve_triangular(half, np.eye(len(half)), lower=True)).T.copy()
    means, seen = spread.means @ white, features @ white
    usual = np.full(count, np.nan)
    for one in np.unique(classes):
        usual[one] = max(float(np.median(((seen[classes == one] - means[one]) ** 2).sum(axis=1))), 1e-12)
    return Novelty(white, means, usual)
