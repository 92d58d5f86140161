"""Operating regimes: found where the rows fall into a few tight groups, and values standardised within each.

Groups count as regimes when every row is far nearer to the middle of its own than to any other (a mean silhouette of
at least `CLEAR`), each holds a share of the rows, and most lives visit each: wear, which comes once and late, is none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.cluster.vq import kmeans2

from tagsight_models.frame import Flags, Floats, Times

MOST: Final = 12
CLEAR: Final = 0.8
LEAST_SHARE: Final = 0.01
ROWS: Final = 4000
BOUND: Final = 8.0  # standardised values are kept within this
UNKNOWN: Final = 1.5  # a row this many times farther from its regime than any training row is in none


@dataclass(frozen=True, slots=True, eq=False)
class Regimes:
    """All arrays float64; k regimes.

    Attributes:
        columns: shape (c,), roles that tell the regime.
        weights: shape (c,), of these roles, in distances.
        centres: shape (k, c), weighted.
        reach: shape (k,), largest distance of a training row.
        mean: shape (k, roles).
        inverse: shape (k, roles), 1 / spread; 0 where the role does not vary in the regime.
        healthy: shape (k, roles), mean of the healthy part of lives.
        spread: shape (k, roles), standard deviation there.
    """

    columns: Floats
    weights: Floats
    centres: Floats
    reach: Floats
    mean: Floats
    inverse: Floats
    healthy: Floats
    spread: Floats

    def of(self, values: Floats) -> Times:
        """Shape (..., roles) -> number of the nearest regime, (...)."""
        return np.asarray(self._distances(values).argmin(axis=-1), dtype=np.int64)

    def known(self, values: Floats) -> Flags:
        """Shape (..., roles) -> whether the row lies in a regime that was seen in training; one regime: always."""
        distances = self._distances(values)
        nearest = distances.argmin(axis=-1)
        inside = distances.min(axis=-1) <= UNKNOWN * self.reach[nearest] + 1e-9
        return np.asarray(inside | (len(self.centres) == 1))

    def standardised(self, values: Floats) -> Floats:
        """Less the mean of the regime, in its spreads, within +-`BOUND`; same shape."""
        regime = self.of(values)
        return np.clip((values - self.mean[regime]) * self.inverse[regime], -BOUND, BOUND)

    def tensors(self) -> dict[str, Floats]:
        """By name."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Any]) -> "Regimes":
        """The inverse of `tensors`."""
        return cls(**{name: np.asarray(tensors[name], dtype=np.float64) for name in cls.__slots__})

    def _distances(self, values: Floats) -> Floats:
        if len(self.centres) == 1:
            return np.zeros((*values.shape[:-1], 1))
        told = values[..., self.columns.astype(np.int64)] * self.weights
        return np.stack([np.sqrt(((told - centre) ** 2).sum(axis=-1)) for centre in self.centres], axis=-1)


def find_regimes(values: Floats, life: Times, healthy: Flags, columns: Sequence[int]) -> Regimes:
    """Regimes of rows (rows, roles) without NaN.

    Args:
        values: engineering units.
        life: shape (rows,), number of the life of each row.
        healthy: shape (rows,), rows of machines without wear as far as anybody knows.
        columns: roles that tell the condition; empty: all.
    """
    chosen = np.asarray(columns if len(columns) else range(values.shape[1]), dtype=np.int64)
    weights = _inverse(values[:, chosen])
    told = values[:, chosen] * weights
    centres = _centres(told, life)
    nearest = _nearest(told, centres)[0]
    distance = np.sqrt(((told - centres[nearest]) ** 2).sum(axis=1))
    groups = [nearest == number for number in range(len(centres))]
    sound = [group & healthy if (group & healthy).sum() > 1 else group for group in groups]
    return Regimes(
        chosen.astype(np.float64),
        weights,
        centres,
        np.array([distance[group].max() for group in groups]),
        np.array([values[group].mean(axis=0) for group in groups]),
        np.array([_inverse(values[group]) for group in groups]),
        np.array([values[group].mean(axis=0) for group in sound]),
        np.array([values[group].std(axis=0) for group in sound]),
    )


def _inverse(rows: Floats) -> Floats:
    """1 / standard deviation, 0 where a role is constant but for rounding."""
    spread = rows.std(axis=0)
    varies = spread > 1e-9 * np.abs(rows).max(axis=0, initial=1e-300)
    return np.where(varies, 1.0 / np.where(varies, spread, 1.0), 0.0)


def _centres(told: Floats, life: Times) -> Floats:
    """Middles of the regimes; one where there are no clear groups."""
    some = told[:: -(-len(told) // ROWS)]
    best = CLEAR
    found: Floats = told.mean(axis=0, keepdims=True)
    for count in range(2, min(MOST, len(some) // 10) + 1):
        centres: Floats = kmeans2(some, _farthest(some, count), minit="matrix", missing="warn", iter=20)[0]
        silhouette = _silhouette(some, centres)
        if silhouette > best and _regular(_nearest(told, centres)[0], life, count):
            best, found = silhouette, centres
    return found


def _farthest(rows: Floats, count: int) -> Floats:
    """Start middles: each the row that is farthest from those before it."""
    chosen = [0]
    distance = np.full(len(rows), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, ((rows - rows[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(distance.argmax()))
    return np.asarray(rows[chosen])


def _nearest(rows: Floats, centres: Floats) -> tuple[Times, Floats]:
    squared = np.stack([((rows - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
    return squared.argmin(axis=1), np.sqrt(squared)


def _silhouette(rows: Floats, centres: Floats) -> float:
    """Mean of 1 - (distance to the own middle) / (distance to the next one)."""
    distance = np.sort(_nearest(rows, centres)[1], axis=1)
    return float(np.mean(1.0 - distance[:, 0] / np.maximum(distance[:, 1], 1e-300)))


def _regular(nearest: Times, life: Times, count: int) -> bool:
    """Each group holds a share of the rows, and most lives visit it."""
    lives = len(np.unique(life))
    return all(
        (nearest == number).mean() >= LEAST_SHARE and len(np.unique(life[nearest == number])) > lives / 2
        for number in range(count)
    )
