"""On-delay and off-delay of an alarm (ISA-18.2 / IEC 62682, 6.3): a pure function of times and scores.

Calibration uses it to find the limit "as it would alarm", rehearsal and the service to announce.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Flags, Floats, Times


@dataclass(frozen=True, slots=True)
class Delays:
    """Both in nanoseconds; 0 means at once."""

    on_ns: int
    off_ns: int


@dataclass(frozen=True, slots=True)
class Activation:
    """One alarm: when the score first exceeded the limit, when the alarm was announced, when it cleared.

    `cleared_ns` is None while it is active at the end of the scores.
    """

    since_ns: int
    announced_ns: int
    cleared_ns: int | None


def activations(times: Times, scores: Floats, limit: float, delays: Delays) -> list[Activation]:
    """Alarms that the scores raise.

    Args:
        times: shape (n,), UTC ns, ascending.
        scores: shape (n,); NaN where not scored: it breaks a pending on-delay (nobody saw the score stay high)
            and leaves an announced alarm as it is.
        limit: a score above it is abnormal.
        delays: the score must stay above (below) the limit from one run to another at least this much later.
    """
    found: list[Activation] = []
    for first, end in _stretches(scores, limit):
        score, since = float(scores[first]), int(times[first])
        active = bool(found) and found[-1].cleared_ns is None
        if score > limit and not active:
            later = _later(times, first, end, since + delays.on_ns)
            if later is not None:
                found.append(Activation(since, later, None))
        elif score <= limit and active:
            later = _later(times, first, end, since + delays.off_ns)
            if later is not None:
                found[-1] = Activation(found[-1].since_ns, found[-1].announced_ns, later)
    return found


def _stretches(scores: Floats, limit: float) -> Iterator[tuple[int, int]]:
    """First and end of each stretch of scores above the limit, not above it, or without a number."""
    kind = (scores > limit).astype(np.int8) - (scores <= limit)
    edges = [0, *(np.flatnonzero(np.diff(kind)) + 1).tolist(), len(scores)] if len(scores) else [0]
    yield from itertools.pairwise(edges)


def _later(times: Times, first: int, end: int, least_ns: int) -> int | None:
    """The first time of a stretch that is no earlier; None where there is none."""
    place = first + int(np.searchsorted(times[first:end], least_ns))
    return int(times[place]) if place < end else None


def exceeded(scores: Floats, limit: float) -> Flags:
    """Where the score is above the limit; NaN is not."""
    return scores > limit
