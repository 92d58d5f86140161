"""Severities in their order: ridge regression on the rank of the class, so that what lies between classes helps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import scipy.special
from numpy.typing import NDArray

from tagsight_models.frame import Floats

WIDTH: Final = 0.4  # ranks: spread of the regression about the true rank


@dataclass(frozen=True, slots=True, eq=False)
class Severity:
    """Rank = features @ slopes + offset; shapes (features,) and (1,)."""

    slopes: Floats
    offset: Floats
    classes: int

    def log_probabilities(self, features: Floats) -> Floats:
        """Shape (n, features) -> (n, classes)."""
        rank = features @ self.slopes + self.offset
        found = -0.5 * ((rank[:, None] - np.arange(self.classes)) / WIDTH) ** 2
        return np.asarray(found - scipy.special.logsumexp(found, axis=1, keepdims=True))

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        return {"slopes": self.slopes, "offset": self.offset}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Floats], features: int, classes: int) -> Self:
        """The inverse of `tensors`.

        Raises:
            ValueError: of other shapes.
        """
        made = cls(tensors["slopes"], tensors["offset"], classes)
        if made.slopes.shape != (features,) or made.offset.shape != (1,):
            msg = "the severity of other features"
            raise ValueError(msg)
        return made


def severities(
    features: Floats, classes: NDArray[np.intp], count: int, strengths: Sequence[float]
) -> tuple[Severity, ...]:
    """One regression for each strength; all classes weigh alike."""
    weights = 1.0 / np.bincount(classes, minlength=count)[classes]
    weights = weights / weights.sum()
    mean, middle = weights @ features, float(weights @ classes)
    apart = features - mean
    weighted = apart * weights[:, None]
    gram, target = weighted.T @ apart, weighted.T @ (classes - middle)
    found = []
    for strength in strengths:
        slopes = np.linalg.solve(gram + strength * np.eye(len(gram)), target)
        found.append(Severity(slopes, np.asarray([middle - float(mean @ slopes)]), count))
    return tuple(found)
