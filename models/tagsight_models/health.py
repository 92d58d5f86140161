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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from tagsight_models.conditional import filled
from tagsight_models.frame import Flags, Floats, Role
from tagsight_models.health_gradient import slopes
from tagsight_models.job_model import Results
from tagsight_models.job_output import JobOutput
from tagsight_models.networks.leave_role_out import LeaveRoleOut, context
from tagsight_models.parts import only, roles_of, said_of_roles, weights_of, with_weights
from tagsight_models.regimes import Regimes
from tagsight_models.residual_statistic import RECENT, SMOOTHING, STACKED, ResidualStatistic
from tagsight_models.scoring_model import Expectation
from tagsight_models.statistics.ewma import weights
from tagsight_models.statistics.statistic import complete, present
from tagsight_models.value_statistic import ValueStatistic, lookbacks, taps_of

FARTHEST = 1e6  # standardised values are kept within this
KNEE = 10.0  # residuals beyond this many spreads grow with their logarithm only
OUTSIDE = 1e4  # spreads beyond which a value is as far away as can be
CHUNK = 200_000  # numbers in the hidden layer at a time: fits a processor's cache

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
        covariance: shape (roles, roles), of standardised normal rows: what an absent role is expected to be.
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
        self._centre, self._scale = torch.as_tensor(parameters.centre), torch.as_tensor(parameters.scale)
        self._spread = torch.as_tensor(parameters.spread)
        statistic, plain = parameters.statistic, parameters.values
        self._plain = torch.as_tensor(plain.centre), torch.as_tensor(plain.space)
        self._plain_taps = [
            torch.as_tensor(taps[::-1] / scale**2)
            for taps, scale in zip(taps_of(window_steps), plain.scales, strict=True)
        ]
        self._quick = torch.as_tensor(statistic.centre), torch.as_tensor(statistic.space)
        self._recent = torch.as_tensor(statistic.recent_centre), torch.as_tensor(statistic.recent_space)
        self._level = torch.as_tensor(statistic.level_centre), torch.as_tensor(statistic.level_space)
        smallest = np.array([role.smallest_deviation for role in roles])
        self._smallest = torch.as_tensor(smallest / parameters.scale)
        self._dead_zone = bool((smallest > 0.0).any())
        self._taps = torch.as_tensor(weights(SMOOTHING, self.taps)[::-1].copy())

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
        expected = filled(standard, present, self.parameters.covariance) * scale + centre
        return np.where(present[:, None, :], windows, expected)

    def description(self) -> dict[str, Any]:
        """Everything but the arrays."""
        return {
            "grid_ns": self.grid_ns,
            "window_steps": self.window_steps,
            "lags": list(self.lags),
            "hidden": int(self.network.bias.shape[1]),
            "normal": self.parameters.normal,
            "limit": self.parameters.limit,
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
        said = dict(description)
        roles, lags = roles_of(said.pop("roles")), tuple(said.pop("lags"))
        network = LeaveRoleOut(len(roles), len(lags), said.pop("hidden"))
        with_weights(network, "network", tensors)
        statistic = ResidualStatistic(**{name: tensors[f"statistic.{name}"] for name in STATISTIC})
        values = ValueStatistic(**{name: tensors[f"values.{name}"] for name in VALUES})
        arrays = {name: tensors[name] for name in ARRAYS}
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

    @torch.inference_mode()
    def distance(self, windows: Floats) -> Floats:
        """Distance of each window, shape (n,), before normal and limit are applied."""
        found = np.empty(len(windows))
        for part in self._chunks(len(windows), self.window_steps):
            found[part] = torch.sqrt(self._statistic(self._standardised(windows[part]))).numpy()
        regimes = self.parameters.regimes
        return found if regimes is None else np.asarray(found / regimes.divisors(regimes.states(windows)))

    def unjudged(self, windows: Floats) -> list[str]:
        """For each window, why its score says nothing, in words: its regime was not seen in training; "" for most."""
        regimes = self.parameters.regimes
        return [""] * len(windows) if regimes is None else regimes.unjudged(windows)

    @torch.inference_mode()
    def expectation(self, windows: Floats) -> Expectation:
        """Expected value and band of each role at the last step of each window."""
        values = self._standardised(windows[:, self.window_steps - self.lags[-1] - 1 :])
        expected, log_spread = self.network(context(values, self.lags)[:, 0])
        parameters = self.parameters
        centre = expected.numpy() * parameters.scale + parameters.centre
        half = parameters.band * (self._spread * torch.exp(log_spread)).numpy() * parameters.scale
        half = np.maximum(half, [role.smallest_deviation for role in self.roles])
        return Expectation(centre, centre - half, centre + half)

    @torch.inference_mode()
    def residuals(self, values: Floats) -> Floats:
        """Residual of each step of a series (steps, roles); NaN rows where the context is not whole."""
        longest = self.lags[-1]
        found = np.full(values.shape, np.nan)
        whole = present(values)
        filled = np.where(whole[:, None], values, self.parameters.centre)
        for start in range(longest, len(values), self._steps_at_once):
            stop = min(start + self._steps_at_once, len(values))
            found[start:stop] = self._residuals(self._standardised(filled[None, start - longest : stop]))[0].numpy()
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
        plain = self.parameters.values.parts(standardised(values, self.parameters), self.window_steps)
        return np.column_stack([plain, self.parameters.statistic.parts(self.residuals(values), self.taps)])

    @property
    def _steps_at_once(self) -> int:
        return max(64, CHUNK // (len(self.roles) * max(8, self.network.bias.shape[1])))

    def _chunks(self, count: int, steps: int) -> Iterator[slice]:
        at_once = max(1, self._steps_at_once // steps)
        for start in range(0, count, at_once):
            yield slice(start, min(start + at_once, count))

    def _standardised(self, values: Floats) -> Tensor:
        own = torch.from_numpy(np.array(values, dtype=np.float64, order="C"))
        return own.sub_(self._centre).div_(self._scale).clamp_(-FARTHEST, FARTHEST)

    def _residuals(self, values: Tensor) -> Tensor:
        """(batch, steps, roles) -> (batch, steps - longest lag, roles)."""
        seen = context(values, self.lags)
        expected, log_spread = self.network(seen.flatten(0, 1))
        deviation = values[:, self.lags[-1] :] - expected.view(*seen.shape[:2], -1)
        if self._dead_zone:
            deviation = torch.sign(deviation) * (deviation.abs() - self._smallest).clamp_(min=0.0)
        scaled = deviation / (self._spread * torch.exp(log_spread)).view_as(deviation)
        return _compressed(scaled)

    def _statistic(self, values: Tensor) -> Tensor:
        """(batch, steps, roles) -> squared distance of each window, (batch,)."""
        residuals = self._residuals(values)
        steps = residuals.shape[1]
        stacks = torch.cat([residuals[:, STACKED - 1 - lag : steps - lag] for lag in range(STACKED)], dim=2)
        quick = _squared(stacks, self._quick) @ self._taps
        recent = _squared(residuals[:, -min(RECENT, self.taps) :].mean(dim=1), self._recent)
        level = _squared(residuals[:, STACKED - 1 :].mean(dim=1), self._level)
        return torch.stack([*self._values_squared(values), quick, recent, level]).amax(dim=0)

    def _values_squared(self, values: Tensor) -> Iterator[Tensor]:
        """(batch, steps, roles) -> squared distance of the values, each part (batch,)."""
        newest = values[:, -max(lookbacks(self.window_steps)) :].clamp(-OUTSIDE, OUTSIDE)
        steps, knee = newest.shape[1], self.parameters.values.knee
        stacks = torch.cat([newest[:, STACKED - 1 - lag : steps - lag] for lag in range(STACKED)], dim=2)
        squared = _squared(stacks, self._plain)
        squared = squared.clamp(max=knee) + knee * (squared.clamp(min=knee) / knee).log()
        for taps in self._plain_taps:
            yield squared[:, -len(taps) :] @ taps


def standardised(values: Floats, parameters: HealthParameters) -> Floats:
    """What the statistic on the values looks at: within +-`OUTSIDE` spreads."""
    return np.clip((values - parameters.centre) / parameters.scale, -OUTSIDE, OUTSIDE)


def _squared(rows: Tensor, part: tuple[Tensor, Tensor]) -> Tensor:
    """Squared length of (rows - centre) @ space along the last axis."""
    centre, space = part
    found = (rows - centre) @ space
    return (found * found).sum(dim=-1)


def _compressed(residuals: Tensor) -> Tensor:
    """Linear up to `KNEE`, logarithmic beyond: one wild step must not outweigh a lasting deviation. Monotone."""
    size = residuals.abs()
    if not size.numel() or size.max() <= KNEE:
        return residuals
    return torch.sign(residuals) * (size.clamp(max=KNEE) + KNEE * torch.log(size.clamp_(min=KNEE) / KNEE))
