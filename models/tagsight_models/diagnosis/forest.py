"""Extremely randomised trees as plain arrays (P. Geurts, D. Ernst, L. Wehenkel, 2006).

A tree is grown level by level for all its nodes at once: each node draws some features, a threshold for each between
the least and the largest value that it holds, and takes the one that parts the classes best (Gini).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Floats

Numbers = NDArray[np.intp]

LEAST_OF_LEAF: Final = 2
DEEPEST: Final = 40
LEAF: Final = -1.0


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees of one component.

    Attributes:
        nodes: shape (nodes, 3): feature (-1: a leaf), threshold, number of the left child (the right one follows); of a
            leaf the last is its row of `leaves`.
        roots: shape (trees,), numbers of nodes.
        leaves: shape (leaves, classes), class probabilities.
    """

    nodes: Floats
    roots: Floats
    leaves: Floats

    def probabilities(self, features: Floats) -> Floats:
        """Shape (n, features) -> (n, classes)."""
        here = np.repeat(self.roots.astype(np.intp)[None], len(features), axis=0)
        rows = np.arange(len(features))[:, None]
        for _ in range(DEEPEST + 1):
            feature = self.nodes[here, 0].astype(np.intp)
            inner = feature >= 0
            if not inner.any():
                break
            right = features[rows, feature] > self.nodes[here, 1]
            here = np.where(inner, self.nodes[here, 2].astype(np.intp) + right, here)
        rows_of_leaves = self.nodes[here, 2].astype(np.intp)
        found = np.zeros((len(features), self.leaves.shape[1]))
        for tree in range(rows_of_leaves.shape[1]):
            found += self.leaves[rows_of_leaves[:, tree]]
        return np.asarray(found / rows_of_leaves.shape[1])

    def log_probabilities(self, features: Floats) -> Floats:
        """The same, smoothed by half a tree for all classes together, so that none is impossible."""
        trees, classes = len(self.roots), self.leaves.shape[1]
        smoothed = (self.probabilities(features) * trees + 0.5 / classes) / (trees + 0.5)
        return np.asarray(np.log(smoothed))

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        return {"nodes": self.nodes, "roots": self.roots, "leaves": self.leaves}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Floats], features: int, classes: int) -> Self:
        """The inverse of `tensors`.

        Raises:
            ValueError: these are no trees over so many features and classes.
        """
        made = cls(tensors["nodes"], tensors["roots"], tensors["leaves"])
        inner = made.nodes[:, 0] >= 0
        children, rows = made.nodes[inner, 2], made.nodes[~inner, 2]
        sound = (
            made.nodes.shape[1:] == (3,)
            and made.leaves.shape[1:] == (classes,)
            and np.isfinite(made.nodes).all()
            and bool((made.nodes[:, 0] < features).all())
            and bool((children > np.flatnonzero(inner)).all() and (children + 1 < len(made.nodes)).all())
            and bool((rows >= 0).all() and (rows < len(made.leaves)).all())
            and bool((made.roots >= 0).all() and (made.roots < len(made.nodes)).all())
        )
        if not sound:
            msg = "not a forest"
            raise ValueError(msg)
        return made


def grow(features: Floats, classes: NDArray[np.intp], count: int, trees: int, random: np.random.Generator) -> Forest:
    """A forest whose classes weigh alike, however often each is there.

    Args:
        features: shape (n, features), finite.
        classes: shape (n,), numbers of classes.
        count: number of classes.
        trees: of the forest.
        random: decides everything else.
    """
    weights = 1.0 / np.maximum(np.bincount(classes, minlength=count), 1)[classes]
    columns = np.ascontiguousarray(features.T)
    grown = [_Tree(columns, classes, weights, count, random).grow() for _ in range(trees)]
    nodes, roots, leaves, before, rows = [], [], [], 0, 0
    for tree_nodes, tree_leaves in grown:
        inner = tree_nodes[:, 0] >= 0
        tree_nodes[:, 2] += np.where(inner, before, rows)
        roots.append(before)
        nodes.append(tree_nodes)
        leaves.append(tree_leaves)
        before, rows = before + len(tree_nodes), rows + len(tree_leaves)
    return Forest(np.concatenate(nodes), np.asarray(roots, dtype=np.float64), np.concatenate(leaves))


