"""How noisy the target is where it is predicted to lie: errors often grow with the value."""

from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats

STEPS = 5
"""Levels between which the noise is interpolated."""

LEAST_EACH = 40
"""Errors that a level needs to have a noise of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class NoiseLevel:
    """Usual size of the error against the prediction: `levels` ascending and `sizes`, both of shape (k,)."""

    levels: Floats
    sizes: Floats

    @classmethod
    def fit(cls, predictions: Floats, errors: Floats) -> "NoiseLevel":
        """Root of the median square in groups of equal size, drawn half-way towards that of all."""
        overall = max(_size(errors), 1e-9 * float(np.ptp(predictions)), 1e-300)
        groups = min(STEPS, len(errors) // LEAST_EACH)
        if groups < 2:
            return cls(np.array([float(np.median(predictions))]), np.array([overall]))
        parts = np.array_split(np.argsort(predictions, kind="stable"), groups)
        levels = np.array([float(np.median(predictions[part])) for part in parts])
        sizes = np.array([_size(errors[part]) for part in parts])
        kept = np.concatenate([[True], np.diff(levels) > 0.0])
        return cls(levels[kept], np.clip(sizes[kept], overall / 4.0, overall * 4.0))

    @property
    def overall(self) -> float:
        """The unit of errors: the median of the sizes."""
        return float(np.median(self.sizes))

    def factor(self, predictions: Floats) -> Floats:
        """Factor on the variance of the noise, shape (n,)."""
        return np.asarray((np.interp(predictions, self.levels, self.sizes) / self.overall) ** 2)


def _size(errors: Floats) -> float:
    usual = 1.4826 * float(np.median(np.abs(errors)))
    return max(usual, 0.2 * float(np.sqrt(np.mean(errors**2))))
