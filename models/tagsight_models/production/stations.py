"""The bottleneck of a line: the station that waits least, and that works on when every other one has had to stop.

The station that limits a line starves what follows and blocks what precedes it, and itself hardly waits (C.-T. Kuo,
J.-T. Lim, S. Meerkov, "Bottlenecks in serial production lines: a system-theoretic approach", 1996, compare waiting;
C. Roser, M. Nakano, M. Tanaka, "A practical bottleneck detection method", 2001, compare how long each works without a
pause: at any moment the bottleneck is the station in the middle of the longest such period). The first station can
only be blocked and the last only starve, so by waiting alone they look busier than they are. Both kinds of evidence
count; how much was chosen on simulated lines.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Flags, Floats

ACTIVE: Final = 0.05
"""Share of a step below which a station that waits counts as working on."""

LONGEST: Final = 0.05
"""What it counts, in shares of waiting, to have been in the longest period of work all the time."""

AT_AN_END: Final = 0.02
"""Share of waiting that a station with one neighbour does not show."""


def waiting(starved: Floats, blocked: Floats) -> Floats:
    """Share of time that each station waits, 0 to 1, of shares of the same shape."""
    return np.asarray(np.clip(starved + blocked, 0.0, 1.0))


def ranked(waits: Floats) -> NDArray[np.intp]:
    """Numbers of the stations, the bottleneck first.

    Args:
        waits: shape (steps, stations) in the order of the flow, the share of each step that each station waits.
    """
    usual = waits.mean(axis=0)
    usual[[0, -1]] += AT_AN_END
    return np.argsort(usual - LONGEST * longest_at_work(waits < ACTIVE), kind="stable")


def longest_at_work(active: Flags) -> Floats:
    """Shape (steps, stations) -> (stations,), the share of steps in which none has worked, or will work, for longer."""
    lengths = _periods(active)
    longest = (lengths == lengths.max(axis=1, keepdims=True)) & active
    return np.asarray((longest / np.maximum(longest.sum(axis=1, keepdims=True), 1)).mean(axis=0))


def _periods(active: Flags) -> NDArray[np.intp]:
    """Length of the period of work that holds each step, 0 where there is none; shape (steps, stations)."""
    steps = np.arange(1, len(active) + 1)[:, None]
    before = np.maximum.accumulate(np.where(active, 0, steps), axis=0)
    after = np.minimum.accumulate(np.where(active, len(active) + 1, steps)[::-1], axis=0)[::-1]
    return np.asarray(np.where(active, after - before - 1, 0), dtype=np.intp)
