"""The network of a health model: where it starts, from nothing or from a sister machine's, and its fit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tagsight_models.frame import Floats, Role
from tagsight_models.networks.leave_role_out import LeaveRoleOut
from tagsight_models.networks.ridge import leave_role_out_ridge
from tagsight_models.stacked_training import NetworkFit, fit_stacked
from tagsight_models.training import FitSettings, Fitted, Progress, expectation_loss
from tagsight_models.transfer import Sister, fit_in_steps, matched, started_from

LAGS: Final = (0, 2, 4, 8)
VALIDATION: Final = (3, 7)  # of ten contiguous blocks, those that stop the training
NOTHING_LEARNED: Final = Fitted(0, 0, 0.0, 0.0, 0.0, stopped_by_time=False)
OUTLIER: Final = 6.0  # standardised values beyond this count as this when the linear part is fitted

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Size of the network, budget of its fit, and the sister machine's network that it starts from, if any."""

    lags: tuple[int, ...] = LAGS
    hidden: int = 16
    fit: FitSettings = field(default_factory=FitSettings)
    sister: Sister | None = None


def learned_and_held(count: int) -> tuple[Rows, Rows]:
    """Numbers of the rows to learn from, and of those that stop the training."""
    numbers = np.array_split(np.arange(count), 10)
    held = np.concatenate([numbers[block] for block in VALIDATION])
    return np.setdiff1d(np.arange(count), held), held


def first_network(rows: Floats, roles: tuple[Role, ...], settings: NetworkSettings) -> tuple[LeaveRoleOut, Floats]:
    """A network whose linear part is fitted to these rows, and that part of shape (columns, roles).

    A sister gives what its weights give; the linear part then shrinks to hers, not to 0.

    Raises:
        SisterUnusable: no role of hers matches, or her network has another size.
    """
    bounded, count, sister = np.clip(rows, -OUTLIER, OUTLIER), len(roles), settings.sister
    network = LeaveRoleOut(count, len(settings.lags), hidden_of(settings), settings.fit.seed)
    towards = None
    if sister is not None:
        started = started_from(network, sister, matched(roles, sister), count)
        assert isinstance(started, LeaveRoleOut)
        network = started
        towards = network.linear.double().numpy()
    linear = leave_role_out_ridge(bounded, count, towards)
    network.linear.copy_(torch.as_tensor(linear, dtype=torch.float32))
    return network, linear


def hidden_of(settings: NetworkSettings) -> int:
    """Units of the hidden layer: a sister's, where she has any."""
    network = settings.sister.network if settings.sister is not None else None
    theirs = int(network.bias.shape[1]) if isinstance(network, LeaveRoleOut) else 0
    return theirs or settings.hidden


def spread_of(residuals: Floats) -> Floats:
    """Robust, and never below a thousandth of the role's own spread: a perfect fit must not divide by nothing."""
    spread = 1.4826 * np.median(np.abs(residuals), axis=0)
    overall = np.clip(residuals, -OUTLIER, OUTLIER).std(axis=0)
    return np.maximum(np.where(spread > 0.2 * overall, spread, overall), 1e-3)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A fit that is asked for: the network is fitted in place; from a sister's weights in steps.

    Attributes:
        network: with its linear part.
        spread: shape (roles,), of the residuals of that.
        rows: shape (n, lags * roles), standardised context.
        settings: of the fit.
        progress: of this fit.
    """

    network: LeaveRoleOut
    spread: Floats
    rows: Floats
    settings: NetworkSettings
    progress: Progress

    def pairs(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Context to learn from, and of the blocks that stop the training."""
        learned, held = learned_and_held(len(self.rows))
        of_learned, of_held = (torch.as_tensor(self.rows[chosen], dtype=torch.float32) for chosen in (learned, held))
        return of_learned, of_held


def fit_networks(asked: Sequence[Asked]) -> list[Fitted]:
    """Fit all in place, those of one shape side by side; what became of each, in order."""
    done: dict[int, Fitted] = {}
    stacked: dict[int, NetworkFit] = {}
    for number, one in enumerate(asked):
        spread = torch.as_tensor(one.spread, dtype=torch.float32)
        if not one.settings.fit.epochs:
            done[number] = NOTHING_LEARNED
        elif one.settings.sister is None:
            stacked[number] = NetworkFit(one.network, spread, *one.pairs(), one.settings.fit, one.progress)
        else:
            roles = len(spread)
            learned, held = ((inputs, inputs[:, :roles].contiguous()) for inputs in one.pairs())
            loss = expectation_loss(spread)
            done[number] = fit_in_steps(one.network, loss, learned, held, one.settings.fit, progress=one.progress)
    done |= zip(stacked, fit_stacked(list(stacked.values())), strict=True)
    return [done[number] for number in range(len(asked))]


def held_out_loss(rows: Floats, roles: tuple[Role, ...], settings: NetworkSettings, progress: Progress) -> float:
    """Of a network that learns nothing from the held-out blocks, its linear part included: comparable between settings.

    The mean over roles of the negative logarithm of the likelihood of standardised values, up to a constant.
    """
    learned, _ = learned_and_held(len(rows))
    network, linear = first_network(rows[learned], roles, settings)
    spread = spread_of(rows[learned][:, : len(roles)] - rows[learned] @ linear)
    (fitted,) = fit_networks([Asked(network, spread, rows, settings, progress)])
    return fitted.best_loss + float(np.log(spread).mean())
