"""Time until a tag, or the health score, crosses a limit: its trend, with an interval from how trends held before."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np

from tagsight_models.frame import Floats, Role
from tagsight_models.job_model import Results
from tagsight_models.job_output import JobOutput
from tagsight_models.prognosis.model import HIGHEST, HOUR_NS, hours_of
from tagsight_models.prognosis.settings import Crossing
from tagsight_models.prognosis.trend import Spread, lines
from tagsight_models.scoring_model import Expectation

DISTANCES: Final = 400


@dataclass(frozen=True, slots=True)
class Reach:
    """Steps: of a window, where the score is 1.0, and the farthest future of which anything is told."""

    window: int
    horizon: float
    farthest: float


class CrossingModel:
    """A trained trend of one role; implements `JobModel`.

    `RemainingLife` is when the straight line through the window reaches the limit, `Lower` and `Upper` when the near
    and the far edge of its spread do; the farthest distance means that or more. The score is horizon / remaining life.
    The expected value is the line at the last step, its band the spread at the shortest distance that was measured.
    """

    kind: ClassVar[str] = "crossing"

    def __init__(
        self, role: Role, crossing: Crossing, spread: Spread, normal: float, reach: Reach, *, grid_ns: int
    ) -> None:
        self.roles, self.crossing, self.spread, self.normal = (role,), crossing, spread, normal
        self.reach, self.grid_ns = reach, grid_ns
        self._sign = 1.0 if crossing.rising else -1.0

    @property
    def window_steps(self) -> int:
        """Steps of a window."""
        return self.reach.window

    @property
    def outputs(self) -> tuple[JobOutput, ...]:
        """Hours and their interval."""
        words = f"time until {self.roles[0].name} crosses {self.crossing.limit:g}"
        return hours_of(words, self.reach.farthest * self.grid_ns / HOUR_NS)

    @property
    def reference(self) -> Floats:
        """The median of the history, at every step."""
        return np.full((self.window_steps, 1), self.normal)

    def times(self, windows: Floats) -> Floats:
        """Steps until the crossing, its lower and its upper end, shape (n, 3)."""
        level, slope = lines(windows[:, :, 0] * self._sign)
        limit, farthest = self.crossing.limit * self._sign, self.reach.farthest
        ahead = np.concatenate([[0.0], np.geomspace(1.0, max(farthest, 2.0), DISTANCES)])
        below, above = self.spread.at(ahead)
        near, far = (above, below) if self.crossing.rising else (-below, -above)
        missing = limit - level[:, None] - slope[:, None] * ahead
        straight = np.where(slope > 0.0, (limit - level) / np.where(slope > 0.0, slope, 1.0), np.inf)
        middle = np.clip(np.where(level >= limit, 0.0, straight), 0.0, farthest)
        lower = np.minimum(_first(ahead, missing - near, farthest), middle)
        return np.stack([middle, lower, np.maximum(_first(ahead, missing - far, farthest), middle)], axis=1)

    def score(self, windows: Floats) -> Floats:
        """Windows (n, window_steps, 1) -> horizon / time until the crossing, (n,)."""
        horizon = self.reach.horizon
        return np.asarray(horizon / np.maximum(self.times(windows)[:, 0], horizon / HIGHEST))

    def results(self, windows: Floats) -> Sequence[Results]:
        """Hours until the crossing with their interval."""
        hours = self.times(windows) * (self.grid_ns / HOUR_NS)
        return [{"RemainingLife": float(a), "Lower": float(b), "Upper": float(c)} for a, b, c in hours]

    def expectation(self, windows: Floats) -> Expectation:
        """The line at the last step."""
        level = lines(windows[:, :, 0])[0][:, None]
        smallest = self.roles[0].smallest_deviation
        lower, upper = min(self.spread.below[0], -smallest), max(self.spread.above[0], smallest)
        return Expectation(level, level + lower, level + upper)

    def description(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON values."""
        return {
            "kind": self.kind,
            "roles": [asdict(self.roles[0])],
            "grid_ns": self.grid_ns,
            "crossing": asdict(self.crossing),
            "reach": asdict(self.reach),
            "normal": self.normal,
        }

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        return {name: getattr(self.spread, name) for name in ("horizons", "below", "above")}

    @classmethod
    def from_parts(cls, description: Mapping[str, Any], tensors: Mapping[str, Floats]) -> Self:
        """The inverse of `description` and `tensors`; ValueError or KeyError where they do not fit."""
        spread = Spread(*(np.asarray(tensors[name], dtype=np.float64) for name in ("horizons", "below", "above")))
        if not len(spread.horizons) == len(spread.below) == len(spread.above) > 0:
            message = "the spread needs one value below and above for each horizon"
            raise ValueError(message)
        return cls(
            Role(**description["roles"][0]),
            Crossing(**description["crossing"]),
            spread,
            float(description["normal"]),
            Reach(**description["reach"]),
            grid_ns=int(description["grid_ns"]),
        )


def _first(ahead: Floats, missing: Floats, farthest: float) -> Floats:
    """The first distance at which nothing is missing (n, distances) any more, between two of them on a line."""
    crossed = missing <= 0.0
    index = np.maximum(crossed.argmax(axis=1), 1)
    rows = np.arange(len(missing))
    before, after = missing[rows, index - 1], missing[rows, index]
    share = np.clip(before / np.where(before > after, before - after, 1.0), 0.0, 1.0)
    found = ahead[index - 1] + share * (ahead[index] - ahead[index - 1])
    return np.where(crossed[:, 0], 0.0, np.where(crossed.any(axis=1), np.minimum(found, farthest), farthest))
