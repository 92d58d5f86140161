"""Simulated machines that wear out: two hidden wears that grow ever faster, four sensors, two operating points."""

import numpy as np

from tagsight_models.frame import Floats, Frame, Role
from tagsight_models.prognosis.model import HOUR_NS
from tagsight_models.training_data import Life, TrainingData

ROLES = ("temperature", "pressure", "flow", "vibration", "load")
EFFECT = np.array([[3.0, 0.0], [0.0, -2.0], [-1.0, -1.0], [2.0, 1.0]])
POINTS = np.array([[500.0, 20.0, 90.0, 2.0], [700.0, 45.0, 150.0, 6.0]])


def life_of(rng: np.random.Generator, *, points: int = 2, steps: int | None = None) -> Floats:
    """Values (steps, roles) of one machine up to its failure."""
    steps = int(rng.integers(70, 130)) if steps is None else steps
    share = np.arange(1, steps + 1) / steps
    wear = np.stack([share**3, share**2], axis=1) * rng.uniform(0.9, 1.1)
    point = rng.integers(0, points, steps)
    sensors = POINTS[point] + (1.0 + point[:, None]) * (wear @ EFFECT.T + 0.15 * rng.normal(size=(steps, 4)))
    return np.column_stack([sensors, 50.0 + 30.0 * point + 0.01 * rng.normal(size=steps)])


def frame_of(lives: list[Floats]) -> tuple[Frame, tuple[Life, ...]]:
    """One after the other, an empty step between two, hourly."""
    parts, told, start = [], [], 0
    for values in lives:
        parts += [values, np.full((1, values.shape[1]), np.nan)]
        told.append(Life(start * HOUR_NS, (start + len(values) - 1) * HOUR_NS))
        start += len(values) + 1
    values = np.concatenate(parts)
    reasons = np.where(np.isnan(values), 3, 0).astype(np.uint8)
    roles = tuple(Role(name) for name in ROLES[: values.shape[1]])
    times = np.arange(len(values), dtype=np.int64) * HOUR_NS
    return Frame(times, values, reasons, np.zeros(values.shape, dtype=np.bool_), roles, HOUR_NS), tuple(told)


def fleet(count: int, seed: int, *, points: int = 2) -> TrainingData:
    """Runs to failure of `count` machines."""
    rng = np.random.default_rng(seed)
    frame, lives = frame_of([life_of(rng, points=points) for _ in range(count)])
    return TrainingData(frame, lives=lives)
