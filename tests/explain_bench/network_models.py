"""Scoring models over the product's three networks, 20 roles and 60 steps: the residual of a forecast is the score."""

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from tagsight_models.conditional import covariance_of, filled
from tagsight_models.frame import Flags, Floats, Role
from tagsight_models.networks.registry import network
from tagsight_models.scoring_model import Expectation
from tagsight_models.training import FitSettings, fit, silent

ROLES: Final = 20
STEPS: Final = 60
AHEAD: Final = 10
"""Newest steps whose mean is forecast from the steps before."""
EPOCHS: Final = 4
STRIDE: Final = 4


class Forecast:
    """Score: distance between what the newest steps are and what the network forecasts, in spreads of its error."""

    def __init__(self, name: str, series: Floats, seed: int) -> None:
        self.roles = tuple(Role(f"role{number:02d}") for number in range(series.shape[1]))
        self.window_steps, self.grid_ns = STEPS, 60 * 10**9
        self._centre, self._scale = series.mean(axis=0), series.std(axis=0)
        standard = (series - self._centre) / self._scale
        windows = np.stack([standard[end - STEPS : end] for end in range(STEPS, len(standard) + 1, STRIDE)])
        past = torch.as_tensor(windows[:, :-AHEAD], dtype=torch.float32)
        newest = torch.as_tensor(windows[:, -AHEAD:].mean(axis=1), dtype=torch.float32)
        trained = network(name, STEPS - AHEAD, len(self.roles), len(self.roles), seed)
        cut = int(0.8 * len(past))
        settings = FitSettings(epochs=EPOCHS, seed=seed)
        fit(trained, _loss, (past[:cut], newest[:cut]), (past[cut:], newest[cut:]), settings, progress=silent)
        self.network = trained.double().eval().requires_grad_(requires_grad=False)
        self._covariance = covariance_of(standard)
        error = self._error(torch.as_tensor(windows))
        self._spread = error.std(dim=0)

    @property
    def reference(self) -> Floats:
        """The mean."""
        return np.tile(self._centre, (self.window_steps, 1))

    def given(self, windows: Floats, present: Flags) -> Floats:
        """See `ConditionalModel`."""
        found = filled((windows - self._centre) / self._scale, present, self._covariance)
        return np.where(present[:, None, :], windows, found * self._scale + self._centre)

    @torch.inference_mode()
    def score(self, windows: Floats) -> Floats:
        """Root mean square over the roles, a third of it."""
        standard = torch.as_tensor((windows - self._centre) / self._scale)
        return np.asarray((self._error(standard) / self._spread).square().mean(dim=1).sqrt().numpy() / 3.0)

    def expectation(self, windows: Floats) -> Expectation:
        """Nothing of interest here."""
        last = windows[:, -1]
        return Expectation(last, last, last)

    def module(self) -> nn.Module:
        """Standardised windows -> (n, 1), for explainers by gradients."""
        return _Score(self.network, self._spread)

    def standardised(self, windows: Floats) -> Floats:
        """As the network sees them."""
        return (windows - self._centre) / self._scale

    def _error(self, standard: Tensor) -> Tensor:
        return standard[:, -AHEAD:].mean(dim=1) - self.network(standard[:, :-AHEAD])


class _Score(nn.Module):
    def __init__(self, forecast: nn.Module, spread: Tensor) -> None:
        super().__init__()
        self.forecast, self.spread = forecast, spread

    def forward(self, windows: Tensor) -> Tensor:
        error = windows[:, -AHEAD:].mean(dim=1) - self.forecast(windows[:, :-AHEAD])
        return (error / self.spread).square().mean(dim=1, keepdim=True).clamp(min=1e-12).sqrt() / 3.0


def _loss(trained: nn.Module, past: Tensor, newest: Tensor) -> Tensor:
    return nn.functional.mse_loss(trained(past), newest)


def coupled_series(steps: int, seed: int, roles: int = ROLES) -> Floats:
    """Roles that follow five slow causes, some of them not linearly, with noise of their own."""
    random = np.random.default_rng(seed)
    causes = np.zeros((steps, 5))
    for row in range(1, steps):
        causes[row] = 0.95 * causes[row - 1] + 0.31 * random.normal(size=5)
    mixed = causes @ random.normal(size=(5, roles))
    mixed[:, ::3] = 1.5 * np.tanh(mixed[:, ::3])
    return np.asarray(mixed + 0.3 * random.normal(size=mixed.shape) + random.normal(size=roles) * 10.0)


def faulty_windows(series: Floats, count: int, seed: int) -> Floats:
    """Normal windows in which one to four roles are shifted by 2 to 6 spreads."""
    random = np.random.default_rng(seed)
    spread, found = series.std(axis=0), []
    for _ in range(count):
        end = int(random.integers(STEPS, len(series) + 1))
        window = series[end - STEPS : end].copy()
        columns = random.choice(series.shape[1], size=int(random.integers(1, 5)), replace=False)
        onset = int(random.integers(0, 45))
        window[onset:, columns] += (
            random.choice([-1.0, 1.0], size=len(columns)) * random.uniform(2, 6, len(columns)) * spread[columns]
        )
        found.append(window)
    return np.array(found)
