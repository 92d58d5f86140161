"""A fault of one sensor told apart from a fault of the process, from one window and nothing else.

A process fault moves several roles, each as the process lets it. A sensor fault is in one role: put what the others
expect of it in its place, and the whole window is normal. So two things are asked of a window above its limit:

1. Is there one role whose estimate brings the score well below the limit, and no other role that does?
2. Does that role behave as a sensor does and a process does not: standing still while the others move, or noisy?

A role that jumps, drifts away or is off over the whole window passes the first question alone. That may be a sensor, or
a fault of the machine that no other input shows, such as a pump that loses its pressure: it is named, and is no proof.
The alarm stays, and says what to check; hiding it would hide the fault. What is measured of all kinds is in the
accuracy suite `sensor-faults`.

Roles that hold their value (states, set points) and roles that the others tell little of are never blamed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.estimates import expected_everywhere
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel

STUCK: Final = "stuck"
NOISE: Final = "noise"
JUMP: Final = "jump"
DRIFT: Final = "drift"
OFFSET: Final = "offset"
PROOF: Final = (STUCK, NOISE)
"""Behaviour that no process shows in one role alone."""

CANDIDATES: Final = 6  # roles with the largest residuals that are tried
CLEARED: Final = 0.8  # score that the estimate of the one role must bring the window to
APART: Final = 1.0  # score that the window must keep with the estimate of any other
UNTOLD: Final = 0.9  # residual spread in role spreads beyond which the others tell too little of a role
STILL: Final = 10  # steps at the end of which all are equal
NOISIER: Final = 2.5  # times the usual differences from step to step
SUDDEN: Final = 0.5  # share of a shift that comes within two steps
BEGUN: Final = 3.0  # residual spreads: what a role may have been off before a jump or a drift
STEADY: Final = 0.6  # share of the residual's variance that a straight line explains in a drift
EDGE: Final = 4  # steps at either end of a window in which no jump is looked for


@dataclass(frozen=True, slots=True)
class SensorFault:
    """What is wrong with one sensor.

    Attributes:
        column: of its role.
        kind: STUCK, NOISE, JUMP, DRIFT or OFFSET.
        window: shape (window_steps, roles), with the estimate in the place of the role.
        score: of that window.
    """

    column: int
    kind: str
    window: Floats
    score: float

    @property
    def proven(self) -> bool:
        """The role behaves as no process does."""
        return self.kind in PROOF


def sensor_faults(model: HealthModel, windows: Floats) -> list[SensorFault | None]:
    """For each window of shape (window_steps, roles) above its limit: the fault of one sensor that explains it, if any.

    A pure function of each window; None where the score is below the limit, too.
    """
    found: list[SensorFault | None] = [None] * len(windows)
    over = np.flatnonzero(model.score(windows) > 1.0)
    if len(over):
        expected = expected_everywhere(model, windows[over])
        for number, own in zip(over, expected, strict=True):
            found[number] = _judged(model, windows[number], own)
    return found


def _judged(model: HealthModel, window: Floats, expected: Floats) -> SensorFault | None:
    residuals = (window - expected) / (model.parameters.scale * model.parameters.spread)
    columns = _candidates(model, residuals)
    if not len(columns):
        return None
    replaced = np.repeat(window[None], len(columns), axis=0)
    for row, column in enumerate(columns):
        replaced[row, :, column] = expected[:, column]
    scores = model.score(replaced)
    best, *others = np.argsort(scores, kind="stable").tolist()
    if scores[best] >= CLEARED or (others and scores[others[0]] <= APART):
        return None
    column = int(columns[best])
    kind = behaviour(window[:, column], residuals[:, column])
    return SensorFault(column, kind, replaced[best], float(scores[best])) if kind else None


def _candidates(model: HealthModel, residuals: Floats) -> Sequence[int]:
    """The roles that may be blamed, those with the largest residuals first."""
    told = model.parameters.spread < UNTOLD
    allowed = told & ~np.array([role.step for role in model.roles])
    size = np.where(allowed, (np.clip(residuals, -1e3, 1e3) ** 2).mean(axis=0), -1.0)
    order = np.argsort(-size, kind="stable")[:CANDIDATES]
    return [int(column) for column in order if size[column] >= 0.0]


def behaviour(values: Floats, residuals: Floats) -> str:
    """How a role whose residuals are beyond the limit behaves over a window; "" where it is none of these.

    Args:
        values: shape (steps,), as told.
        residuals: shape (steps,), in usual residual spreads.
    """
    if len(values) > STILL and np.ptp(values[-STILL:]) == 0.0:
        return STUCK
    half = len(residuals) // 2
    differences, shift = np.diff(residuals), _shift(residuals)
    noise = float(np.median(np.abs(differences[-half:]))) / (0.6745 * np.sqrt(2.0))
    if noise > NOISIER and abs(float(np.median(residuals[-half:]))) < 2.0 * noise:
        return NOISE
    if shift.sudden and shift.before < BEGUN:
        return JUMP
    if _drifts(residuals):
        return DRIFT
    level = abs(float(np.median(residuals)))
    return OFFSET if level > BEGUN and float(residuals.std()) < 0.5 * level else ""


@dataclass(frozen=True, slots=True)
class _Shift:
    before: float
    sudden: bool


def _shift(residuals: Floats) -> _Shift:
    """The best split of the window into a level before and one after."""
    splits = np.arange(EDGE, len(residuals) - EDGE + 1)
    sums = np.cumsum(residuals)
    before = sums[splits - 1] / splits
    after = (sums[-1] - sums[splits - 1]) / (len(residuals) - splits)
    between = splits * (len(residuals) - splits) * (after - before) ** 2
    best = int(between.argmax())
    split, height = int(splits[best]), float(after[best] - before[best])
    near = residuals[max(split - 2, 0) : split + 2]
    step = float(np.sign(height) * (near[2:].mean() - near[:2].mean())) if len(near) == 4 else 0.0
    quick = float(np.sign(height) * (residuals[split] - residuals[split - 1]))
    usual = float(np.median(np.abs(residuals[:split] - np.median(residuals[:split]))))
    return _Shift(abs(float(before[best])) - usual, max(step, quick) > SUDDEN * abs(height) and abs(height) > BEGUN)


def _drifts(residuals: Floats) -> bool:
    """It begins near nothing and moves one way, as a straight line explains."""
    time = np.linspace(-1.0, 1.0, len(residuals))
    moved = residuals - residuals.mean()
    slope = float(moved @ time / (time @ time))
    explained = slope**2 * float(time @ time) / max(float(moved @ moved), 1e-12)
    begun = abs(float(np.median(residuals[: 2 * EDGE])))
    return explained > STEADY and begun < BEGUN
