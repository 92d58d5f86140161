"""The statistic on a health model's residuals, fitted to normal residuals: what changes quickly, slowly, and stays.

Quick. Residuals of three steps are whitened and split as in canonical variate analysis; the directions that hardly
predict their own future are the rest, as in the CVA residual statistic.
Slow. The other directions wander in normal operation too. They count by the largest of their variances in five blocks
of the time, each about the mean of the other blocks: the wilder a direction is, the less it counts.
Level. The mean residual of each role over the window, whitened by the covariance of such means. White noise averages
out of it and a lasting offset does not, so a fault counts as long as it lasts. It is weighted so that in normal time it
varies half as much as the quick part: a limit must not rest on a few slow movements.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats
from tagsight_models.statistics.cva import STATES_PER_ROLE, CanonicalSpace
from tagsight_models.statistics.ewma import weights
from tagsight_models.statistics.linear_algebra import inverse_root, shrunk_covariance, squared_length, stacked
from tagsight_models.statistics.out_of_fold import blocks
from tagsight_models.statistics.statistic import complete, present

STACKED: Final = 3  # steps side by side
SMOOTHING: Final = 0.1  # weight of the newest step
SHRINKAGE: Final = 0.01
SLOW: Final = 0.9  # directions that predict the future at least so well are slow
THINNED: Final = 20  # steps from one window's mean to the next that counts as another when a covariance is shrunk
LEVEL: Final = 0.5  # spread of the level part in normal time, in spreads of the quick part


@dataclass(frozen=True, slots=True, eq=False)
class ResidualStatistic:
    """Squared distance: EWMA over a window of |(stack - centre) space|^2, and |(mean - level_centre) level_space|^2.

    Attributes:
        centre: shape (3 * roles,), mean of the stacked residuals.
        space: shape (3 * roles, k), whitening; slow directions are shortened.
        level_centre: shape (roles,), median of the window's mean residual.
        level_space: shape (roles, l), whitening of it, weighted; l is 0 where normal time is too short.
    """

    centre: Floats
    space: Floats
    level_centre: Floats
    level_space: Floats

    @classmethod
    def none(cls, roles: int) -> "ResidualStatistic":
        """Zero everywhere."""
        return cls(np.zeros(STACKED * roles), np.zeros((STACKED * roles, 0)), np.zeros(roles), np.zeros((roles, 0)))

    @classmethod
    def fit(cls, residuals: Floats, taps: int) -> "ResidualStatistic":
        """From a normal series of shape (steps, roles) with NaN rows; a window has `taps` stacks.

        Raises:
            TooLittleData: fewer stretches of six steps than two for each role.
        """
        split, none = _split(residuals), cls.none(residuals.shape[1])
        quick = replace(none, centre=split.centre, space=split.rest)
        slow = split.states / np.sqrt(_wildness(stacked(residuals, STACKED), split))
        whole = replace(quick, space=np.hstack([split.rest, slow]))
        return _with_level(whole, residuals, quick.rows(residuals, taps), taps)

    def rows(self, residuals: Floats, taps: int) -> Floats:
        """Squared distance of each row of a series; NaN where a window of `taps` stacks is not whole."""
        whole = complete(present(residuals), taps + STACKED - 1)
        squared = squared_length((stacked(residuals, STACKED) - self.centre) @ self.space)
        smooth = _mean(squared[:, None], weights(SMOOTHING, taps))[:, 0]
        level = (_mean(residuals, np.full(taps, 1.0 / taps)) - self.level_centre) @ self.level_space
        return np.where(whole, np.maximum(smooth, 0.0) + squared_length(level), np.nan)


def _mean(rows: Floats, taps: Floats) -> Floats:
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


def _wildness(stacks: Floats, split: CanonicalSpace) -> Floats:
    """Largest variance of each slow direction in a block, in variances of the other blocks; at least 1."""
    slow = (stacks[present(stacks)] - split.centre) @ split.states
    found = np.ones(slow.shape[1])
    for block in blocks(len(slow)):
        others = np.delete(slow, block, axis=0)
        about = ((slow[block] - others.mean(axis=0)) ** 2).mean(axis=0)
        found = np.maximum(found, about / np.maximum(others.var(axis=0), 1e-9))
    return found


def _with_level(fitted: ResidualStatistic, residuals: Floats, quick: Floats, taps: int) -> ResidualStatistic:
    """With the level part; without it where normal time holds too few windows. `quick`: rows of the quick part."""
    whole = np.isfinite(quick)
    means = _mean(residuals, np.full(taps, 1.0 / taps))[whole]
    if len(means) <= THINNED:
        return fitted
    centre = np.median(means, axis=0)
    spread = np.maximum(means.std(axis=0), 1e-9)
    standard = (means - means.mean(axis=0)) / spread
    space = inverse_root(shrunk_covariance(standard[::THINNED])) / spread[:, None]
    varies = squared_length((means - centre) @ space).std()
    weight = LEVEL * quick[whole].std() / max(varies, 1e-9)
    return replace(fitted, level_centre=centre, level_space=space * np.sqrt(weight))
