"""How far a predicted gain may be wrong: what differences between like times in held-out data show.

Two times under nearly the same conditions, with different settings: the model says by how much the target should
differ, the data says by how much it did. Quantiles of that error by the size of the move are conformal calibration
of the gain; they hold what the target does by itself between two times as well. They do not show what was never
tried in the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial import cKDTree

from tagsight_models.frame import Floats
from tagsight_models.regression.conformal import quantile
from tagsight_models.regression.noise_level import NoiseLevel

NEIGHBOURS: Final = 8
FEWEST: Final = 40
"""Pairs below which there is nothing to calibrate on."""


@dataclass(frozen=True, slots=True, eq=False)
class GainError:
    """Usual error against the size of the move in spreads of the settings, and the quantile in its units."""

    noise: NoiseLevel
    quantile: float

    @classmethod
    def fit(cls, pairs: tuple[Floats, Floats], coverage: float) -> "GainError":
        """Of sizes of moves and errors of gains, both of shape (pairs,)."""
        moves, errors = pairs
        noise = NoiseLevel.fit(moves, errors)
        return cls(noise, quantile(np.abs(errors) / cls(noise, 1.0).half(moves), coverage))

    def half(self, moves: Floats) -> Floats:
        """Half-width of the interval of gains, shape (n,); beyond moves that like times show, it grows with them."""
        beyond = np.maximum(moves / max(float(self.noise.levels[-1]), 1e-12), 1.0)
        return np.asarray(self.quantile * self.noise.overall * np.sqrt(self.noise.factor(moves)) * beyond)


def like_pairs(settings: Floats, conditions: Floats, errors: Floats, parts: Sequence[slice]) -> tuple[Floats, Floats]:
    """Sizes of moves and errors of gains between times under like conditions.

    Args:
        settings: shape (n, adjustable), in spreads.
        conditions: shape (n, conditions), in spreads.
        errors: shape (n,), value less prediction.
        parts: stretches of time that one regression predicted each; pairs never reach across.
    """
    moves, found = [np.zeros(0)], [np.zeros(0)]
    for part in parts:
        count = len(errors[part])
        if count <= NEIGHBOURS:
            continue
        other = np.asarray(cKDTree(conditions[part]).query(conditions[part], k=NEIGHBOURS + 1)[1])
        here, there = np.repeat(np.arange(count), NEIGHBOURS), other[:, 1:].ravel()
        moves.append(np.sqrt(((settings[part][there] - settings[part][here]) ** 2).sum(axis=1)))
        found.append(errors[part][there] - errors[part][here])
    return np.concatenate(moves), np.concatenate(found)
