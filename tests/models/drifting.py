"""For tests of drift: roles that follow one driver, and a model that expects of each the mean of the others."""

from typing import Any

import numpy as np
from scipy.signal import lfilter

from tagsight_models.drift import Drift, DriftReference, Recent, drift, residuals_of
from tagsight_models.drift_reference import drift_reference
from tagsight_models.frame import Floats, Role
from tagsight_models.scoring_model import Expectation

MINUTE = 60_000_000_000
DAY = 1440  # steps
BAND = 1.0


class MeanOfOthers:
    """What is expected of a role is the mean of the other ones; with `blind` only what is usual."""

    kind = "health"
    grid_ns = MINUTE

    def __init__(self, roles: int, window_steps: int = 20, *, blind: bool = False) -> None:
        self.roles = tuple(Role(f"role{number}") for number in range(roles))
        self.window_steps, self.blind = window_steps, blind

    def expectation(self, windows: Floats) -> Expectation:
        """Of the last step of each window."""
        last = windows[:, -1]
        expected = (last.sum(axis=1, keepdims=True) - last) / (last.shape[1] - 1)
        expected = np.full_like(last, 50.0) if self.blind else expected
        return Expectation(expected, expected - BAND, expected + BAND)


def machine(steps: int, seed: int = 0, roles: int = 4, memory: float = 0.99) -> Floats:
    """Stationary; the driver forgets within some `1 / (1 - memory)` steps."""
    random = np.random.default_rng(seed)
    gain = np.sqrt(1.0 - memory**2)
    driver = lfilter([gain], [1.0, -memory], random.normal(size=steps + 5000))[5000:]
    return np.asarray(50.0 + 2.0 * driver[:, None] + 0.5 * random.normal(size=(steps, roles)))


def reference_of(model: Any, values: Floats) -> DriftReference:
    """From training rows."""
    return drift_reference(model, values, MINUTE)


def recent_of(model: Any, values: Floats) -> Recent:
    """As the runs of a service tell it: every step scored."""
    ends = np.arange(model.window_steps - 1, len(values))
    cut = np.lib.stride_tricks.sliding_window_view(values, model.window_steps, axis=0).transpose(0, 2, 1)
    told = model.expectation(cut)
    return Recent(values[ends], residuals_of(values[ends], told.expected, (told.upper - told.lower) / 2.0))


def seen(model: Any, reference: DriftReference, values: Floats) -> Drift:
    """The drift of recent rows."""
    return drift(reference, recent_of(model, values))
