"""What laboratory values say about the error of a regression, here and now: a Gaussian process over time and inputs.

The error is a quick bias (days), a slow bias (months), a part that is alike where the inputs are alike, and noise. A
plant's EWMA bias update is the first alone, with one gain for all times; here the gain follows from how old each value
is, how alike its inputs are and how noisy the target is there, and the variance that is left widens the interval
(C. Rasmussen, C. Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5). Its eight parameters are
found on errors in time that the regression did not see.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from tagsight_models.frame import Floats

USUAL: Final = np.log([0.3, 7.0, 0.3, 60.0, 1.0, 1.0, 60.0, 0.5])
"""Logarithms of: variance and time of the quick bias, variance, time and length of the local part, variance and time of
the slow bias, variance of the noise. Times are in laboratory intervals, variances in squares of the usual error."""

BELIEF: Final = 1.5
"""Standard deviation of what is believed of each logarithm beforehand."""

MOST: Final = 300
"""Errors that the parameters are found on; more are thinned evenly."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Where errors are.

    Attributes:
        times: shape (n,), in laboratory intervals.
        inputs: shape (n, roles), standardised.
        noise: shape (n,), factor on the variance of the noise.
    """

    times: Floats
    inputs: Floats
    noise: Floats

    def at(self, rows: slice) -> "Points":
        """Some of them."""
        return Points(self.times[rows], self.inputs[rows], self.noise[rows])


@dataclass(frozen=True, slots=True, eq=False)
class ResidualField:
    """A prior over errors in units of the usual error; `logs` has shape (8,), as `USUAL`."""

    logs: Floats

    @classmethod
    def fit(cls, points: Points, errors: Floats) -> "ResidualField":
        """The most likely parameters, given what is believed beforehand."""
        thinned = slice(None, None, max(1, -(-len(errors) // MOST)))
        seen, bounded = points.at(thinned), np.clip(errors[thinned], -5.0, 5.0)
        limits = [(log - 4.0, log + 4.0) for log in USUAL]
        found = minimize(_surprise, USUAL, (seen, bounded), "L-BFGS-B", bounds=limits, options={"maxiter": 20})
        return cls(np.asarray(found.x, dtype=np.float64))

    @property
    def prior(self) -> float:
        """Variance of the error before any value is known, without noise."""
        quick, _, local, _, _, slow, _, _ = np.exp(self.logs)
        return float(quick + local + slow)

    @property
    def noise(self) -> float:
        """Variance of the noise where its factor is 1."""
        return float(np.exp(self.logs[7]))

    def covariance(self, one: Points, other: Points) -> Floats:
        """Shape (len(one), len(other)), without noise."""
        quick, quick_time, local, local_time, length, slow, slow_time, _ = np.exp(self.logs)
        apart = np.abs(one.times[:, None] - other.times)
        squares = (one.inputs**2).sum(axis=1)[:, None] + (other.inputs**2).sum(axis=1) - 2 * one.inputs @ other.inputs.T
        unlike = np.maximum(squares, 0.0) / (2 * one.inputs.shape[1] * length**2)
        biases = quick * np.exp(-apart / quick_time) + slow * np.exp(-apart / slow_time)
        return np.asarray(biases + local * np.exp(-apart / local_time - unlike))

    def given(self, known: Points, errors: Floats, at: Points) -> tuple[Floats, Floats]:
        """Mean and variance (noise included) of the errors at `at`, given those at `known`."""
        own = self.prior + self.noise * at.noise
        if not len(errors):
            return np.zeros(len(at.times)), own
        factor = cho_factor(self.covariance(known, known) + np.diag(self.noise * known.noise))
        across = self.covariance(at, known)
        explained = np.einsum("ij,ji->i", across, cho_solve(factor, across.T))
        mean = across @ cho_solve(factor, errors)
        return np.asarray(mean), np.asarray(np.maximum(own - explained, 1e-3 * own))


def _surprise(logs: Floats, points: Points, errors: Floats) -> float:
    field = ResidualField(logs)
    covariance = field.covariance(points, points) + np.diag(field.noise * points.noise)
    try:
        factor = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(errors)))
    except np.linalg.LinAlgError:
        return 1e9
    weighted = np.linalg.solve(factor, errors)
    believed = float((((logs - USUAL) / BELIEF) ** 2).sum())
    return 0.5 * (float(weighted @ weighted) + believed) + float(np.log(np.diag(factor)).sum())
