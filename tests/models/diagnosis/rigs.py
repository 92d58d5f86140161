"""Small machines with known faults, and the labelled frames that they make."""

import numpy as np
from scipy.signal import lfilter

from tagsight_models.frame import Floats, Frame, Role
from tagsight_models.training_data import NORMAL, LabelledPeriod, TrainingData

MINUTE = 60_000_000_000
START = 1_700_000_040_000_000_000
ROLES = 4
FAULTS = ("bearing", "seal")


def running(steps: int, kind: str, seed: int) -> Floats:
    """Four roles that follow one load; a fault adds to one of them, or makes one of them swing."""
    random = np.random.default_rng([seed, len(kind)])
    load = lfilter([0.2], [1.0, -0.8], random.normal(size=steps + 100))[100:]
    values = load[:, None] * np.asarray([1.0, 0.8, -0.6, 0.4]) + 0.2 * random.normal(size=(steps, ROLES))
    if kind == "bearing":
        values[:, 1] += 1.5
    elif kind == "seal":
        values[:, 2] += 1.5 * np.sin(np.arange(steps) / 2.0)
    elif kind == "leak":
        values[:, 0] -= 6.0
        values[:, 3] += 6.0
    return np.asarray(50.0 + 5.0 * values)


def history(kinds: dict[str, int], seed: int = 0) -> TrainingData:
    """One run after the other, each of so many steps and labelled, 20 steps without values between them."""
    parts, periods, start = [], [], 0
    for kind, steps in kinds.items():
        parts += [running(steps, kind, seed), np.full((20, ROLES), np.nan)]
        periods.append(LabelledPeriod(START + MINUTE * start, START + MINUTE * (start + steps), kind))
        start += steps + 20
    return TrainingData(frame_of(np.concatenate(parts)), tuple(periods))


def frame_of(values: Floats) -> Frame:
    """On a grid of one minute; NaN is a gap."""
    return Frame(
        START + MINUTE * np.arange(len(values), dtype=np.int64),
        values,
        np.where(np.isnan(values), 2, 0).astype(np.uint8),
        np.zeros(values.shape, dtype=np.bool_),
        tuple(Role(f"role{number}", unit="bar") for number in range(values.shape[1])),
        MINUTE,
    )


def cut(values: Floats, steps: int) -> Floats:
    """All windows."""
    return np.lib.stride_tricks.sliding_window_view(values, steps, axis=0).transpose(0, 2, 1)


def cycles(combinations: int = 18, each: int = 5, steps: int = 30, seed: int = 0) -> TrainingData:
    """Cycles of two components: a valve with three severities, and a pump that is normal or worn."""
    random = np.random.default_rng(seed)
    parts, periods, start = [], [], 0
    for number in range(combinations * each):
        valve, worn = (number // each) % 3, (number // each // 3) % 2
        course = np.sin(np.arange(steps) / 4.0 - 0.3 * valve)
        values = np.stack([course, 0.5 * course + 0.8 * worn, random.normal(size=steps)], axis=1)
        parts += [values + 0.1 * random.normal(size=values.shape), np.full((5, 3), np.nan)]
        span = START + MINUTE * start, START + MINUTE * (start + steps)
        periods.append(LabelledPeriod(*span, ("100", "90", "80")[valve], "valve"))
        periods.append(LabelledPeriod(*span, "worn" if worn else NORMAL, "pump"))
        start += steps + 5
    return TrainingData(frame_of(np.concatenate(parts)), tuple(periods))
