"""The statistic on the values themselves: how far they, and their movements over three steps, are from normal time.

Standardised values of three steps side by side are whitened and their squared length is smoothed, once over a few
steps, for what is large, and once over many, for what lasts: two parts. Two things make it more than the Mahalanobis
distance of the textbook:

- The covariance is that of quadratic-inverse shrinkage, so what hardly varies is known from few rows
  (`statistics/quadratic_inverse.py`): a relation that holds to a thousandth breaks long before a value is odd.
- What wandered in normal time is allowed to wander on, `FARTHER` times as far as it did there (`wander.py`): a motor
  that warms up while the model learns will be warmer afterwards. Where normal time is stationary this changes little.

A step whose squared length is `WILD` times the usual one counts by its logarithm: one wild step is no lasting fault.
Roles with a smallest deviation do not count here: only the residuals know by how much a value deviates.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tagsight_models.frame import Flags, Floats
from tagsight_models.statistics.ewma import enough, weights
from tagsight_models.statistics.linear_algebra import inverse_root, squared_length, stacked
from tagsight_models.statistics.quadratic_inverse import quadratic_inverse_covariance
from tagsight_models.statistics.statistic import complete, present
from tagsight_models.wander import PARTS, wander, within

STACKED: Final = 3  # steps side by side
SMOOTHINGS: Final = (0.4, 0.1)  # weight of the newest step, of each part
FARTHER: Final = 100.0  # in variance: what wandered may go ten times as far as it was seen to
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
        stacks = stacked(values, STACKED)
        stacks = stacks[present(stacks)][:, chosen]
        if len(stacks) < 2 * PARTS * STACKED or not len(chosen):
            return cls.none(roles)
        centre, space = np.zeros(STACKED * roles), np.zeros((STACKED * roles, len(chosen)))
        centre[chosen] = stacks.mean(axis=0)
        spread = np.maximum(stacks.std(axis=0), 1e-9)
        space[chosen] = inverse_root(_covariance(stacks / spread), 1e-14) / spread[:, None]
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
        found = np.full((len(values), len(SMOOTHINGS)), np.nan)
        if self.space.shape[1]:
            stacks = np.nan_to_num(stacked(values, STACKED))
            squared = bounded(squared_length((stacks - self.centre) @ self.space), self.knee)
            for part, (taps, steps) in enumerate(zip(taps_of(window_steps), lookbacks(window_steps), strict=True)):
                whole = complete(present(values), steps)
                smoothed = np.convolve(squared, taps)[: len(values)]
                found[whole, part] = np.sqrt(np.maximum(smoothed[whole], 0.0)) / self.scales[part]
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
    roles = stacks.shape[1] // STACKED
    thinned = within(stacks)[:: -(-len(stacks) // MOST_ROWS)]
    between, alone = wander(stacks).between, wander(stacks[:, :roles]).alone
    moved = between + np.kron(np.ones((STACKED, STACKED)), np.diag(alone))
    usual = quadratic_inverse_covariance(thinned, PARTS)
    least = FLOOR * float(np.linalg.norm(usual, 2))
    return np.asarray(usual + least * np.eye(len(usual)) + FARTHER * moved)
