"""What the networks see of a window: level and slope of each ageing coordinate over several lookbacks, standardised."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tagsight_models.frame import Floats, Times
from tagsight_models.prognosis.ageing import slow_directions
from tagsight_models.prognosis.filters import bank, mirrored
from tagsight_models.prognosis.lives import LifeRows
from tagsight_models.prognosis.regimes import Regimes

BOUND: Final = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """From values to features; all arrays float64, nothing in it learned from the ends of lives.

    Attributes:
        regimes: of operation.
        directions: shape (roles, coordinates), ageing coordinates of standardised roles.
        bank: shape (filters, window steps).
        centre: shape (filters, coordinates).
        scale: shape (filters, coordinates).
    """

    regimes: Regimes
    directions: Floats
    bank: Floats
    centre: Floats
    scale: Floats

    def coordinates(self, values: Floats) -> Floats:
        """(..., roles) in engineering units -> (..., coordinates)."""
        return np.asarray(self.regimes.standardised(values) @ self.directions)

    def of_windows(self, windows: Floats) -> Floats:
        """(n, window steps, roles) -> (n, filters, coordinates), standardised."""
        return self._scaled(np.matmul(self.bank, self.coordinates(windows)))

    def of_rows(self, coordinates: Floats, ends: Times, ages: Times) -> Floats:
        """The same of the windows that end at these rows of a series of coordinates."""
        return self._scaled(np.matmul(self.bank, coordinates[mirrored(ends, ages, self.bank.shape[1])]))

    def _scaled(self, found: Floats) -> Floats:
        return np.clip((found - self.centre) / self.scale, -BOUND, BOUND)

    def tensors(self) -> dict[str, Floats]:
        """By name."""
        own = {name: getattr(self, name) for name in ("directions", "bank", "centre", "scale")}
        return own | {f"regimes/{name}": value for name, value in self.regimes.tensors().items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Any]) -> "Features":
        """The inverse of `tensors`."""
        own = {name: np.asarray(tensors[name], dtype=np.float64) for name in ("directions", "bank", "centre", "scale")}
        regimes = {name.removeprefix("regimes/"): value for name, value in tensors.items() if "regimes/" in name}
        return cls(Regimes.from_tensors(regimes), **own)


def find_features(rows: LifeRows, regimes: Regimes, steps: int, network: str, ends: Times) -> Features:
    """Features whose scale is that of the windows that end at rows `ends`."""
    directions = slow_directions(regimes.standardised(rows.values), rows.life)
    filters = bank(steps, network)
    shape = (len(filters), directions.shape[1])
    raw = Features(regimes, directions, filters, np.zeros(shape), np.full(shape, 1.0))
    found = np.matmul(filters, raw.coordinates(rows.values)[mirrored(ends, rows.age[ends], steps)])
    scale = found.std(axis=0)
    return Features(regimes, directions, filters, found.mean(axis=0), np.where(scale > 0.0, scale, 1.0))
