"""How far inputs are from all that was learned from, and by how much errors are wider there.

Inputs drift away from the training data (another season, another grade), and a regression is more often wrong where it
has seen little. The distance to the third-nearest of the rows kept, in units of what is usual in time that a regression
did not see, widens the interval; by how much is found on that time, and may be nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial import cKDTree

from tagsight_models.frame import Floats

MOST: Final = 1_500
"""Rows that are kept, evenly spread."""

NEIGHBOUR: Final = 3
FARTHEST: Final = 4.0
"""Usual distances: what is farther counts as this far."""

SHARES: Final = (0.0, 0.25, 0.5, 1.0)
"""By which an interval may grow with each usual distance."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearness:
    """Rows (k, columns) in spreads, the usual distance from them, and by which share errors grow with it."""

    rows: Floats
    usual: float
    share: float

    @classmethod
    def of(cls, rows: Floats) -> "Nearness":
        """To rows (n, columns) in spreads; nothing grows yet."""
        return cls(rows[:: max(1, -(-len(rows) // MOST))], 1.0, 0.0)

    def distance(self, rows: Floats) -> Floats:
        """Of rows (n, columns), shape (n,)."""
        found, _ = cKDTree(self.rows).query(rows, k=[min(NEIGHBOUR, len(self.rows))])
        return np.asarray(found[:, 0])

    def factor(self, rows: Floats) -> Floats:
        """On the half-width of an interval, at least 1, shape (n,)."""
        if self.share == 0.0:
            return np.ones(len(rows))
        return growth(self.distance(rows) / self.usual, self.share)


def growth(distances: Floats, share: float) -> Floats:
    """The factor at distances in usual ones."""
    return np.asarray(1.0 + share * np.minimum(distances, FARTHEST))


def best_share(distances: Floats, scaled: Floats) -> float:
    """The share with which errors (n,), in units of what they should be at any distance, are the least surprising.

    Surprise is that of a Laplace distribution, which a few great errors do not rule.
    """

    def surprise(share: float) -> float:
        wide = growth(distances, share)
        return float(np.log(wide).mean() + np.log((np.abs(scaled) / wide).mean()))

    return min(SHARES, key=surprise)
