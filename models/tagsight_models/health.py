"""The health model: what is normal for each role given all others, and one score of how far the machine is from it.

1. Values are standardised (median, robust spread) and kept within +-1e6 so that nothing overflows.
2. `LeaveRoleOut` gives expected value and spread of each role; residual = (actual - expected) / spread, less the
   role's smallest deviation; beyond 10 spreads it grows with its logarithm only.
3. `ValueStatistic`: the values and their movements over three steps, against all linear relations between them.
   `ResidualStatistic`: what is quick in the residuals, their mean over ten steps, and their mean over the window, so
   that a lasting deviation counts as long as it lasts. All are scaled so that their limits are equal.
4. The largest of the five parts is the distance.
5. score = max(0, distance - normal) / (limit - normal): 0 is the median of normal time, 1.0 the limit; the map is
   monotone, linear above `normal`, and everything is float64.

All of it looks at one window only (design law 15).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

import numpy as np

from tagsight_models.bands import filled_in_bands
from tagsight_models.frame import Flags, Floats, Role
from tagsight_models.health_coalitions import coalition_distances
from tagsight_models.health_gradient import slopes
from tagsight_models.health_stack import FARTHEST, OUTSIDE, HealthStack
from tagsight_models.job_model import Results
from tagsight_models.job_output import JobOutput
from tagsight_models.networks.leave_role_out import LeaveRoleOut
from tagsight_models.parts import only, roles_of, said_of_roles, weights_of, with_weights
from tagsight_models.regimes import Regimes
from tagsight_models.residual_statistic import STACKED, ResidualStatistic
from tagsight_models.scoring_model import Expectation
from tagsight_models.statistics.statistic import complete, present
from tagsight_models.value_statistic import ValueStatistic, lookbacks

ARRAYS: Final = ("centre", "scale", "spread", "band", "covariance")
STATISTIC: Final = ("centre", "space", "recent_centre", "recent_space", "level_centre", "level_space")
VALUES: Final = ("centre", "space", "scales")


@dataclass(frozen=True, slots=True, eq=False)
class HealthParameters:
    """Everything a health model consists of beside its network; all float64.

    Attributes:
        centre: shape (roles,), median in engineering units.
        scale: shape (roles,), robust spread in engineering units.
        spread: shape (roles,), residual spread in standardised units.
        values: statistic on the standardised values.
        statistic: on the residuals.
        band: shape (roles,), half-width of the normal band in residual spreads.
        covariance: shape (2, roles, roles), of what is slow and what is quick in normal windows: what an absent role is
            expected to be (`bands`).
        normal: median distance in normal time.
        limit: distance at the alarm limit.
        regimes: of which each has a limit of its own, None: one limit for all.
    """

    centre: Floats
    scale: Floats
    spread: Floats
    values: ValueStatistic
    statistic: ResidualStatistic
    band: Floats
    covariance: Floats
    normal: float = 0.0
    limit: float = 1.0
    regimes: Regimes | None = None


class HealthModel:
    """A trained health model; implements `JobModel`."""

    kind: ClassVar[str] = "health"

    def __init__(
        self,
        roles: tuple[Role, ...],
        network: LeaveRoleOut,
        parameters: HealthParameters,
        *,
        grid_ns: int,
        window_steps: int,
        lags: tuple[int, ...],
    ) -> None:
        self.roles, self.grid_ns, self.window_steps, self.lags = roles, grid_ns, window_steps, lags
        self.network = network.double().eval().requires_grad_(requires_grad=False)
        self.parameters = parameters
        self._stack = HealthStack([self])

    @property
    def taps(self) -> int:
        """Stacks of residuals in a window."""
        return self.window_steps - self.lags[-1] - STACKED + 1

    @property
    def reference(self) -> Floats:
        """The median of training, at every step."""
        return np.tile(self.parameters.centre, (self.window_steps, 1))

    def with_limit(self, normal: float, limit: float, band: Floats) -> "HealthModel":
        """The same model with a limit."""
        return self.with_parameters(replace(self.parameters, normal=normal, limit=limit, band=band))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of directions of each part, in the order of `series_parts`."""
        return *self.parameters.values.sizes, *self.parameters.statistic.sizes

    @property
    def memories(self) -> tuple[int, ...]:
        """Steps that each part looks at."""
        return *lookbacks(self.window_steps), *(self.window_steps,) * len(self.parameters.statistic.sizes)

    def with_parts_scaled(self, limits: Floats) -> "HealthModel":
        """The same with each part of the distance divided by a number; one that is infinite drops the part."""
        values, statistic = self.parameters.values, self.parameters.statistic
        of_values, of_residuals = np.split(limits, [len(values.sizes)])
        scaled = replace(self.parameters, values=values.scaled(of_values), statistic=statistic.scaled(of_residuals))
        return self.with_parameters(scaled)

    def with_parameters(self, parameters: HealthParameters) -> "HealthModel":
        """The same network with other parameters."""
        return HealthModel(
            self.roles,
            self.network,
            parameters,
            grid_ns=self.grid_ns,
            window_steps=self.window_steps,
            lags=self.lags,
        )

    def given(self, windows: Floats, present: Flags) -> Floats:
        """Windows with absent roles at what the present ones make expect of them; see `ConditionalModel`."""
        centre, scale = self.parameters.centre, self.parameters.scale
        standard = np.clip((windows - centre) / scale, -FARTHEST, FARTHEST)
        expected = filled_in_bands(standard, present, self.parameters.covariance) * scale + centre
        return np.where(present[:, None, :], windows, expected)

    def coalition_scores(self, window: Floats, present: Flags, *, conditional: bool) -> Floats:
        """See `CoalitionModel`."""
        distances = coalition_distances(self, window, present, conditional=conditional)
        regimes = self.parameters.regimes
        divisor = 1.0 if regimes is None else regimes.divisors(regimes.states(window[None]))[0]
        return self.score_of_distance(distances / divisor)

    def description(self) -> dict[str, Any]:
        """Everything but the arrays. `supports`: steps that each part of the distance looks at, so what it explains."""
        return {
            "grid_ns": self.grid_ns,
            "window_steps": self.window_steps,
            "lags": list(self.lags),
            "hidden": int(self.network.bias.shape[1]),
            "normal": self.parameters.normal,
            "limit": self.parameters.limit,
            "supports": list(self.memories),
            "regimes": None if self.parameters.regimes is None else self.parameters.regimes.to_json(),
            "roles": said_of_roles(self.roles),
        }

    def tensors(self) -> dict[str, Floats]:
        """Weights of the network, and the arrays of the parameters and of the statistic."""
        arrays = {name: getattr(self.parameters, name) for name in ARRAYS}
        statistic = {f"statistic.{name}": getattr(self.parameters.statistic, name) for name in STATISTIC}
        values = {f"values.{name}": getattr(self.parameters.values, name) for name in VALUES}
        return {**weights_of(self.network, "network"), **arrays, **values, **statistic}

    @classmethod
    def from_parts(cls, description: Mapping[str, Any], tensors: Mapping[str, Floats]) -> "HealthModel":
        """The inverse of `description` and `tensors`."""
        said = {name: one for name, one in description.items() if name != "supports"}  # follows from the rest
        roles, lags = roles_of(said.pop("roles")), tuple(said.pop("lags"))
        network = LeaveRoleOut(len(roles), len(lags), said.pop("hidden"))
        with_weights(network, "network", tensors)
        statistic = ResidualStatistic(**{name: tensors[f"statistic.{name}"] for name in STATISTIC})
        values = ValueStatistic(**{name: tensors[f"values.{name}"] for name in VALUES})
        arrays = {name: tensors[name] for name in ARRAYS}
        if arrays["covariance"].ndim == 2:  # of every step alike, as models had it before `bands`
            arrays["covariance"] = np.stack([arrays["covariance"]] * 2)
        normal, limit = said.pop("normal"), said.pop("limit")
        regimes = None if (found := said.pop("regimes")) is None else Regimes.from_json(found)
        parameters = HealthParameters(
            **arrays, values=values, statistic=statistic, normal=normal, limit=limit, regimes=regimes
        )
        model = cls(roles, network, parameters, lags=lags, **said)
        only(model.tensors(), tensors)
        return model

    @property
    def outputs(self) -> tuple[JobOutput, ...]:
        """None beside the score and what is expected of each role."""
        return ()

    def results(self, windows: Floats) -> list[Results]:
        """None beside the score and what is expected of each role."""
        return [{} for _ in windows]

    def score(self, windows: Floats) -> Floats:
        """Windows of shape (n, window_steps, roles) in engineering units -> scores, shape (n,); 1.0 is the limit."""
        return self.score_of_distance(self.distance(windows))

    def slopes(self, windows: Floats) -> Floats:
        """The derivative of each score by each value, (n, window_steps, roles)."""
        return slopes(self, windows)[1]

    def score_of_distance(self, distance: Floats) -> Floats:
        """The monotone map of step 5."""
        normal, limit = self.parameters.normal, self.parameters.limit
        return np.asarray(np.maximum(distance - normal, 0.0) / (limit - normal))

    def distance(self, windows: Floats) -> Floats:
        """Distance of each window, shape (n,), before normal and limit are applied."""
        return self.of_regimes(windows, self._stack.distance(windows[None])[0])

    def of_regimes(self, windows: Floats, distance: Floats) -> Floats:
        """Distances of windows, each by what is usual in its regime."""
        regimes = self.parameters.regimes
        return distance if regimes is None else np.asarray(distance / regimes.divisors(regimes.states(windows)))

    def unjudged(self, windows: Floats) -> list[str]:
        """For each window, why its score says nothing, in words: its regime was not seen in training; "" for most."""
        regimes = self.parameters.regimes
        return [""] * len(windows) if regimes is None else regimes.unjudged(windows)

    def expectation(self, windows: Floats) -> Expectation:
        """Expected value and band of each role at the last step of each window."""
        found = self._stack.expectation(windows[None])
        return Expectation(found.expected[0], found.lower[0], found.upper[0])

    def residuals(self, values: Floats) -> Floats:
        """Residual of each step of a series (steps, roles); NaN rows where the context is not whole."""
        longest = self.lags[-1]
        found = np.full(values.shape, np.nan)
        whole = present(values)
        filled = np.where(whole[:, None], values, self.parameters.centre)
        found[longest:] = self._stack.residuals(filled[None])[0]
        found[~complete(whole, longest + 1)] = np.nan
        return found

    def series_distance(self, values: Floats) -> Floats:
        """Distance of every window of a series (steps, roles), at its last step; NaN where the window has NaN.

        The same numbers as `distance` of the windows, at a sixtieth of the work.
        """
        whole = complete(present(values), self.window_steps)
        found = np.where(whole, np.fmax.reduce(self.series_parts(values), axis=1), np.nan)
        regimes = self.parameters.regimes
        return found if regimes is None else regimes.divided(found, values, self.window_steps)

    def series_parts(self, values: Floats) -> Floats:
        """Each part of the distance, (steps, 5), of which the largest is `series_distance`; values first.

        A part that looks back on less than the window has numbers from the first step on for which that is whole.
        """
        return self.smoothed(self.unsmoothed(values))

    def unsmoothed(self, values: Floats) -> Floats:
        """What the parts of a series are means of, (steps, 2 + roles): squares of values, of residuals, residuals.

        Rows of several models can be put together before they are smoothed.
        """
        parameters, residuals = self.parameters, self.residuals(values)
        squared = parameters.values.squared(standardised(values, parameters))
        return np.column_stack([squared, parameters.statistic.squared(residuals), residuals])

    def smoothed(self, rows: Floats) -> Floats:
        """The parts that such rows have."""
        plain = self.parameters.values.smoothed(rows[:, 0], self.window_steps)
        return np.column_stack([plain, self.parameters.statistic.smoothed(rows[:, 1], rows[:, 2:], self.taps)])

    @property
    def context_steps(self) -> int:
        """Steps before a row that it needs before anything is smoothed."""
        return self.lags[-1] + STACKED - 1


def standardised(values: Floats, parameters: HealthParameters) -> Floats:
    """What the statistic on the values looks at: within +-`OUTSIDE` spreads."""
    return np.clip((values - parameters.centre) / parameters.scale, -OUTSIDE, OUTSIDE)
