"""Runs to failure as rows: which rows of the frame belong to which life, and how long each had still to go."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from tagsight_models.errors import TooFewLives, UnusableLife
from tagsight_models.frame import Flags, Floats, Frame, Times
from tagsight_models.prognosis.settings import least_cases
from tagsight_models.reasons import Reason
from tagsight_models.training_data import Life
from tagsight_models.windows import HOLE_STEPS

LEAST_LIVES: Final = 10
LEAST_STEPS: Final = 20


def lives_needed(interval: float) -> int:
    """Failed lives without which an interval of this share cannot be supported by any data."""
    return max(LEAST_LIVES, least_cases(interval))


@dataclass(frozen=True, slots=True, eq=False)
class LifeRows:
    """Rows of all lives, one life after the other.

    Attributes:
        values: shape (rows, roles); short holes bridged by the last value, NaN where longer ones are.
        life: shape (rows,), number of the life.
        age: shape (rows,), rows of the life up to and with this one.
        remaining: shape (rows,), steps until its end; of a life that did not fail, until nobody looked any more.
        failed: shape (lives,).
    """

    values: Floats
    life: Times
    age: Times
    remaining: Floats
    failed: Flags

    def whole(self, steps: int) -> Flags:
        """Shape (rows,): every row of the window that ends here, within its life, has values."""
        bad = np.cumsum(np.isnan(self.values).any(axis=1))
        index = np.arange(len(self.life))
        before = index - np.minimum(self.age, steps)
        return np.asarray(bad == np.where(before >= 0, bad[before], 0))


def life_rows(frame: Frame, lives: tuple[Life, ...], interval: float) -> LifeRows:
    """The rows of the lives.

    Raises:
        UnusableLife: a life outside the data, empty, overlapping another, or too short.
        TooFewLives: not enough of them failed.
    """
    needed, failed = lives_needed(interval), sum(life.failed for life in lives)
    if failed < needed:
        raise TooFewLives(failed, needed)
    ordered = sorted(lives, key=lambda life: life.start_ns)
    parts = [_rows(frame, number, life) for number, life in enumerate(ordered)]
    for number, (one, other) in enumerate(pairwise(parts)):
        if one[-1] >= other[0]:
            raise UnusableLife(number + 2, "it begins before the one before it has ended")
    rows = np.concatenate(parts)
    life = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    ends = np.array([one.end_ns for one in ordered])[life]
    return LifeRows(
        np.concatenate([_bridged(frame, part) for part in parts]),
        life,
        np.concatenate([np.arange(1, len(part) + 1) for part in parts]),
        (ends - frame.times[rows]) / frame.grid_ns,
        np.array([one.failed for one in ordered]),
    )


def _rows(frame: Frame, number: int, life: Life) -> Times:
    """Rows of the frame from its start to its end, both included."""
    if life.end_ns <= life.start_ns:
        raise UnusableLife(number + 1, "it ends before it begins")
    start = int(np.searchsorted(frame.times, life.start_ns))
    stop = int(np.searchsorted(frame.times, life.end_ns, side="right"))
    missing = life.end_ns - frame.grid_ns >= frame.times[-1] if len(frame.times) else True
    if missing or start == stop or life.start_ns < frame.times[0] - frame.grid_ns:
        raise UnusableLife(number + 1, "it lies outside the data")
    usable = int(frame.usable[start:stop].sum())
    if usable < LEAST_STEPS:
        raise UnusableLife(number + 1, f"it has {usable} usable steps, at least {LEAST_STEPS} are needed")
    return np.arange(start, stop, dtype=np.int64)


def _bridged(frame: Frame, rows: Times) -> Floats:
    """Holes of at most `HOLE_STEPS` filled with the last value; NaN where longer."""
    used = frame.reasons[rows] == Reason.USED
    index = np.arange(len(rows))[:, None]
    last = np.maximum.accumulate(np.where(used, index, -1), axis=0)
    short = (last >= 0) & (index - last <= HOLE_STEPS)
    held = np.take_along_axis(frame.values[rows], np.maximum(last, 0), axis=0)
    return np.where(short, held, np.nan)
