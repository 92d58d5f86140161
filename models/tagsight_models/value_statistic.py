"""The statistic on the values themselves: how far they, and their movements over three steps, are from normal time.

Standardised values of three steps side by side are whitened and their squared length is smoothed, once over a few
steps, for what is large, and once over many, for what lasts: two parts. Two things make it more than the Mahalanobis
distance of the textbook:

- The covariance is that of quadratic-inverse shrinkage, so what hardly varies is known from few rows
  (`statistics/quadratic_inverse.py`): a relation that holds to a thousandth breaks long before a value is odd.
- What wandered in normal time is allowed to wander on (`wander.py`): the roles together, in the directions in which
  they went, ten times as far; and a role that the others do not explain, three times as far in its own way. A motor
  that warms up while the model learns will be warmer afterwards. A grade that comes and goes moves its roles together,
  and their relations stay. Where normal time is stationary this changes little.
- The directions that predict their own future best are cut out, as in the CVA residual statistic: there normal time
  wanders most, and little of it tells how far.

A step whose squared length is `WILD` times the usual one counts by its logarithm: one wild step is no lasting fault.
Roles with a smallest deviation do not count here: only the residuals know by how much a value deviates.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tagsight_models.frame import Flags, Floats
from tagsight_models.statistics.cva import STATES_PER_ROLE
from tagsight_models.statistics.ewma import enough, weights
from tagsight_models.statistics.linear_algebra import inverse_root, squared_length, stacked
from tagsight_models.statistics.quadratic_inverse import quadratic_inverse_covariance
from tagsight_models.statistics.statistic import complete, present
from tagsight_models.wander import PARTS, wander, within

STACKED: Final = 3  # steps side by side
SMOOTHINGS: Final = (0.4, 0.1)  # weight of the newest step, of each part
FARTHER: Final = 100.0  # in variance: the roles together may go ten times as far as they were seen to
OWN: Final = 10.0  # likewise, for what one role does that the others do not explain
WILD: Final = 20.0
FLOOR: Final = 1e-6  # smallest variance of a direction, in shares of the largest
MOST_ROWS: Final = 24_000  # rows that the covariance is found from; more are thinned evenly


@dataclass(frozen=True, slots=True, eq=False)
class ValueStatistic:
    """Two EWMA of |(stack - centre) space|^2, the root of each divided by its scale.

    Attributes:
        centre: shape (3 * roles,), mean of the stacked standardised values.
        space: shape (3 * roles, k), whitening; k is 0 where there is too little normal time.
        scales: shape (2,), of the parts; an infinite one drops the part.
    """

    centre: Floats
    space: Floats
    scales: Floats

    @classmethod
    def none(cls, roles: int) -> "ValueStatistic":
        """Zero everywhere."""
        return cls(np.zeros(STACKED * roles), np.zeros((STACKED * roles, 0)), np.ones(len(SMOOTHINGS)))

    @classmethod
    def fit(cls, values: Floats, counted: Flags) -> "ValueStatistic":
        """From a normal series of standardised values (steps, roles) with NaN rows; `counted` says which roles do."""
        roles = values.shape[1]
        chosen = np.flatnonzero(np.tile(counted, STACKED))
        series = stacked(values, STACKED)[:, chosen]
        stacks = series[present(series)]
        if len(stacks) < 2 * PARTS * STACKED or not len(chosen):
            return cls.none(roles)
        middle, spread = stacks.mean(axis=0), np.maximum(stacks.std(axis=0), 1e-9)
        root = inverse_root(_covariance((stacks - middle) / spread), 1e-14)
        quick = root @ _unpredictable((series - middle) / spread, root) / spread[:, None]
        centre, space = np.zeros(STACKED * roles), np.zeros((STACKED * roles, quick.shape[1]))
        centre[chosen], space[chosen] = middle, quick
        return cls(centre, space, np.ones(len(SMOOTHINGS)))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of directions of each part: its mean square in the time that it was fitted to, before scaling."""
        return (self.space.shape[1],) * len(SMOOTHINGS)

    @property
    def knee(self) -> float:
        """Squared length beyond which a step counts by its logarithm."""
        return WILD * float(max(self.space.shape[1], 1))

    def scaled(self, limits: Floats) -> "ValueStatistic":
        """The same with the distance of each part divided by a number; infinite drops it."""
        return replace(self, scales=self.scales * limits)

    def parts(self, values: Floats, window_steps: int) -> Floats:
        """Distance of each part of each row of standardised values, (steps, 2); NaN where it looks back on NaN."""
        return self.smoothed(self.squared(values), window_steps)

    def squared(self, values: Floats) -> Floats:
        """Squared length of each row, (steps,), before smoothing; NaN where its three steps are not whole."""
        stacks = stacked(values, STACKED)
        found = bounded(squared_length((np.nan_to_num(stacks) - self.centre) @ self.space), self.knee)
        return np.where(present(stacks) & (self.space.shape[1] > 0), found, np.nan)

    def smoothed(self, squared: Floats, window_steps: int) -> Floats:
        """The parts that such squares have, (steps, 2)."""
        found = np.full((len(squared), len(SMOOTHINGS)), np.nan)
        for part, taps in enumerate(taps_of(window_steps)):
            whole = complete(np.isfinite(squared), len(taps))
            mean = np.convolve(np.nan_to_num(squared), taps)[: len(squared)]
            found[whole, part] = np.sqrt(np.maximum(mean[whole], 0.0)) / self.scales[part]
        return found


