"""Champion and challenger: two versions of a model on the same live windows, and which of them does better.

A later version is no better for being later. Counted are the alarms that each would have raised, after delays, and how
many of the alarms that operators called true each of them shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.delays import Activation, Delays, activations
from tagsight_models.frame import Floats, Times

LIMIT: Final = 1.0
DAY: Final = 86_400_000_000_000
ENOUGH_DAYS: Final = 7.0
ENOUGH_SCORES: Final = 200


@dataclass(frozen=True, slots=True)
class Rivalry:
    """Scores of two versions at the same due times.

    Attributes:
        times: shape (n,), UTC ns, ascending.
        champion: shape (n,), scores of the version that runs; NaN where it has none.
        challenger: shape (n,), of the one in its shadow.
    """

    times: Times
    champion: Floats
    challenger: Floats


@dataclass(frozen=True, slots=True)
class Contest:
    """How it went.

    Attributes:
        days: of which both have scores.
        scores: how many due times that are.
        champion: activations of the version that runs.
        challenger: activations of the other one.
        true_found: of the alarms called true, how many the champion and the challenger raised.
        true_alarms: alarms called true.
        holds: the challenger may take over: long enough, no more alarms, no true one less.
        verdict: for people.
    """

    days: float
    scores: int
    champion: int
    challenger: int
    true_found: tuple[int, int]
    true_alarms: int
    holds: bool
    verdict: str


def contest(rivals: Rivalry, delays: Delays, true_alarms: Sequence[tuple[int, int]]) -> Contest:
    """Compare; `true_alarms` are the half-open periods, UTC ns, of alarms that operators called true."""
    both = np.isfinite(rivals.champion) & np.isfinite(rivals.challenger)
    times = rivals.times[both]
    days = float(times[-1] - times[0]) / DAY if len(times) else 0.0
    raised = [activations(times, one[both], LIMIT, delays) for one in (rivals.champion, rivals.challenger)]
    seen = [one for one in true_alarms if len(times) and times[0] <= one[0] <= times[-1]]
    found = tuple(sum(_overlaps(one, alarms) for one in seen) for alarms in raised)
    champion, challenger = (len(one) for one in raised)
    holds, verdict = _judged(days, len(times), (champion, challenger), (found[0], found[1]), len(seen))
    return Contest(days, len(times), champion, challenger, (found[0], found[1]), len(seen), holds, verdict)


def _judged(
    days: float, scores: int, raised: tuple[int, int], found: tuple[int, int], true_alarms: int
) -> tuple[bool, str]:
    if days < ENOUGH_DAYS or scores < ENOUGH_SCORES:
        return False, f"too early: {days:.1f} days and {scores} scores, {ENOUGH_DAYS:g} and {ENOUGH_SCORES} are needed"
    if found[1] < found[0]:
        return False, f"the challenger misses {found[0] - found[1]} of {true_alarms} alarms that were called true"
    if raised[1] > raised[0] and found[1] <= found[0]:
        return False, f"the challenger raises {raised[1]} alarms where {raised[0]} were raised, and finds no more"
    return True, f"the challenger holds: {raised[1]} alarms against {raised[0]}, {found[1]} of {true_alarms} true ones"


def _overlaps(period: tuple[int, int], alarms: Sequence[Activation]) -> bool:
    return any(one.since_ns < period[1] and (one.cleared_ns is None or one.cleared_ns > period[0]) for one in alarms)
