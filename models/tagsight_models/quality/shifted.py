"""A soft sensor with the correction that it had at one time: what an explanation of that time's score explains."""

from dataclasses import dataclass

from tagsight_models.frame import Floats, Role
from tagsight_models.quality.soft_sensor import SoftSensor
from tagsight_models.scoring_model import Expectation


@dataclass(frozen=True, slots=True, eq=False)
class Shifted:
    """Implements `ScoringModel`: the score of the prediction plus `bias`, in engineering units of the target."""

    sensor: SoftSensor
    bias: float

    @property
    def roles(self) -> tuple[Role, ...]:
        """Order of the columns of every window."""
        return self.sensor.roles

    @property
    def window_steps(self) -> int:
        """Steps of a window."""
        return self.sensor.window_steps

    @property
    def grid_ns(self) -> int:
        """Distance of the steps."""
        return self.sensor.grid_ns

    @property
    def reference(self) -> Floats:
        """That of the sensor."""
        return self.sensor.reference

    def score(self, windows: Floats) -> Floats:
        """Shape (n,)."""
        return self.sensor.parts.limits.score(self.sensor.predict(windows) + self.bias)

    def expectation(self, windows: Floats) -> Expectation:
        """That of the sensor."""
        return self.sensor.expectation(windows)
