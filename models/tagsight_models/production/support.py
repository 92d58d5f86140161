"""Where settings and conditions lay together in training: near some time that was, not only inside an ellipsoid.

Where operators moved two settings along a line, the ellipsoid round it holds combinations that never were; a model says
of them what it likes, and a search for the greatest gain finds just those.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial import cKDTree

from tagsight_models.frame import Floats
from tagsight_models.statistics.out_of_fold import blocks

MOST: Final = 1_500
"""Times that are kept."""

NEAR: Final = 0.95
"""Share of times of training that lie as near to some time of another stretch of it."""

BLOCKS: Final = 10
"""Stretches of training time: the nearest time within the same stretch says little."""


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """Rows (k, columns) in spreads, and the distance within which others lie."""

    rows: Floats
    limit: float

    @classmethod
    def fit(cls, rows: Floats) -> "Support":
        """Of rows (n, columns) in spreads."""
        kept = rows[:: -(-len(rows) // MOST)]
        distances = [cKDTree(np.delete(kept, part, axis=0)).query(kept[part])[0] for part in blocks(len(kept), BLOCKS)]
        return cls(kept, float(np.quantile(np.concatenate(distances), NEAR)))

    def distance(self, rows: Floats) -> Floats:
        """To the nearest time that is kept, shape (n,)."""
        square = ((rows[:, None] - self.rows[None]) ** 2).sum(axis=2)
        return np.asarray(np.sqrt(square.min(axis=1)))
