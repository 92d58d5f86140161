"""Small plants with known relations, and the frames that they make."""

import numpy as np
from scipy.signal import lfilter

from tagsight_models.frame import Floats, Frame, Role

MINUTE = 60_000_000_000
START = 1_700_000_040_000_000_000


def linear_plant(steps: int, seed: int = 0, roles: int = 6) -> Floats:
    """Roles that follow two slow drivers, with noise."""
    mixing = np.random.default_rng(99).normal(size=(2, roles))
    random = np.random.default_rng(seed)
    drivers = 3.0 * lfilter([0.05], [1.0, -0.95], random.normal(size=(steps + 200, 2)), axis=0)[200:]
    return np.asarray(50.0 + 10.0 * (drivers @ mixing) + 2.0 * random.normal(size=(steps, roles)))


def two_point_plant(steps: int, seed: int = 0) -> Floats:
    """A machine at two loads; flow, pressure, power, speed and temperature follow the load, none linearly."""
    random = np.random.default_rng(seed)
    load = np.where((np.arange(steps) // 300) % 2, 0.9, 0.35) + 0.03 * random.normal(size=steps)
    load = lfilter([0.1], [1.0, -0.9], load - 0.35) + 0.35
    columns = [load, load**2, load**3, np.sqrt(load), 1.0 / load, np.sin(3.0 * load)]
    clean = np.stack(columns, axis=1)
    return np.asarray(clean + 0.02 * random.normal(size=clean.shape))


def frame_of(values: Floats, smallest: float = 0.0) -> Frame:
    """A frame on a grid of one minute, every sample used."""
    steps, roles = values.shape
    return Frame(
        START + MINUTE * np.arange(steps, dtype=np.int64),
        values,
        np.zeros((steps, roles), dtype=np.uint8),
        np.zeros((steps, roles), dtype=np.bool_),
        tuple(Role(f"role{number}", unit="bar", smallest_deviation=smallest) for number in range(roles)),
        MINUTE,
    )


def windows_of(values: Floats, steps: int = 60) -> Floats:
    """All windows of a series, shape (n, steps, roles)."""
    return np.lib.stride_tricks.sliding_window_view(values, steps, axis=0).transpose(0, 2, 1)
