"""Fitting a health model to normal rows; limit and band come later, from rows that the fit did not see."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from tagsight_models.bands import covariances_of
from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.frame import LARGEST, Floats, Role
from tagsight_models.health import HealthModel, HealthParameters, standardised
from tagsight_models.health_network import Asked, NetworkSettings, first_network, fit_networks, spread_of
from tagsight_models.networks.leave_role_out import context
from tagsight_models.residual_statistic import STACKED, ResidualStatistic
from tagsight_models.statistics.statistic import present
from tagsight_models.training import Fitted, Progress
from tagsight_models.value_statistic import ValueStatistic

EXCLUDE = "Exclude the period in which the sensor was broken: `train.exclude`, or remove it from `inputs`."
MOST_ROWS = 24_000  # rows that the network learns from; more are thinned evenly


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


def context_rows(values: Floats, roles: tuple[Role, ...], lags: tuple[int, ...]) -> tuple[Floats, Floats, Floats]:
    """Centre and scale of each role, and the standardised context of all steps that have one, thinned where many.

    Raises:
        UnusableInput: a role that cannot be scaled.
        TooLittleData: too few steps.
    """
    centre, scale = robust_scaling(values, roles)
    series = torch.as_tensor(np.clip((values - centre) / scale, -1e6, 1e6))
    seen = context(series[None], lags)[0].numpy()
    rows = seen[np.isfinite(seen).all(axis=1)]
    needed = max(10 * STACKED, 2 * len(roles))
    if len(rows) < needed:
        raise TooLittleData("training a health model", len(rows), needed)
    return centre, scale, rows[:: -(-len(rows) // MOST_ROWS)]


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """A fit of a health model, but for its network.

    Attributes:
        asked: the fit of the network.
        values: shape (steps, roles), NaN rows where nothing counts.
        roles: of the columns.
        centre: of each role.
        scale: of each role.
        covariance: of what is slow and what is quick in normal windows.
        grid_ns: of the steps.
        window_steps: of the model.
    """

    asked: Asked
    values: Floats
    roles: tuple[Role, ...]
    centre: Floats
    scale: Floats
    covariance: Floats
    grid_ns: int
    window_steps: int

    def finished(self, done: Fitted) -> HealthModel:
        """The model, once the network has been fitted. It has no limit yet."""
        count, lags, network = len(self.roles), self.asked.settings.lags, self.asked.network
        if done.best_epoch == 0 and self.asked.settings.sister is None:
            # nothing nonlinear was found: the linear part alone is the same and costs less
            network = network.without_hidden()
        parameters = HealthParameters(
            self.centre,
            self.scale,
            self.asked.spread,
            ValueStatistic.none(count),
            ResidualStatistic.none(count),
            np.full(count, 3.0),
            self.covariance,
        )
        raw = HealthModel(
            self.roles, network, parameters, grid_ns=self.grid_ns, window_steps=self.window_steps, lags=lags
        )
        statistic = ResidualStatistic.fit(raw.residuals(self.values), raw.taps)
        counted = np.array([role.smallest_deviation == 0.0 for role in self.roles])
        plain = ValueStatistic.fit(standardised(self.values, parameters), counted)
        return raw.with_parameters(replace(parameters, values=plain, statistic=statistic))


def begin_health(
    values: Floats,
    roles: tuple[Role, ...],
    settings: NetworkSettings,
    progress: Progress,
    *,
    grid_ns: int,
    window_steps: int,
) -> Begun:
    """Everything up to the fit of the network, which may be done beside those of other models.

    Raises:
        UnusableInput, TooLittleData: a role, or the number of steps.
    """
    lags = settings.lags
    least = lags[-1] + STACKED
    if window_steps < least:
        cause = f"a window of {window_steps} steps is too short: this model looks back {least} steps"
        raise UnusableInput("score.window", cause, mend=f"Set `score.window` to {least} or more; 60 is usual.")
    centre, scale, rows = context_rows(values, roles, lags)
    network, linear = first_network(rows, roles, settings)
    spread = spread_of(rows[:, : len(roles)] - rows @ linear)
    covariance = covariances_of((values - centre) / scale, window_steps)
    asked = Asked(network, spread, rows, settings, progress)
    return Begun(asked, values, roles, centre, scale, covariance, grid_ns, window_steps)


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
    begun = begin_health(values, roles, settings, progress, grid_ns=grid_ns, window_steps=window_steps)
    (done,) = fit_networks([begun.asked])
    return begun.finished(done), done
