"""Scoring of health models of one shape side by side: the same template on many assets, or one model alone.

Windows of the same number for each model come as (models, n, window_steps, roles). Inside, time is the last axis, so
that each step of the work is one product for all roles of all models and windows together. A model's numbers do not
depend on the models beside it, but for rounding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

from tagsight_models.frame import Floats
from tagsight_models.networks.stacked import StackedNetworks, contexts
from tagsight_models.residual_statistic import RECENT, SMOOTHING, STACKED
from tagsight_models.scoring_model import Expectation
from tagsight_models.statistics.ewma import weights
from tagsight_models.value_statistic import lookbacks, taps_of

if TYPE_CHECKING:
    from tagsight_models.health import HealthModel

FARTHEST: Final = 1e6  # standardised values are kept within this
KNEE: Final = 10.0  # residuals beyond this many spreads grow with their logarithm only
OUTSIDE: Final = 1e4  # spreads beyond which a value is as far away as can be
CHUNK: Final = 400_000  # numbers in the hidden layer at a time: fits a processor's cache


@dataclass(frozen=True, slots=True, eq=False)
class _Form:
    """|(rows - centre) space|^2 with rows as columns: centre (models, columns, 1), space (models, k, columns)."""

    centre: Tensor
    space: Tensor

    @classmethod
    def of(cls, parts: Sequence[tuple[Floats, Floats]]) -> "_Form":
        """Directions that a model does not have are 0."""
        most = max(space.shape[1] for _, space in parts)
        spaces = [np.pad(space, ((0, 0), (0, most - space.shape[1]))).T for _, space in parts]
        centres = np.stack([centre for centre, _ in parts])[..., None]
        return cls(torch.as_tensor(centres), torch.as_tensor(np.stack(spaces)))

    def __call__(self, rows: Tensor) -> Tensor:
        """(models, columns, n), which is changed -> (models, n)."""
        found = self.space @ rows.sub_(self.centre)
        return found.square_().sum(dim=1)


Shape: TypeAlias = tuple[int, int, tuple[int, ...], int]


def shape_of(model: "HealthModel") -> Shape:
    """Models of one shape can be stacked: number of roles, steps of a window, lags, size of the hidden layer."""
    return len(model.roles), model.window_steps, model.lags, int(model.network.bias.shape[1])


def at_most_together(shape: Shape) -> int:
    """Models of a shape whose windows keep a processor busy: more at a time would leave its cache."""
    roles, window_steps, _, hidden = shape
    return max(1, CHUNK // (roles * max(8, hidden) * window_steps))


class HealthStack:
    """Health models of one shape, evaluated together.

    Args:
        models: one or more, of one shape.
    """

    def __init__(self, models: Sequence["HealthModel"]) -> None:
        first, parameters = models[0], [one.parameters for one in models]
        self.lags, self.window_steps, self.roles = first.lags, first.window_steps, len(first.roles)
        self.hidden = int(first.network.bias.shape[1])
        self.taps = first.taps
        self._networks = StackedNetworks.of([one.network for one in models])
        self._centre, self._scale, self._spread = (
            torch.as_tensor(np.stack([getattr(one, name) for one in parameters])[:, :, None, None])
            for name in ("centre", "scale", "spread")
        )
        self._statistic = [one.statistic for one in parameters]
        self._quick = _Form.of([(one.centre, one.space) for one in self._statistic])
        self._recent = _Form.of([(one.recent_centre, one.recent_space) for one in self._statistic])
        self._level = _Form.of([(one.level_centre, one.level_space) for one in self._statistic])
        self._plain = _Form.of([(one.values.centre, one.values.space) for one in parameters])
        self._plain_knee = torch.as_tensor(np.array([one.values.knee for one in parameters]))[:, None]
        scales = np.stack([one.values.scales for one in parameters])
        self._plain_taps = [
            torch.as_tensor(taps[::-1] / scale[:, None] ** 2)[..., None]
            for taps, scale in zip(taps_of(self.window_steps), scales.T, strict=True)
        ]
        smallest = np.array([[role.smallest_deviation for role in one.roles] for one in models])
        self._smallest = torch.as_tensor(smallest)[:, :, None, None] / self._scale
        self._dead_zone = bool((smallest > 0.0).any())
        self._quick_taps = torch.as_tensor(weights(SMOOTHING, self.taps)[::-1].copy())
        self._band = np.stack([one.band for one in parameters])[:, None]
        self._least = smallest[:, None]

    @property
    def models(self) -> int:
        """How many."""
        return len(self._centre)

    @torch.inference_mode()
    def distance(self, windows: Floats) -> Floats:
        """Distances of windows (models, n, window_steps, roles), shape (models, n); regimes play no part."""
        found = np.empty(windows.shape[:2])
        at_once = max(1, self.steps_at_once // self.window_steps)
        room = self._room(min(at_once, windows.shape[1]))
        for start in range(0, windows.shape[1], at_once):
            part = slice(start, start + at_once)
            values = self._standardised(windows[:, part])
            found[:, part] = torch.sqrt(self._squared(values, room)).numpy()
        return found

    @torch.inference_mode()
    def expectation(self, windows: Floats) -> Expectation:
        """Expected value and band at the last step of windows (models, n, window_steps, roles): (models, n, roles)."""
        values = self._standardised(windows[:, :, self.window_steps - self.lags[-1] - 1 :])
        expected, log_spread = self._networks(contexts(values, self.lags))
        expected, log_spread = expected.transpose(1, 2), log_spread.transpose(1, 2)
        centre, scale, spread = (each[:, None, :, 0, 0] for each in (self._centre, self._scale, self._spread))
        middle = (expected * scale + centre).numpy()
        half = self._band * (spread * torch.exp(log_spread) * scale).numpy()
        half = np.maximum(half, self._least)
        return Expectation(middle, middle - half, middle + half)

    @torch.inference_mode()
    def residuals(self, series: Floats) -> Floats:
        """Residuals of series without NaN, (models, steps, roles), from the first step with a whole context on."""
        longest = self.lags[-1]
        found = np.empty((len(series), max(series.shape[1] - longest, 0), self.roles))
        for start in range(longest, series.shape[1], self.steps_at_once):
            stop = min(start + self.steps_at_once, series.shape[1])
            values = self._standardised(series[:, None, start - longest : stop])
            found[:, start - longest : stop - longest] = self._residuals(values)[:, :, 0].transpose(1, 2).numpy()
        return found

    @property
    def steps_at_once(self) -> int:
        """Of each model."""
        return max(64, CHUNK // (self.models * self.roles * max(8, self.hidden)))

    def _room(self, windows: int) -> Tensor:
        steps = windows * (self.window_steps - self.lags[-1])
        return torch.empty((self.models, self.roles, self.hidden, steps), dtype=torch.float64)

    def _standardised(self, windows: Floats) -> Tensor:
        """(models, n, steps, roles) in engineering units -> (models, roles, n, steps)."""
        own = torch.from_numpy(np.array(np.moveaxis(windows, 3, 1), dtype=np.float64, order="C"))
        return own.sub_(self._centre).div_(self._scale).clamp_(-FARTHEST, FARTHEST)

    def _residuals(self, values: Tensor, room: Tensor | None = None) -> Tensor:
        """(models, roles, n, steps) -> (models, roles, n, steps - longest lag)."""
        seen = contexts(values, self.lags)
        if room is not None and room.shape[3] != seen.shape[3]:
            room = None
        expected, log_spread = self._networks(seen, room)
        actual = values[..., self.lags[-1] :]
        deviation = actual - expected.view(actual.shape)
        if self._dead_zone:
            deviation = torch.sign(deviation) * (deviation.abs() - self._smallest).clamp_(min=0.0)
        return compressed(deviation.div_(self._spread).div_(torch.exp(log_spread).view(actual.shape)))

    def _squared(self, values: Tensor, room: Tensor) -> Tensor:
        """Squared distance of windows (models, roles, n, steps): (models, n)."""
        residuals = self._residuals(values, room)
        quick = self._quick(_stacks(residuals)).view(*residuals.shape[::2], -1) @ self._quick_taps
        recent = self._recent(residuals[..., -min(RECENT, self.taps) :].mean(dim=3))
        level = self._level(residuals[..., STACKED - 1 :].mean(dim=3))
        return torch.stack([*self._values_squared(values), quick, recent, level]).amax(dim=0)

    def _values_squared(self, values: Tensor) -> Iterator[Tensor]:
        """Each part of the values, (models, n)."""
        newest = values[..., -max(lookbacks(self.window_steps)) :].clamp(-OUTSIDE, OUTSIDE)
        squared, knee = self._plain(_stacks(newest)), self._plain_knee
        if bool((squared > knee).any()):
            squared = torch.minimum(squared, knee) + knee * (torch.maximum(squared, knee) / knee).log()
        by_window = squared.view(*newest.shape[::2], -1)
        for taps in self._plain_taps:
            yield (by_window[..., -taps.shape[1] :] @ taps)[..., 0]


def compressed(residuals: Tensor) -> Tensor:
    """Linear up to `KNEE`, logarithmic beyond: one wild step must not outweigh a lasting deviation. Monotone."""
    if not residuals.numel():
        return residuals
    size = residuals.abs()
    if size.max() <= KNEE:
        return residuals
    return torch.sign(residuals) * (size.clamp(max=KNEE) + KNEE * torch.log(size.clamp_(min=KNEE) / KNEE))


def _stacks(series: Tensor) -> Tensor:
    """(models, roles, n, steps) -> (models, 3 * roles, n * (steps - 2)): three steps side by side, newest first."""
    steps = series.shape[3]
    return torch.cat([series[..., STACKED - 1 - lag : steps - lag] for lag in range(STACKED)], dim=1).flatten(2)
