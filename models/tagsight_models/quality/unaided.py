"""The interval where no laboratory value is known and nothing corrects a drift: wider, and wider still far away."""

from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.quality.residual_field import ResidualField
from tagsight_models.regression.nearness import Nearness
from tagsight_models.regression.noise_level import NoiseLevel
from tagsight_models.regression.region import Region


@dataclass(frozen=True, slots=True, eq=False)
class Unaided:
    """Half-width of the interval in spreads, and how it grows with the distance from what was learned from."""

    quantile: float
    nearness: Nearness

    def half(self, spread: Floats, rows: Floats) -> Floats:
        """Half-widths, shape (n,), of errors of this spread at `rows` as `in_spreads` tells them."""
        return np.asarray(self.quantile * spread * self.nearness.factor(rows))


def unaided_spread(field: ResidualField, noise: NoiseLevel, predictions: Floats) -> Floats:
    """Expected spread of errors before any laboratory value is known, shape (n,), in units of the target."""
    return np.asarray(np.sqrt(field.prior + field.noise * noise.factor(predictions)) * noise.overall)


def in_spreads(region: Region, rows: Floats) -> Floats:
    """Rows (n, roles) about the usual, none drawn in: far is far."""
    return np.asarray((rows - region.centre) / region.scale)
