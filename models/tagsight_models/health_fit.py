"""Fitting a health model to normal rows; limit and band come later, from rows that the fit did not see."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.frame import Floats, Role
from tagsight_models.health import HealthModel, HealthParameters
from tagsight_models.networks.leave_role_out import LeaveRoleOut, context
from tagsight_models.networks.ridge import leave_role_out_ridge
from tagsight_models.residual_statistic import STACKED, ResidualStatistic
from tagsight_models.statistics.statistic import present
from tagsight_models.training import FitSettings, Fitted, Progress, expectation_loss, fit

LAGS = (0, 2, 4, 8)
LARGEST = 1e100  # far beyond any unit, and its square and the sum of many squares are still numbers
EXCLUDE = "Exclude the period in which the sensor was broken: `train.exclude`, or remove it from `inputs`."
MOST_ROWS = 24_000  # rows that the network learns from; more are thinned evenly
VALIDATION = (3, 7)  # of ten contiguous blocks, those that stop the training
OUTLIER = 6.0  # standardised values beyond this count as this when the linear part is fitted
NOTHING_LEARNED = Fitted(0, 0, 0.0, 0.0, 0.0, stopped_by_time=False)


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Size of the network and budget of its fit."""

    lags: tuple[int, ...] = LAGS
    hidden: int = 16
    fit: FitSettings = field(default_factory=FitSettings)


def robust_scaling(values: Floats, roles: tuple[Role, ...]) -> tuple[Floats, Floats]:
    """Median and spread of each role: 1.4826 MAD, or the standard deviation where half the values are equal.

    Raises:
        UnusableInput: a role that does not vary, or whose values no sensor tells.
    """
    rows = values[present(values)]
    for role, largest in zip(roles, np.abs(rows).max(axis=0, initial=0.0), strict=True):
        if largest > LARGEST:
            raise UnusableInput(role.name, f"it has values up to {largest:.0e}, which no sensor tells", mend=EXCLUDE)
    centre = np.median(rows, axis=0)
    usual = 1.4826 * np.median(np.abs(rows - centre), axis=0)
    overall = rows.std(axis=0)
    for role, lowest, highest in zip(roles, rows.min(axis=0), rows.max(axis=0), strict=True):
        if lowest == highest:
            raise UnusableInput(role.name, f"it is constant ({lowest:g}) in all usable training data")
    return centre, np.where(usual > 0.2 * overall, usual, overall)


def fit_health(
    values: Floats,
    roles: tuple[Role, ...],
    settings: NetworkSettings,
    progress: Progress,
    *,
    grid_ns: int,
    window_steps: int,
) -> tuple[HealthModel, Fitted]:
    """Fit to a series of shape (steps, roles) with NaN rows where nothing counts. The model has no limit yet."""
    lags = settings.lags
    least = lags[-1] + STACKED
    if window_steps < least:
        cause = f"a window of {window_steps} steps is too short: this model looks back {least} steps"
        raise UnusableInput("score.window", cause, mend=f"Set `score.window` to {least} or more; 60 is usual.")
    centre, scale = robust_scaling(values, roles)
    series = torch.as_tensor(np.clip((values - centre) / scale, -1e6, 1e6))
    seen = context(series[None], lags)[0].numpy()
    rows = seen[np.isfinite(seen).all(axis=1)]
    needed = max(10 * STACKED, 2 * len(roles))
    if len(rows) < needed:
        raise TooLittleData("training a health model", len(rows), needed)
    rows = rows[:: -(-len(rows) // MOST_ROWS)]
    bounded = np.clip(rows, -OUTLIER, OUTLIER)
    linear = leave_role_out_ridge(bounded, len(roles))
    spread = _spread(rows[:, : len(roles)] - rows @ linear)
    network = LeaveRoleOut(len(roles), len(lags), settings.hidden, settings.fit.seed)
    network.linear.copy_(torch.as_tensor(linear, dtype=torch.float32))
    done = _train(network, spread, rows, settings.fit, progress) if settings.fit.epochs else NOTHING_LEARNED
    if done.best_epoch == 0:  # nothing nonlinear was found: the linear part alone is the same and costs less
        network = network.without_hidden()
    none = ResidualStatistic.none(len(roles))
    parameters = HealthParameters(centre, scale, spread, none, np.full(len(roles), 3.0))
    raw = HealthModel(roles, network, parameters, grid_ns=grid_ns, window_steps=window_steps, lags=lags)
    statistic = ResidualStatistic.fit(raw.residuals(values), raw.taps)
    return raw.with_parameters(replace(parameters, statistic=statistic)), done


def _spread(residuals: Floats) -> Floats:
    """Robust, and never below a thousandth of the role's own spread: a perfect fit must not divide by nothing."""
    spread = 1.4826 * np.median(np.abs(residuals), axis=0)
    overall = np.clip(residuals, -OUTLIER, OUTLIER).std(axis=0)
    return np.maximum(np.where(spread > 0.2 * overall, spread, overall), 1e-3)


def _train(network: LeaveRoleOut, spread: Floats, rows: Floats, settings: FitSettings, progress: Progress) -> Fitted:
    numbers = np.array_split(np.arange(len(rows)), 10)
    held = np.concatenate([numbers[block] for block in VALIDATION])
    learn = np.setdiff1d(np.arange(len(rows)), held)
    roles = len(spread)

    def pair(chosen: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        inputs = torch.as_tensor(rows[chosen], dtype=torch.float32)
        return inputs, inputs[:, :roles].contiguous()

    loss = expectation_loss(torch.as_tensor(spread, dtype=torch.float32))
    return fit(network, loss, pair(learn), pair(held), settings, progress=progress)
