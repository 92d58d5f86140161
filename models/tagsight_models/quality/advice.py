"""Advice: the smallest move of adjustable roles that brings the prediction back inside its limits.

The move is a lasting one, of set points: all steps of the window move alike. All other roles are taken to stay where
they are, also those that follow an adjustable one in the plant; so it is advice to think about, and never written to
the plant. The search goes along line and networks, which are smooth; what it finds is checked with the whole model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.optimize import NonlinearConstraint, minimize

from tagsight_models.frame import Floats
from tagsight_models.quality.limits import Limits
from tagsight_models.regression.region import Region

MARGINS: Final = (0.05, 0.15, 0.3, 0.45)
"""Shares of the allowed width inside of the limits that are aimed at, one after the other, until the check holds."""

NOTHING: Final = "inside its limits: no move is needed"
NONE_FOUND: Final = "no move of the adjustable roles within their bounds, and where training data lies, brings it back"

Predict = Callable[[Floats], Floats]
"""Rows of the last values (n, roles), all other things of the window as they are -> predictions (n,)."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Suggested value of each adjustable role, what would be predicted there, and words."""

    values: Mapping[str, float]
    prediction: float
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Adviser:
    """What advice needs besides a window: `columns` of the adjustable roles and their `bounds`, by name."""

    names: Sequence[str]
    columns: Sequence[int]
    bounds: Mapping[str, tuple[float, float]]
    region: Region
    limits: Limits

    def advise(self, row: Floats, predict: Predict, smooth: Predict) -> Advice:
        """For the last values of a window, shape (roles,)."""
        chosen = list(self.columns)
        now = float(predict(row[None])[0])
        stay = dict(zip(self.names, row[chosen].tolist(), strict=True))
        if self.limits.inside(now):
            return Advice(stay, now, NOTHING)
        for margin in MARGINS if chosen else ():
            values = self._searched(row, now, smooth, margin)
            if values is None:  # nor would there be any farther inside
                break
            moved = self._moved(row, values)
            found = float(predict(moved[None])[0])
            if self.limits.inside(found) and self.region.distance(moved[None])[0] <= self._room(row) * 1.001:
                return Advice(dict(zip(self.names, values.tolist(), strict=True)), found, self._words(row, values))
        return Advice(stay, now, NONE_FOUND)

    def _searched(self, row: Floats, now: float, smooth: Predict, margin: float) -> Floats | None:
        """Values of the adjustable roles, by sequential quadratic programming in standardised moves."""
        chosen = list(self.columns)
        scale, start = self.region.scale[chosen], row[chosen]
        limits = [self.bounds[name] for name in self.names]
        span = [((low - at) / by, (high - at) / by) for (low, high), at, by in zip(limits, start, scale, strict=True)]
        low, high = self.limits.aim(margin)
        offset = now - float(smooth(row[None])[0])
        room = self._room(row)
        unit = max(self.limits.usual_high - self.limits.usual_low, 1e-12)

        def missing(move: Floats) -> Floats:
            """Both are at least 0 where the prediction is in the range and the inputs are in the region."""
            moved = self._moved(row, start + scale * move)
            found = float(smooth(moved[None])[0]) + offset
            inside = min(found - low, high - found) / unit
            return np.array([inside, room - self.region.distance(moved[None])[0]])

        first = np.array([min(max(0.0, least), most) for least, most in span])
        for begin in (first, *(np.array(side, dtype=np.float64) for side in zip(*span, strict=True))):
            move = _smallest(0.5 * (begin + first), span, missing)
            if move is not None and (missing(move) > -1e-4).all():
                lower, upper = np.array(limits, dtype=np.float64).T
                return np.asarray(np.clip(start + scale * move, lower, upper))
        return None

    def _room(self, row: Floats) -> float:
        """How far from the centre the inputs may lie: where training data lies, or as far as they do now."""
        return max(self.region.limit, float(self.region.distance(row[None])[0]))

    def _moved(self, row: Floats, values: Floats) -> Floats:
        moved = row.copy()
        moved[list(self.columns)] = values
        return moved

    def _words(self, row: Floats, values: Floats) -> str:
        scale = self.region.scale[list(self.columns)]
        moves = [
            f"{name} from {before:.4g} to {value:.4g}"
            for name, before, value, by in zip(self.names, row[list(self.columns)], values, scale, strict=True)
            if abs(value - before) > 0.01 * by
        ]
        return "move " + ", ".join(moves)


def _smallest(begin: Floats, span: Sequence[tuple[float, float]], missing: Callable[[Floats], Floats]) -> Floats | None:
    """The smallest move with nothing missing that is found from `begin`; None where none is."""
    search: Any = minimize  # its types do not know a constraint on an array
    result = search(
        lambda move: float(move @ move),
        begin,
        method="SLSQP",
        bounds=list(span),
        constraints=NonlinearConstraint(missing, 0.0, np.inf),
        options={"maxiter": 40},
    )
    return np.asarray(result.x, dtype=np.float64) if result.success else None
