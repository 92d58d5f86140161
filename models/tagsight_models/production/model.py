"""The model of production: what is expected, what was the best, what limits, and what would gain.

The score is the loss that the inputs explain: the best that was reached under the same conditions, less what is
expected of the inputs as they are, 1.0 where that is seldom exceeded in held-out time. So its contributions say
which inputs cost production. What no input explains is not in the score; it is `Unexplained` where the target is
among the inputs.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from tagsight_models.frame import Floats, Role
from tagsight_models.job_model import Results
from tagsight_models.job_output import JobOutput
from tagsight_models.production.estimate import Estimate
from tagsight_models.production.production_parts import ProductionParts
from tagsight_models.production.setpoints import Move, Predict, Setpoints
from tagsight_models.production.stations import ranked, waiting
from tagsight_models.scoring_model import Expectation

NONE: str = "none"
"""Bottleneck where nothing limits."""


class ProductionModel:
    """A trained model of production; implements `JobModel`."""

    kind: ClassVar[str] = "production"

    def __init__(self, parts: ProductionParts) -> None:
        self.parts = parts
        self.columns = parts.columns
        self._places = {role.name: column for column, role in enumerate(parts.roles)}

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
        """What the regression looks back on."""
        return self.parts.expected.lengths[-1]

    @property
    def reference(self) -> Floats:
        """The median of training, at every step."""
        return np.tile(self.parts.reference, (self.window_steps, 1))

    @property
    def outputs(self) -> tuple[JobOutput, ...]:
        """Expected and best target, loss, gain with its interval, advice, bottleneck, and shares at each limit."""
        parts = self.parts
        said = [
            JobOutput(name, parts.target_unit, description=words.format(parts.target_name))
            for name, words in _VALUES.items()
        ]
        if self.columns.target is not None:
            said.append(JobOutput("Unexplained", parts.target_unit, description="loss that no input explains"))
        if parts.adjustable:
            said += [JobOutput(name, parts.target_unit, description=words) for name, words in _GAINS.items()]
            said.append(JobOutput("AdviceText", text=True, description="the move with that gain"))
        for role, bounds in parts.adjustable.items():
            unit = parts.roles[self._places[role]].unit
            said.append(JobOutput(f"Advice/{role}", unit, *bounds, description=f"suggested value of {role}"))
        said.append(JobOutput("Bottleneck", text=True, description=f"what limits {parts.target_name}"))
        shares = [f"Waiting/{station}" for station in parts.stations]
        shares += [f"AtLimit/{parts.roles[column].name}" for column in parts.limits.limited]
        said += [JobOutput(name, "", 0.0, 1.0, description="share of the window") for name in shares]
        lost = [f"LostBy/{parts.roles[column].name}" for column in parts.limits.limited]
        return (*said, *(JobOutput(name, parts.target_unit, description="lost while at its limit") for name in lost))

    def predict(self, windows: Floats) -> Floats:
        """Expected target, shape (n,)."""
        return self.parts.expected.predict(windows)

    def best(self, windows: Floats) -> Floats:
        """What like conditions have reached, shape (n,)."""
        under, level = self.parts.under, self.parts.best_level
        if under is None:
            return np.full(len(windows), level)
        usual = under.predict(windows)
        return np.asarray(usual + level * under.size(usual))

    def loss(self, windows: Floats) -> Floats:
        """What the inputs as they are cost against the best, shape (n,); below 0 where they do better."""
        sign = 1.0 if self.parts.rising else -1.0
        return sign * (self.best(windows) - self.predict(windows))

    def score(self, windows: Floats) -> Floats:
        """The loss that inputs explain, in units of its limit, shape (n,)."""
        return np.asarray(np.maximum(self.loss(windows), 0.0) / self.parts.limit)

    def expectation(self, windows: Floats) -> Expectation:
        """Nothing is expected of the inputs but what is usual: median and 99 % band of training."""
        shape = (len(windows), len(self.roles))
        lower, upper = self.parts.usual
        return Expectation(*(np.broadcast_to(each, shape).copy() for each in (self.parts.reference, lower, upper)))

    def results(self, windows: Floats) -> Sequence[Results]:
        """Outputs of each window."""
        parts, at = self.parts, self.columns.target
        expected, best, loss = self.predict(windows), self.best(windows), self.loss(windows)
        half = parts.quantile * parts.expected.size(expected)
        sign = 1.0 if parts.rising else -1.0
        unexplained = np.zeros(len(windows)) if at is None else sign * (expected - windows[:, -1, at])
        rows = np.stack([expected, expected - half, expected + half, best, loss + unexplained], axis=1).tolist()
        found: list[Results] = []
        for window, row, left in zip(windows, rows, unexplained.tolist(), strict=True):
            said: dict[str, float | str] = dict(zip(_VALUES, row, strict=True))
            said |= {} if at is None else {"Unexplained": left}
            found.append(said | self._advised(window) | self._limiting(window))
        return found

    def advice(self, window: Floats) -> Move:
        """Set points that would gain most for certain, for one window of shape (window_steps, roles)."""
        estimate = self.steering
        features, count = estimate.features(window[None])[0], len(estimate.columns)
        return self.setpoints.advise(features[:count], _with(estimate, features[count:]))

    def gain(self, window: Floats, settings: Floats) -> tuple[Floats, Floats]:
        """Gains of settings (n, adjustable) for one window, and half-widths of their intervals."""
        estimate = self.steering
        features, count = estimate.features(window[None])[0], len(estimate.columns)
        return self.setpoints.gains(features[:count], settings, _with(estimate, features[count:]))

    @property
    def steering(self) -> Estimate:
        """What gains are predicted by."""
        return self.parts.expected if self.parts.steering is None else self.parts.steering

    @property
    def setpoints(self) -> Setpoints:
        """What moves are sought by; ValueError where nothing is adjustable."""
        parts = self.parts
        if parts.region is None or parts.support is None or parts.error is None:
            msg = "nothing is adjustable"
            raise ValueError(msg)
        columns = [self.columns.steering.index(column) for column in self.columns.adjustable]
        return Setpoints(
            list(parts.adjustable), columns, parts.adjustable, parts.region, parts.support, parts.error, parts.rising
        )

    def description(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON values."""
        return self.parts.description()

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        return self.parts.tensors()

    @classmethod
    def from_parts(cls, description: Mapping[str, Any], tensors: Mapping[str, Floats]) -> "ProductionModel":
        """The inverse of `description` and `tensors`."""
        return cls(ProductionParts.from_parts(description, tensors))

    def _advised(self, window: Floats) -> dict[str, float | str]:
        if not self.parts.adjustable:
            return {}
        move = self.advice(window)
        said: dict[str, float | str] = dict(zip(_GAINS, (move.gain, move.lower, move.upper), strict=True))
        return said | {"AdviceText": move.words} | {f"Advice/{role}": value for role, value in move.values.items()}

    def _limiting(self, window: Floats) -> dict[str, float | str]:
        """The bottleneck, and shares of the window."""
        parts = self.parts
        shares = parts.limits.shares(window[None])[0]
        lost = parts.limits.lost(shares)
        name = parts.roles[int(lost.argmax())].name if lost.max() > 0.0 else NONE
        said: dict[str, float | str] = {}
        if parts.stations:
            waits = self._waits(window)
            name = list(parts.stations)[int(ranked(waits)[0])]
            shares_of = waits.mean(axis=0).tolist()
            said = {f"Waiting/{station}": share for station, share in zip(parts.stations, shares_of, strict=True)}
        limited = {n: parts.roles[n].name for n in parts.limits.limited}
        said |= {f"AtLimit/{role}": float(shares[:, n].max()) for n, role in limited.items()}
        return {"Bottleneck": name, **said, **{f"LostBy/{role}": float(lost[n]) for n, role in limited.items()}}

    def _waits(self, window: Floats) -> Floats:
        """Shape (steps, stations): the share of each step that each station waits."""
        shares = np.clip(window, 0.0, 1.0)
        roles = list(self.parts.stations.values())
        starved = shares[:, [self._places[each[0]] for each in roles]]
        blocked = [shares[:, self._places[each[1]]] if len(each) == 2 else np.zeros(len(window)) for each in roles]
        return waiting(starved, np.stack(blocked, axis=1))


def _with(estimate: Estimate, rest: Floats) -> Predict:
    """Predictions for rows of last values, all other features as they are."""
    return lambda rows: estimate.regressor.predict(np.concatenate([rows, np.tile(rest, (len(rows), 1))], axis=1))


_VALUES = {
    "Prediction": "expected {}",
    "Lower": "lower end of the interval of {}",
    "Upper": "upper end of the interval of {}",
    "Best": "{} that like conditions have reached",
    "Loss": "what is missing to the best {}",
}

_GAINS = {
    "Gain": "predicted gain of the advised move",
    "GainLower": "lower end of its interval",
    "GainUpper": "upper end of its interval",
}
