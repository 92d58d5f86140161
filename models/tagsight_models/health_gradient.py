"""How steeply the score of a health model changes with each value of its window.

The same score as `HealthModel.score`, written for derivatives instead of speed: a test holds the two equal. The
factor of an operating regime is taken as it is at each window; the score is piecewise smooth, and at a kink one of the
two slopes is given.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from tagsight_models.frame import Floats
from tagsight_models.networks.leave_role_out import context
from tagsight_models.residual_statistic import RECENT, SMOOTHING, STACKED
from tagsight_models.statistics.ewma import weights
from tagsight_models.value_statistic import lookbacks, taps_of

if TYPE_CHECKING:
    from tagsight_models.health import HealthModel

AT_ONCE: Final = 64  # windows: a derivative keeps every number on its way
FARTHEST: Final = 1e6
OUTSIDE: Final = 1e4
KNEE: Final = 10.0
NOTHING: Final = 1e-24  # a squared distance below it has no slope


def slopes(model: "HealthModel", windows: Floats) -> tuple[Floats, Floats]:
    """Scores (n,) and their derivatives by each value (n, window_steps, roles), per engineering unit."""
    scores, found = np.empty(len(windows)), np.empty(windows.shape)
    for start in range(0, len(windows), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        with torch.inference_mode(mode=False), torch.enable_grad():
            values = torch.tensor(windows[part], dtype=torch.float64, requires_grad=True)
            score = _score(model, values, _divisors(model, windows[part]))
            (slope,) = torch.autograd.grad(score.sum(), values)
        scores[part], found[part] = score.detach().numpy(), slope.numpy()
    return scores, found


def _divisors(model: "HealthModel", windows: Floats) -> Tensor:
    regimes = model.parameters.regimes
    return torch.as_tensor(np.ones(len(windows)) if regimes is None else regimes.divisors(regimes.states(windows)))


def _score(model: "HealthModel", windows: Tensor, divisors: Tensor) -> Tensor:
    parameters = model.parameters
    standard = (windows - torch.as_tensor(parameters.centre)) / torch.as_tensor(parameters.scale)
    standard = standard.clamp(-FARTHEST, FARTHEST)
    parts = [*_of_values(model, standard), *_of_residuals(model, _residuals(model, standard))]
    distance = torch.stack(parts).amax(dim=0).clamp(min=NOTHING).sqrt() / divisors
    return torch.relu(distance - parameters.normal) / (parameters.limit - parameters.normal)


def _residuals(model: "HealthModel", standard: Tensor) -> Tensor:
    """(batch, steps, roles) -> (batch, steps - longest lag, roles)."""
    parameters = model.parameters
    seen = context(standard, model.lags)
    expected, log_spread = model.network(seen.flatten(0, 1))
    deviation = standard[:, model.lags[-1] :] - expected.view(*seen.shape[:2], -1)
    smallest = torch.tensor([role.smallest_deviation for role in model.roles]) / torch.as_tensor(parameters.scale)
    deviation = torch.sign(deviation) * (deviation.abs() - smallest).clamp(min=0.0)
    scaled = deviation / (torch.as_tensor(parameters.spread) * torch.exp(log_spread)).view_as(deviation)
    return torch.sign(scaled) * _bent(scaled.abs(), KNEE)


def _of_values(model: "HealthModel", standard: Tensor) -> list[Tensor]:
    """Squared distance of the values, each part (batch,)."""
    statistic = model.parameters.values
    newest = standard[:, -max(lookbacks(model.window_steps)) :].clamp(-OUTSIDE, OUTSIDE)
    squared = _bent(_squared(_stacked(newest), statistic.centre, statistic.space), statistic.knee)
    taps = [taps[::-1] / scale**2 for taps, scale in zip(taps_of(model.window_steps), statistic.scales, strict=True)]
    return [squared[:, -len(one) :] @ torch.as_tensor(one.copy()) for one in taps]


def _of_residuals(model: "HealthModel", residuals: Tensor) -> Sequence[Tensor]:
    """Squared distance of what is quick in the residuals, of their recent mean, and of their mean."""
    statistic = model.parameters.statistic
    recent = residuals[:, -min(RECENT, model.taps) :].mean(dim=1)
    level = residuals[:, STACKED - 1 :].mean(dim=1)
    taps = torch.as_tensor(weights(SMOOTHING, model.taps)[::-1].copy())
    return (
        _squared(_stacked(residuals), statistic.centre, statistic.space) @ taps,
        _squared(recent, statistic.recent_centre, statistic.recent_space),
        _squared(level, statistic.level_centre, statistic.level_space),
    )


def _stacked(series: Tensor) -> Tensor:
    steps = series.shape[1]
    return torch.cat([series[:, STACKED - 1 - lag : steps - lag] for lag in range(STACKED)], dim=2)


def _squared(rows: Tensor, centre: Floats, space: Floats) -> Tensor:
    found = (rows - torch.as_tensor(centre)) @ torch.as_tensor(space)
    return (found * found).sum(dim=-1)


def _bent(size: Tensor, knee: float) -> Tensor:
    """Linear up to the knee, logarithmic beyond."""
    return size.clamp(max=knee) + knee * (size.clamp(min=knee) / knee).log()
