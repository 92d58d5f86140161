"""Boosted oblivious trees: every level of a tree asks one question of all rows, so a tree is a table of 2^depth values.

Gradient boosting (J. Friedman, 2001) with symmetric trees as in CatBoost (A. Dorogush et al., 2018), half of the rows
and of the columns for each tree. Plain arrays: they travel in a model file as they are. A tree never says more than
it has seen, so where inputs drift out of their range it holds while a line or a network would go on.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Floats

BINS: Final = 48
AT_ONCE: Final = 2048
"""Rows that are looked at together: fits a processor's cache."""


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """Size and pace: each tree sees `share` of the rows, and a leaf is drawn to 0 as by `calm` more rows."""

    trees: int = 300
    depth: int = 5
    rate: float = 0.08
    share: float = 0.5
    calm: float = 5.0
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class ObliviousTrees:
    """A sum of tables.

    Attributes:
        columns: shape (trees, depth), which feature each level asks about, as float64.
        edges: shape (trees, depth): is it above this?
        leaves: shape (trees, 2 ** depth).
        start: the value before any tree.
    """

    columns: Floats
    edges: Floats
    leaves: Floats
    start: float

    @classmethod
    def fit(cls, features: Floats, target: Floats, settings: TreeSettings) -> Self:
        """Grow on features (n, columns) and a target (n,)."""
        grower = _Grower(features, settings)
        start = float(target.mean())
        left = target - start
        grown = []
        for _ in range(settings.trees):
            columns, edges, leaves, place = grower.tree(left)
            left = left - leaves[place]
            grown.append((columns, edges, leaves))
        asked, cuts, tables = (np.array(part, dtype=np.float64) for part in zip(*grown, strict=True))
        return cls(asked, cuts, tables, start)

    def predict(self, features: Floats) -> Floats:
        """Shape (n,)."""
        found = np.full(len(features), self.start)
        chosen, weights = self.columns.astype(np.intp), 1 << np.arange(self.columns.shape[1])
        tree = np.arange(len(self.leaves))
        for begin in range(0, len(features), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            place = (features[part][:, chosen] > self.edges) @ weights
            found[part] += self.leaves[tree, place].sum(axis=1)
        return found


class _Grower:
    """Rows in bins, and one tree after the other."""

    def __init__(self, features: Floats, settings: TreeSettings) -> None:
        self.settings, self.random = settings, np.random.default_rng(settings.seed)
        self.edges = [np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])) for column in features.T]
        self.bins = np.stack(
            [np.searchsorted(edges, column, side="left") for edges, column in zip(self.edges, features.T, strict=True)]
        ).astype(np.int64)

    def tree(self, pull: Floats) -> tuple[list[int], list[float], Floats, NDArray[np.int64]]:
        """Columns, edges and leaves of one tree, and the leaf of every row."""
        settings, rows = self.settings, self.bins.shape[1]
        seen = np.flatnonzero(self.random.random(rows) < settings.share) if rows >= 200 else np.arange(rows)
        width = len(self.bins)
        allowed = self.random.permutation(width)[: max(1, -(-width // 2), min(width, 4))]
        place, columns, edges = np.zeros(rows, dtype=np.int64), list[int](), list[float]()
        for level in range(settings.depth):
            column, cut = self._best(allowed, seen, place[seen], pull[seen], 1 << level)
            columns.append(column)
            edges.append(float(self.edges[column][cut]))
            place += (self.bins[column] > cut).astype(np.int64) << level
        leaves = 1 << settings.depth
        sums = np.bincount(place[seen], pull[seen], minlength=leaves)
        counts = np.bincount(place[seen], minlength=leaves)
        return columns, edges, settings.rate * sums / (counts + settings.calm), place

    def _best(
        self, allowed: NDArray[np.int64], seen: NDArray[np.intp], place: NDArray[np.int64], pull: Floats, leaves: int
    ) -> tuple[int, int]:
        """The question that explains most, over all leaves together."""
        best, chosen = -1.0, (int(allowed[0]), 0)
        for column in allowed:
            cuts = len(self.edges[column])
            cell = place * (cuts + 1) + self.bins[column][seen]
            sums = np.bincount(cell, pull, minlength=leaves * (cuts + 1)).reshape(leaves, -1).cumsum(axis=1)
            counts = np.bincount(cell, minlength=leaves * (cuts + 1)).reshape(leaves, -1).cumsum(axis=1)
            calm = self.settings.calm
            below = sums[:, :-1] ** 2 / (counts[:, :-1] + calm)
            above = (sums[:, -1:] - sums[:, :-1]) ** 2 / (counts[:, -1:] - counts[:, :-1] + calm)
            gain = (below + above).sum(axis=0)
            if gain.size and gain.max() > best:
                best, chosen = float(gain.max()), (int(column), int(gain.argmax()))
        return chosen