class _Tree:
    """One tree while it grows. `node[i]` is the open node of row i, counted from 0 within its level; it ascends."""

    def __init__(
        self, columns: Floats, classes: Numbers, weights: Floats, count: int, random: np.random.Generator
    ) -> None:
        self.columns, self.classes, self.weights, self.count, self.random = columns, classes, weights, count, random
        self.tries = max(1, int(np.ceil(np.sqrt(len(columns)))))
        self.leaves: list[Floats] = []

    def grow(self) -> tuple[Floats, Floats]:
        """Nodes and leaves."""
        rows = np.arange(len(self.classes))
        node = np.zeros(len(rows), dtype=np.intp)
        levels: list[Floats] = []
        offset, opened = 0, 1
        for depth in range(DEEPEST + 1):
            level, rows, node = self._level(rows, node, opened, offset, last=depth == DEEPEST)
            levels.append(level)
            parted = int((level[:, 0] >= 0).sum())
            offset, opened = offset + opened, 2 * parted
            if not parted:
                break
        return np.concatenate(levels), np.concatenate(self.leaves)

    def _level(
        self, rows: Numbers, node: Numbers, opened: int, offset: int, *, last: bool
    ) -> tuple[Floats, Numbers, Numbers]:
        """Part all open nodes that can be parted; the others become leaves. Gives the rows that go on."""
        sums = self._sums(rows, node, opened)
        feature, threshold, gain = self._best(rows, node, sums)
        splits = (gain > 0.0) & ((sums > 0).sum(axis=1) > 1) & (not last)
        children, leaves = np.cumsum(splits) - 1, np.cumsum(~splits) - 1 + sum(len(one) for one in self.leaves)
        level = np.where(
            splits[:, None],
            np.stack([feature, threshold, offset + opened + 2.0 * children], axis=1),
            np.stack([np.full(opened, LEAF), np.zeros(opened), leaves], axis=1),
        )
        self.leaves.append(sums[~splits] / sums[~splits].sum(axis=1, keepdims=True))
        going = splits[node]
        rows, node = rows[going], node[going]
        below = 2 * children[node] + (self.columns[feature[node], rows] > threshold[node])
        order = np.argsort(below, kind="stable")
        return level, rows[order], below[order]

    def _sums(self, rows: Numbers, node: Numbers, opened: int) -> Floats:
        """Weight of each class in each node."""
        kinds = node * self.count + self.classes[rows]
        found = np.bincount(kinds, self.weights[rows], opened * self.count)
        return np.asarray(found.reshape(opened, self.count))

    def _best(self, rows: Numbers, node: Numbers, sums: Floats) -> tuple[Numbers, Floats, Floats]:
        """The best of some random splits of each node."""
        opened = len(sums)
        starts = np.searchsorted(node, np.arange(opened))
        counts = np.diff([*starts, len(rows)])
        chosen, threshold, gain = np.zeros(opened, dtype=np.intp), np.zeros(opened), np.zeros(opened)
        before = _purity(sums)
        for _ in range(self.tries):
            feature = self.random.integers(len(self.columns), size=opened)
            values = self.columns[feature[node], rows]
            low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
            cut = low + self.random.uniform(size=opened) * (high - low)
            left = values <= cut[node]
            lefts = self._sums(rows[left], node[left], opened)
            taken = np.bincount(node[left], minlength=opened)
            after = _purity(lefts) + _purity(np.maximum(sums - lefts, 0.0))
            enough = (np.minimum(taken, counts - taken) >= LEAST_OF_LEAF) & (high > low)
            better = enough & (after - before > gain + 1e-12 * before)
            chosen, threshold = np.where(better, feature, chosen), np.where(better, cut, threshold)
            gain = np.where(better, after - before, gain)
        return chosen, threshold, gain


def _purity(sums: Floats) -> Floats:
    """Weight of each node times the chance that two of its rows are of one class."""
    return np.asarray(np.einsum("nc,nc->n", sums, sums) / np.maximum(sums.sum(axis=1), 1e-300))
