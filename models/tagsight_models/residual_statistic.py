"""The statistic on a health model's residuals, fitted to normal residuals: three parts, of which the worst counts.

Quick. Residuals of three steps are whitened and split as in canonical variate analysis; the directions that hardly
predict their own future are the rest, and their squared length is smoothed, as in the CVA residual statistic.
Recent. The mean residual of each role over ten steps, whitened by the covariance of such means: a shift is seen soon.
Level. The same over the whole window. White noise averages out of it and a lasting offset does not, so a fault counts
as long as it lasts.

Each part is a distance. `scaled` brings them to one limit, found in normal time that the fit did not see; after that
they can be compared, and a part that wanders in normal time costs the others nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats
from tagsight_models.statistics.cva import STATES_PER_ROLE, CanonicalSpace
from tagsight_models.statistics.ewma import weights
from tagsight_models.statistics.linear_algebra import inverse_root, shrunk_covariance, squared_length, stacked
from tagsight_models.statistics.statistic import complete, present

STACKED: Final = 3  # steps side by side
SMOOTHING: Final = 0.1  # weight of the newest step
RECENT: Final = 10  # steps that the recent mean is taken over
SHRINKAGE: Final = 0.01
SLOW: Final = 0.9  # directions that predict the future at least so well are slow
THINNED: Final = 20  # steps from one mean to the next that counts as another when a covariance is shrunk


@dataclass(frozen=True, slots=True, eq=False)
class ResidualStatistic:
    """The largest of three distances: EWMA of |(stack - centre) space|^2, and |(mean - centre) space|^2 of two means.

    Attributes:
        centre: shape (3 * roles,), mean of the stacked residuals.
        space: shape (3 * roles, k), whitening of the quick directions.
        recent_centre: shape (roles,), median of the mean of the newest residuals.
        recent_space: shape (roles, l), whitening of it; l is 0 where normal time is too short.
        level_centre: shape (roles,), median of the window's mean residual.
        level_space: shape (roles, l), whitening of it; likewise.
    """

    centre: Floats
    space: Floats
    recent_centre: Floats
    recent_space: Floats
    level_centre: Floats
    level_space: Floats

    @classmethod
    def none(cls, roles: int) -> "ResidualStatistic":
        """Zero everywhere."""
        mean, nothing = np.zeros(roles), np.zeros((roles, 0))
        return cls(np.zeros(STACKED * roles), np.zeros((STACKED * roles, 0)), mean, nothing, mean, nothing)

    @classmethod
    def fit(cls, residuals: Floats, taps: int) -> "ResidualStatistic":
        """From a normal series of shape (steps, roles) with NaN rows; a window has `taps` stacks.

        Raises:
            TooLittleData: fewer stretches of six steps than two for each role.
        """
        split = _split(residuals)
        whole = complete(present(residuals), taps + STACKED - 1)
        recent = _whitened(_mean(residuals, min(RECENT, taps))[whole])
        level = _whitened(_mean(residuals, taps)[whole])
        return cls(split.centre, split.rest, *recent, *level)

    def scaled(self, limits: Floats) -> "ResidualStatistic":
        """The same with each part divided by a number, in the order of `parts`; one that is infinite drops the part."""
        quick, recent, level = limits
        return replace(
            self,
            space=self.space / quick,
            recent_space=self.recent_space / recent,
            level_space=self.level_space / level,
        )

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of directions of each part: its mean square in the time that it was fitted to, before scaling."""
        return self.space.shape[1], self.recent_space.shape[1], self.level_space.shape[1]

    def rows(self, residuals: Floats, taps: int) -> Floats:
        """Distance of each row of a series; NaN where a window of `taps` stacks is not whole."""
        return np.asarray(np.fmax.reduce(self.parts(residuals, taps), axis=1))

    def parts(self, residuals: Floats, taps: int) -> Floats:
        """Quick, recent and level distance of each row, (steps, 3); NaN where the window is not whole or no part is."""
        return self.smoothed(self.squared(residuals), residuals, taps)

    def squared(self, residuals: Floats) -> Floats:
        """Squared length of the quick directions at each row, (steps,), before smoothing."""
        return squared_length((stacked(residuals, STACKED) - self.centre) @ self.space)

    def smoothed(self, squared: Floats, residuals: Floats, taps: int) -> Floats:
        """The parts that such squares and the residuals have, (steps, 3)."""
        whole = complete(present(residuals), taps + STACKED - 1)
        found = np.full((len(residuals), 3), np.nan)
        for number, part in enumerate(self._smoothed(squared, residuals, taps)):
            if self.sizes[number]:
                found[whole, number] = np.sqrt(np.maximum(part[whole], 0.0))
        return found

    def _smoothed(self, squared: Floats, residuals: Floats, taps: int) -> Iterator[Floats]:
        yield _weighted(squared[:, None], weights(SMOOTHING, taps))[:, 0]
        yield squared_length((_mean(residuals, min(RECENT, taps)) - self.recent_centre) @ self.recent_space)
        yield squared_length((_mean(residuals, taps) - self.level_centre) @ self.level_space)


def _mean(rows: Floats, steps: int) -> Floats:
    return _weighted(rows, np.full(steps, 1.0 / steps))


def _weighted(rows: Floats, taps: Floats) -> Floats:
    """Weighted mean of each column over the newest rows; NaN counts as 0."""
    return np.stack([np.convolve(column, taps)[: len(rows)] for column in np.nan_to_num(rows).T], axis=1)


def _split(residuals: Floats) -> CanonicalSpace:
    roles = residuals.shape[1]
    ends = np.flatnonzero(complete(present(residuals), 2 * STACKED))
    if len(ends) < 2 * roles:
        raise TooLittleData("the residual statistic of a health model", len(ends), 2 * roles)
    past = np.hstack([residuals[ends - STACKED - lag] for lag in range(STACKED)])
    future = np.hstack([residuals[ends - lag] for lag in range(STACKED)])
    return CanonicalSpace.fit(past, future, round(roles * STATES_PER_ROLE), SHRINKAGE, SLOW)


def _whitened(means: Floats) -> tuple[Floats, Floats]:
    """Centre and whitening of means over some steps; no directions where they are too few or do not vary."""
    roles = means.shape[1]
    if len(means) <= THINNED or not means.std(axis=0).any():
        return np.zeros(roles), np.zeros((roles, 0))
    spread = np.maximum(means.std(axis=0), 1e-9)
    standard = (means - means.mean(axis=0)) / spread
    return np.median(means, axis=0), inverse_root(shrunk_covariance(standard[::THINNED])) / spread[:, None]
