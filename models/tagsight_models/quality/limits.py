"""The limits of a target, and how far a value is from where it should be: 0 in the middle, 1.0 at a limit."""

from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats


@dataclass(frozen=True, slots=True)
class Limits:
    """What a target should lie within.

    Attributes:
        low: as configured, None for none.
        high: as configured.
        usual_low: 0.5 % quantile of the values in training.
        usual: their median.
        usual_high: 99.5 % quantile.
    """

    low: float | None
    high: float | None
    usual_low: float
    usual: float
    usual_high: float

    @classmethod
    def of(cls, values: Floats, low: float | None, high: float | None) -> "Limits":
        """Of laboratory values in training."""
        return cls(low, high, *(float(found) for found in np.quantile(values, [0.005, 0.5, 0.995])))

    @property
    def given(self) -> bool:
        """There is a limit to keep."""
        return self.low is not None or self.high is not None

    def score(self, values: Floats) -> Floats:
        """Distance from the middle of both limits, or from the usual value to the one, in units of what is allowed."""
        if self.low is not None and self.high is not None:
            middle, below = 0.5 * (self.low + self.high), 0.5 * (self.high - self.low)
            above = below
        else:
            middle = self.usual
            below, above = self._room(self.low, self.usual_low), self._room(self.high, self.usual_high)
            if self.given:
                below, above = (below if self.low is not None else np.inf), (above if self.high is not None else np.inf)
        return np.asarray(np.maximum((middle - values) / below, (values - middle) / above).clip(min=0.0))

    def inside(self, value: float) -> bool:
        """Within what is configured."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def aim(self, within: float) -> tuple[float, float]:
        """The range to bring the value into: `within` (a share of the allowed width) inside of the limits."""
        width = self.usual_high - self.usual_low
        if self.low is not None and self.high is not None:
            width = self.high - self.low
        low = -np.inf if self.low is None else self.low + within * width
        high = np.inf if self.high is None else self.high - within * width
        return low, high

    def _room(self, limit: float | None, usual: float) -> float:
        room = abs((usual if limit is None else limit) - self.usual)
        return max(room, 1e-3 * (self.usual_high - self.usual_low), 1e-12)
