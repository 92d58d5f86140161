"""Where settings and conditions lay together in training: near some time that was, not only inside an ellipsoid.

Where operators moved two settings along a line, the ellipsoid round it holds combinations that never were; a model says
of them what it likes, and a search for the greatest gain finds just those.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial import cKDTree

from tagsight_models.frame import Floats

MOST: Final = 1_500
"""Times that are kept."""

NEAR: Final = 0.95
"""Share of other times of training that lie as near to one that is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """Rows (k, columns) in spreads, and the distance within which others lie."""

    rows: Floats
    limit: float

    @classmethod
    def fit(cls, rows: Floats) -> "Support":
        """Of rows (n, columns) in spreads."""
        step = len(rows) // MOST + 2
        kept, others = rows[::step], np.delete(rows, slice(None, None, step), axis=0)
        distances, _ = cKDTree(kept).query(others)
        return cls(kept, float(np.quantile(distances, NEAR)))

    def distance(self, rows: Floats) -> Floats:
        """To the nearest time that is kept, shape (n,)."""
        square = ((rows[:, None] - self.rows[None]) ** 2).sum(axis=2)
        return np.asarray(np.sqrt(square.min(axis=1)))
