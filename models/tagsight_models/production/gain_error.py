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
    def fit(cls, parts: Sequence[tuple[Floats, Floats]], coverage: float) -> "GainError":
        """Of sizes of moves and errors of gains, both of shape (pairs,), of each part of the time; the worst counts."""
        noise = NoiseLevel.fit(*(np.concatenate(found) for found in zip(*parts, strict=True)))
        plain = cls(noise, 1.0)
        asked = [quantile(np.abs(errors) / plain.half(moves), coverage) for moves, errors in parts if len(errors)]
        return cls(noise, max(asked))

    def half(self, moves: Floats) -> Floats:
        """Half-width of the interval of gains, shape (n,); beyond moves that like times show, it grows with them."""
        beyond = np.maximum(moves / max(float(self.noise.levels[-1]), 1e-12), 1.0)
        return np.asarray(self.quantile * self.noise.overall * np.sqrt(self.noise.factor(moves)) * beyond)


def like_pairs(settings: Floats, conditions: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Sizes of moves and errors of gains between times under like conditions, none where there are too few times.

    Args:
        settings: shape (n, adjustable), in spreads.
        conditions: shape (n, conditions), in spreads.
        errors: shape (n,), value less prediction, of time that one regression predicted.
    """
    count = len(errors)
    if count <= NEIGHBOURS:
        return np.zeros(0), np.zeros(0)
    other = np.asarray(cKDTree(conditions).query(conditions, k=NEIGHBOURS + 1)[1])
    here, there = np.repeat(np.arange(count), NEIGHBOURS), other[:, 1:].ravel()
    return np.sqrt(((settings[there] - settings[here]) ** 2).sum(axis=1)), errors[there] - errors[here]
