"""The soft sensor: prediction, interval and advice from a window, corrected by laboratory values where there are any.

The score is how far the prediction is from the middle of its limits, in halves of their distance: 1.0 is at a limit.
With one limit, it is the way from the usual value to that limit; without any, to the edge of the usual range.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from tagsight_models.frame import Floats, Role, Times
from tagsight_models.job_model import Results
from tagsight_models.job_output import JobOutput
from tagsight_models.quality.advice import Advice, Adviser
from tagsight_models.quality.lab_following import Known, Tracking, follow
from tagsight_models.quality.lab_history import LabHistory
from tagsight_models.quality.residual_field import Points
from tagsight_models.quality.sensor_parts import SensorParts
from tagsight_models.regression.window_features import window_features
from tagsight_models.scoring_model import Expectation


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """Predictions with their intervals, all of shape (n,), engineering units; `bias` is in `prediction` already."""

    prediction: Floats
    lower: Floats
    upper: Floats
    bias: Floats


class SoftSensor:
    """A trained soft sensor; implements `JobModel`."""

    kind: ClassVar[str] = "quality"

    def __init__(self, parts: SensorParts) -> None:
        self.parts = parts

    @property
    def roles(self) -> tuple[Role, ...]:
        """Order of the columns of every window."""
        return self.parts.roles

    @property
    def grid_ns(self) -> int:
        """Distance of the steps."""
        return self.parts.grid_ns

    @property
    def window_steps(self) -> int:
        """What the regression sees, and the delay after it."""
        return self.parts.lengths[-1] + self.parts.delay_steps

    @property
    def reference(self) -> Floats:
        """The median of training, at every step."""
        return np.tile(self.parts.region.centre, (self.window_steps, 1))

    @property
    def outputs(self) -> tuple[JobOutput, ...]:
        """Prediction, interval, bias, and advice for each adjustable role."""
        unit, name = self.parts.target_unit, self.parts.target_name
        values = [JobOutput(each, unit, description=f"{words} {name}") for each, words in _VALUES.items()]
        units = {role.name: role.unit for role in self.roles}
        advice = [
            JobOutput(f"Advice/{role}", units[role], *bounds, description=f"suggested value of {role}")
            for role, bounds in self.parts.adjustable.items()
        ]
        words = [JobOutput("AdviceText", text=True, description=f"what would bring {name} back")] if advice else []
        return (*values, *words, *advice)

    def predict(self, windows: Floats) -> Floats:
        """Predictions without a correction, shape (n,)."""
        return self.parts.regressor.predict(self._features(windows))

    def score(self, windows: Floats) -> Floats:
        """Score of the predictions without a correction, shape (n,)."""
        return self.parts.limits.score(self.predict(windows))

    def corrected_score(self, corrected: Corrected) -> Floats:
        """Score of corrected predictions, shape (n,)."""
        return self.parts.limits.score(corrected.prediction)

    def expectation(self, windows: Floats) -> Expectation:
        """A soft sensor expects nothing of its inputs but what is usual: median and 99 % band of training."""
        shape = (len(windows), len(self.roles))
        lower, upper = self.parts.usual
        return Expectation(*(np.broadcast_to(each, shape).copy() for each in (self.parts.region.centre, lower, upper)))

    def plain(self, windows: Floats) -> Corrected:
        """Predictions and intervals where no laboratory value is known."""
        prediction = self.predict(windows)
        parts = self.parts
        spread = np.sqrt(parts.field.prior + parts.field.noise * parts.noise.factor(prediction))
        half = parts.quantile_alone * spread * parts.noise.overall
        return Corrected(prediction, prediction - half, prediction + half, np.zeros(len(prediction)))

    def corrected(self, windows: Floats, ends_ns: Times, lab: LabHistory) -> Corrected:
        """Predictions and intervals at the ends of the windows, with what was known of the laboratory by each.

        Args:
            windows: shape (n, window_steps, roles).
            ends_ns: shape (n,), UTC ns.
            lab: values, in any order; those known later than an end do not count for it.
        """
        if not len(lab):
            return self.plain(windows)
        parts, lab = self.parts, lab.in_order()
        before, unit = self.predict(lab.windows), parts.noise.overall
        points = self._points(lab.windows, lab.sampled_ns, before)
        known = Known(lab.sampled_ns, lab.known_ns, points, (lab.values - before) / unit)
        prediction = self.predict(windows)
        at = self._points(windows, ends_ns, prediction)
        tracking = Tracking(parts.quantile_following, parts.coverage)
        found = follow(parts.field, known, at, np.asarray(ends_ns), tracking)
        unaided = np.searchsorted(lab.known_ns, ends_ns, side="right") == 0
        quantile = np.where(unaided, parts.quantile_alone, parts.widening * found.quantile)
        bias, half = unit * found.bias, unit * quantile * found.spread
        return Corrected(prediction + bias, prediction + bias - half, prediction + bias + half, bias)

    def results(self, windows: Floats) -> Sequence[Results]:
        """Outputs of windows without a laboratory value."""
        return self._said(windows, self.plain(windows))

    def corrected_results(self, windows: Floats, ends_ns: Times, lab: LabHistory) -> Sequence[Results]:
        """Outputs of windows with what is known of the laboratory."""
        return self._said(windows, self.corrected(windows, ends_ns, lab))

    def advice(self, window: Floats, bias: float) -> Advice:
        """What would bring the prediction of one window, shape (window_steps, roles), back inside its limits."""
        parts = self.parts
        names = [role.name for role in self.roles]
        columns = [names.index(role) for role in parts.adjustable]
        adviser = Adviser(list(parts.adjustable), columns, parts.adjustable, parts.region, parts.limits)
        features = self._features(window[None])[0]
        last = features[: len(names)]

        def moved(rows: Floats) -> Floats:
            return np.concatenate([rows, np.tile(features[len(names) :], (len(rows), 1))], axis=1)

        regressor = parts.regressor
        return adviser.advise(
            last, lambda rows: regressor.predict(moved(rows)) + bias, lambda rows: regressor.smooth(moved(rows)) + bias
        )

    def description(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON values."""
        return self.parts.description()

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        return self.parts.tensors()

    @classmethod
    def from_parts(cls, description: Mapping[str, Any], tensors: Mapping[str, Floats]) -> Self:
        """The inverse of `description` and `tensors`."""
        return cls(SensorParts.from_parts(description, tensors))

    def with_limits(self, low: float | None, high: float | None) -> "SoftSensor":
        """The same sensor with other limits."""
        return SoftSensor(replace(self.parts, limits=replace(self.parts.limits, low=low, high=high)))

    def _said(self, windows: Floats, found: Corrected) -> list[Results]:
        said: list[Results] = []
        rows = zip(found.prediction, found.lower, found.upper, found.bias, strict=True)
        for window, row in zip(windows, rows, strict=True):
            values = dict(zip(_VALUES, map(float, row), strict=True))
            said.append(values | (self._advised(window, values["Bias"]) if self.parts.adjustable else {}))
        return said

    def _advised(self, window: Floats, bias: float) -> dict[str, float | str]:
        advice = self.advice(window, bias)
        return {"AdviceText": advice.words, **{f"Advice/{role}": value for role, value in advice.values.items()}}

    def _seen(self, windows: Floats) -> Floats:
        """The part of each window that the regression sees: the delay is over by its end."""
        return windows[:, : self.window_steps - self.parts.delay_steps]

    def _features(self, windows: Floats) -> Floats:
        return window_features(self._seen(windows), self.parts.lengths)

    def _points(self, windows: Floats, times_ns: Times, predictions: Floats) -> Points:
        inputs = self.parts.region.standardised(self._seen(windows)[:, -1])
        return Points(times_ns / self.parts.lab_every_ns, inputs, self.parts.noise.factor(predictions))


_VALUES = {
    "Prediction": "predicted",
    "Lower": "lower end of the interval of",
    "Upper": "upper end of the interval of",
    "Bias": "correction from laboratory values of",
}