def taps_of(window_steps: int) -> tuple[Floats, ...]:
    """Weights of the newest stack, the one before ..., of each part."""
    most = window_steps - STACKED + 1
    return tuple(weights(smoothing, min(enough(smoothing), most)) for smoothing in SMOOTHINGS)


def lookbacks(window_steps: int) -> tuple[int, ...]:
    """Steps that each part looks at."""
    return tuple(len(taps) + STACKED - 1 for taps in taps_of(window_steps))


def bounded(squared: Floats, knee: float) -> Floats:
    """Linear up to the knee, logarithmic beyond; monotone."""
    return np.asarray(np.minimum(squared, knee) + knee * np.log(np.maximum(squared, knee) / knee))


def _covariance(stacks: Floats) -> Floats:
    """Of stacks (n, 3 * roles): within the parts of normal time, and as far between them as it may go."""
    own = np.kron(np.ones((STACKED, STACKED)), np.diag(_own(stacks[:, : stacks.shape[1] // STACKED])))
    return np.asarray(_usual(stacks) + FARTHER * wander(stacks).between + OWN * own)


def _usual(rows: Floats) -> Floats:
    """Covariance within the parts of normal time."""
    found = quadratic_inverse_covariance(within(rows)[:: -(-len(rows) // MOST_ROWS)], PARTS)
    return np.asarray(found + FLOOR * float(np.linalg.norm(found, 2)) * np.eye(len(found)))


def _own(rows: Floats) -> Floats:
    """Variance, between the parts of normal time, of what each role does that the others do not explain."""
    precision = np.linalg.inv(_usual(rows))
    return wander((rows - rows.mean(axis=0)) @ precision / np.diag(precision)).alone


def _unpredictable(series: Floats, root: Floats) -> Floats:
    """Of whitened stacks, the directions that do not predict the next three steps best; series has NaN rows."""
    pairs = np.flatnonzero(present(series[:-STACKED]) & present(series[STACKED:]))
    pairs = pairs[:: -(-len(pairs) // MOST_ROWS) or 1]
    cross = series[pairs].T @ series[pairs + STACKED] / max(len(pairs), 1)
    directions = np.linalg.svd(root @ cross @ root)[0]
    return np.asarray(directions[:, round(series.shape[1] / STACKED * STATES_PER_ROLE) :])
