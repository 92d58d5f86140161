"""What a health model expects of roles that it does not see, from the present ones alone, over a whole window.

One absent role is estimated in one evaluation, since the network never looks at a role to say what to expect of it.
Several look at each other: each in turn gets its expected value, from the median of training on, until all agree. Where
they do not within `SWEEPS`, the present roles tell too little of them, and the estimate is not settled. Estimates stay
within `BOUND` spreads of the median: what is not seen is never taken to be extreme.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from tagsight_models.frame import Flags, Floats
from tagsight_models.health import HealthModel
from tagsight_models.health_stack import FARTHEST
from tagsight_models.networks.leave_role_out import context

BOUND: Final = 6.0
SWEEPS: Final = 12
AGREED: Final = 0.5
"""Residual spreads: estimates that differ by no more from what is expected of them have settled."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """Windows with estimates.

    Attributes:
        windows: shape (n, window_steps, roles), engineering units; absent roles hold their estimates at every step.
        settled: shape (n,), the estimates agree with each other.
    """

    windows: Floats
    settled: Flags


@torch.inference_mode()
def estimated(model: HealthModel, windows: Floats, absent: Flags) -> Estimated:
    """The windows with the absent roles as the present ones suggest.

    Args:
        model: the health model.
        windows: shape (n, window_steps, roles), engineering units; NaN only in absent roles.
        absent: shape (roles,), the same roles in every window.

    The first steps of a window have no past in it: the first step stands for that.
    """
    columns, parameters = np.flatnonzero(absent), model.parameters
    own = (windows - parameters.centre) / parameters.scale
    own[..., columns] = 0.0
    values = torch.from_numpy(np.clip(own, -FARTHEST, FARTHEST))
    moved = np.zeros(len(windows))
    for _ in range(SWEEPS if len(columns) > 1 else 1):
        moved = _sweep(model, values, columns.tolist())
        if moved.max(initial=0.0) < AGREED / 10.0:
            break
    found = windows.copy()
    found[..., columns] = (values.numpy() * parameters.scale + parameters.centre)[..., columns]
    return Estimated(found, moved < AGREED if len(columns) > 1 else np.ones(len(windows), dtype=np.bool_))


@torch.inference_mode()
def expected_everywhere(model: HealthModel, windows: Floats) -> Floats:
    """What is expected of each role at every step of whole windows, (n, window_steps, roles), engineering units.

    Of one role it is the estimate of `estimated` where that role alone is absent.
    """
    parameters = model.parameters
    own = np.clip((windows - parameters.centre) / parameters.scale, -FARTHEST, FARTHEST)
    expected = _expected(model, torch.from_numpy(own)).clamp(-BOUND, BOUND).numpy()
    return np.asarray(expected * parameters.scale + parameters.centre)


def _sweep(model: HealthModel, values: Tensor, columns: list[int]) -> Floats:
    """Give each absent role its expected value, in place; how far the farthest of each window moved, in spreads."""
    moved = np.zeros(len(values))
    for column in columns:
        expected = _expected(model, values)[..., column].clamp(-BOUND, BOUND)
        change = (expected - values[..., column]).abs().amax(dim=1) / model.parameters.spread[column]
        moved = np.maximum(moved, change.numpy())
        values[..., column] = expected
    return moved


def _expected(model: HealthModel, values: Tensor) -> Tensor:
    """Standardised windows -> expected value of each role at each step."""
    padded = torch.cat([values[:, :1].expand(-1, model.lags[-1], -1), values], dim=1)
    expected, _ = model.network(context(padded, model.lags).flatten(0, 1))
    return torch.as_tensor(expected.view_as(values))
