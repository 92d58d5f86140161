"""Set points that would gain most for certain, inside bounds and where training data lies.

A move is a lasting one: all steps of the window move alike. Random moves round the best so far, each round
narrower, from the same random numbers each time; what is sought is the greatest lower end of the gain's interval,
so a move that only the model's errors make attractive does not win. Where not even that end is a gain, nothing is
advised.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from tagsight_models.frame import Flags, Floats
from tagsight_models.production.gain_error import GainError
from tagsight_models.production.support import Support
from tagsight_models.regression.region import Region

ROUNDS: Final = 8
MOVES: Final = 48
NARROWER: Final = 0.6

NO_MOVE: Final = "no move inside the bounds, and where training data lies, has a gain that is certain"

Predict: TypeAlias = Callable[[Floats], Floats]
"""Rows of the last values (n, steering), all other things of the window as they are -> predictions (n,)."""


@dataclass(frozen=True, slots=True)
class Move:
    """Suggested value of each adjustable role, the gain with its interval in units of the target, and words."""

    values: Mapping[str, float]
    gain: float
    lower: float
    upper: float
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Setpoints:
    """What advice needs besides a window; `columns` of the adjustable roles among the steering ones."""

    names: Sequence[str]
    columns: Sequence[int]
    bounds: Mapping[str, tuple[float, float]]
    region: Region
    support: Support
    error: GainError
    rising: bool

    def advise(self, row: Floats, predict: Predict) -> Move:
        """For the last values of a window, shape (steering,)."""
        start = row[list(self.columns)]
        found = self._searched(row, predict)
        if found is None:
            return Move(dict(zip(self.names, start.tolist(), strict=True)), 0.0, 0.0, 0.0, NO_MOVE)
        values, gain, half = found
        words = "move " + ", ".join(
            f"{name} from {before:.4g} to {after:.4g}"
            for name, before, after, scale in zip(self.names, start, values, self._scale, strict=True)
            if abs(after - before) > 0.01 * scale
        )
        named = dict(zip(self.names, values.tolist(), strict=True))
        return Move(named, gain, gain - half, gain + half, words)

    @property
    def _scale(self) -> Floats:
        return self.region.scale[list(self.columns)]

    def gains(self, row: Floats, values: Floats, predict: Predict) -> tuple[Floats, Floats]:
        """Gains of settings (n, adjustable) against the present ones, and their half-widths."""
        rows = np.tile(row, (len(values) + 1, 1))
        rows[1:, list(self.columns)] = values
        said = predict(rows)
        gain = (said[1:] - said[0]) * (1.0 if self.rising else -1.0)
        moved = (values - row[list(self.columns)]) / self._scale
        return gain, self.error.half(np.sqrt((moved**2).sum(axis=1)))

    def _searched(self, row: Floats, predict: Predict) -> tuple[Floats, float, float] | None:
        """Settings, gain and its half-width; None where no lower end is above 0."""
        low, high = np.array([self.bounds[name] for name in self.names]).T
        best, worth = np.clip(row[list(self.columns)], low, high), 0.0
        found: tuple[Floats, float, float] | None = None
        random = np.random.default_rng(0)
        for number in range(ROUNDS):
            reach = (high - low) * NARROWER**number
            tries = np.clip(best + reach * random.uniform(-1.0, 1.0, (MOVES, len(low))), low, high)
            tries[: len(low)] = np.where(np.eye(len(low), dtype=np.bool_), tries[: len(low)], best)[:MOVES]
            rows = np.tile(row, (len(tries), 1))
            rows[:, list(self.columns)] = tries
            gain, half = self.gains(row, tries, predict)
            lower = np.where(self._known(rows, row), gain - half, -np.inf)
            chosen = int(lower.argmax())
            if lower[chosen] > worth:
                best, worth = tries[chosen], float(lower[chosen])
                found = best, float(gain[chosen]), float(half[chosen])
        return found

    def _known(self, rows: Floats, now: Floats) -> Flags:
        """Near some time of training, and inside the ellipsoid or at most as far out as now; shape (n,)."""
        room = max(self.region.limit, float(self.region.distance(now[None])[0]) * (1.0 + 1e-9))
        near = self.support.distance((rows - self.region.centre) / self.region.scale) <= self.support.limit
        return np.asarray(near & (self.region.distance(rows) <= room))
