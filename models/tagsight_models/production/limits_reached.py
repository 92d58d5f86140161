"""Roles at their limits (a valve fully open, a drive at its greatest speed), and what is lost by each.

A limit is an end of the EU range that is reached, or a value beyond which the role never goes and at which it stays
more often than just below. What is lost by it: a line tells from times at which no role is at a limit how the
target follows the settings and conditions; how far the target stays behind that line is shared out among the limits
that hold then, no share below 0 (non-negative least squares). So a limit that is reached and does no harm is told
from one that limits.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import nnls

from tagsight_models.frame import Flags, Floats, Role
from tagsight_models.regression.ridge_line import ridge
from tagsight_models.regression.window_features import taps, window_features

TOLERANCE: Final = 0.01
"""Of the range: what is nearer to a limit is at it."""

SELDOM: Final = 0.001
OFTEN: Final = 0.01
"""Shares of the training at a limit: of one that the EU range tells, and of one that the data shows."""

PILED: Final = 4.0
"""The density of values at a limit is this many times that beside it, or it is no limit but the end of a swing."""

VALUES: Final = 20
"""Different values that a quantity has; fewer are states."""

FREE: Final = 0.1
"""Share of times without any limit that the line needs."""


@dataclass(frozen=True, slots=True, eq=False)
class LimitsReached:
    """All arrays of shape (2, roles): lower limits, then upper ones.

    Attributes:
        at: values from which on (down to which) a role is at its limit; NaN for none.
        loss: what the target loses while it is, engineering units, not below 0.
    """

    at: Floats
    loss: Floats

    @classmethod
    def fit(
        cls,
        roles: Sequence[Role],
        windows: Floats,
        lost: Floats,
        drivers: Sequence[int],
        excluded: Collection[int],
    ) -> "LimitsReached":
        """Find limits and losses.

        Args:
            roles: of the columns.
            windows: shape (n, steps, roles), of training.
            lost: shape (n,), the target, turned so that less is better.
            drivers: columns that say what it should be; those that have limits do not count.
            excluded: columns that have no limits to be found.
        """
        at = np.full((2, len(roles)), np.nan)
        for column, role in enumerate(roles):
            if column not in excluded and not role.step:
                at[:, column] = _limits(role, windows[:, -1, column])
        found = cls(at, np.zeros_like(at))
        shares = found.shares(windows).reshape(len(windows), -1)
        chosen = [column for column in drivers if not np.isfinite(at[:, column]).any()]
        active = np.flatnonzero(shares.any(axis=0))
        if len(active):
            seen = window_features(windows[:, :, chosen], taps(windows.shape[1]))
            shortfall = _shortfall(seen, lost, np.asarray(shares.any(axis=1)))
            found.loss.reshape(-1)[active] = _shared_out(shares[:, active], shortfall, windows.shape[1])
        return found

    def flags(self, rows: Floats) -> Flags:
        """Values (..., roles) -> (..., 2, roles): at the lower limit, at the upper one."""
        return np.stack([rows <= self.at[0], rows >= self.at[1]], axis=-2)

    def shares(self, windows: Floats) -> Floats:
        """Windows (n, steps, roles) -> shares of their steps (n, 2, roles)."""
        return np.asarray(self.flags(windows).mean(axis=1))

    @property
    def limited(self) -> list[int]:
        """Columns with a limit."""
        return np.flatnonzero(np.isfinite(self.at).any(axis=0)).tolist()

    def lost(self, shares: Floats) -> Floats:
        """What each role's limits cost by shares (..., 2, roles) of windows, shape (..., roles)."""
        return np.asarray((shares * self.loss).max(axis=-2))


def _shared_out(shares: Floats, shortfall: Floats, steps: int) -> Floats:
    """Losses of limits, not below 0, drawn towards what all limits cost in the mean by as much as the data leaves open.

    The mean is as uncertain as it is large (an exponential prior's spread); times nearer than a window count as one.
    """
    total = shares.sum(axis=1)
    mean = max(float(total @ shortfall) / float(total @ total), 0.0)
    plain, _ = nnls(shares, shortfall)
    if mean == 0.0:
        return plain
    strength = np.sqrt(steps * float((shortfall - shares @ plain).var())) / mean
    count = shares.shape[1]
    found, _ = nnls(
        np.concatenate([shares, strength * np.eye(count)]), np.concatenate([shortfall, np.full(count, strength * mean)])
    )
    return found


def _limits(role: Role, values: Floats) -> tuple[float, float]:
    """Thresholds of one role; NaN for none."""
    if len(np.unique(values)) < VALUES:
        return np.nan, np.nan
    upper = _upper(values, role.high, role.low)
    lower = _upper(-values, None if role.low is None else -role.low, None if role.high is None else -role.high)
    return -lower, upper


def _upper(values: Floats, high: float | None, low: float | None) -> float:
    if high is not None and low is not None:
        at = high - TOLERANCE * (high - low)
        if (values >= at).mean() >= SELDOM:
            return at
    least, most = np.quantile(values, [0.001, 0.999])
    width = TOLERANCE * (most - least)
    here = float((values >= most - width).mean())
    beside = float((values >= most - 3.0 * width).mean()) - here
    return float(most - width) if here >= OFTEN and here >= PILED * 0.5 * beside else np.nan


def _shortfall(drivers: Floats, lost: Floats, limited: Flags) -> Floats:
    """By how much more is lost than a line of unlimited times tells, shape (n,)."""
    free = ~limited if (~limited).mean() >= FREE else np.ones(len(lost), dtype=np.bool_)
    if not drivers.shape[1]:
        return np.asarray(lost - lost[free].mean())
    centre, scale = drivers[free].mean(axis=0), drivers[free].std(axis=0)
    features = (drivers - centre) / np.where(scale > 0.0, scale, np.inf)
    mean = float(lost[free].mean())
    line, _ = ridge(features[free], lost[free] - mean)
    return np.asarray(lost - mean - features @ line)
