"""Canonical variate analysis: a state-space model of the normal plant and its two statistics.

The past (rows t, t-1, t-2) is whitened and split into the directions that predict the future best (the states) and
the rest. T2 is the squared length of the states, Tr2 that of the rest.
W. Larimore, "Canonical variate analysis in identification, filtering, and adaptive control", 1990; for monitoring
L. Chiang, E. Russell, R. Braatz, "Fault Detection and Diagnosis in Industrial Systems", 2001, chapter 7.
"""

from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.statistics.linear_algebra import (
    Scaling,
    covariance,
    cross_covariance,
    inverse_root,
    squared_length,
    stacked,
)
from tagsight_models.statistics.statistic import complete, present

LAGS = 3
STATES_PER_ROLE = 29 / 52


@dataclass(frozen=True, slots=True)
class CanonicalSpace:
    """Whitened past, split: `states` and `rest` are projections of a stacked, centred past. Both (columns, k)."""

    centre: Floats
    states: Floats
    rest: Floats

    @classmethod
    def fit(
        cls, past: Floats, future: Floats, states: int, shrinkage: float = 0.0, least: float = 0.0
    ) -> "CanonicalSpace":
        """From pairs of stacked rows without NaN.

        Args:
            past: rows (n, columns).
            future: rows (n, columns).
            states: at most so many directions are states.
            shrinkage: share of the diagonal in both covariances.
            least: a direction whose correlation with the future is below this is no state.
        """
        centre = past.mean(axis=0)
        whitening = inverse_root(_shrunk(past, shrinkage))
        cross = cross_covariance(past, future)
        left, correlations, _ = np.linalg.svd(whitening @ cross @ inverse_root(_shrunk(future, shrinkage)))
        states = min(states, int((correlations > least).sum()))
        return cls(centre, whitening @ left[:, :states], whitening @ left[:, states:])


def _shrunk(rows: Floats, share: float) -> Floats:
    matrix = covariance(rows)
    return np.asarray((1.0 - share) * matrix + share * np.diag(np.diag(matrix)))


@dataclass(frozen=True, slots=True)
class Cva:
    """A CVA model; `rows` gives Tr2."""

    scaling: Scaling
    space: CanonicalSpace
    lags: int

    @classmethod
    def fit(cls, values: Floats, lags: int = LAGS) -> "Cva":
        """From normal rows; a pair of past and future that meets NaN does not count."""
        scaling = Scaling.of(values)
        standard = scaling(values)
        ends = np.flatnonzero(complete(present(standard), 2 * lags))
        past = np.hstack([standard[ends - lags - lag] for lag in range(lags)])
        future = np.hstack([standard[ends - lag] for lag in range(lags)])
        states = max(1, round(values.shape[1] * STATES_PER_ROLE))
        return cls(scaling, CanonicalSpace.fit(past, future, states), lags)

    def rows(self, values: Floats) -> Floats:
        """Residual statistic Tr2 of each row."""
        return squared_length((stacked(self.scaling(values), self.lags) - self.space.centre) @ self.space.rest)
