"""What false alarms and missed faults cost chooses among the limits inside the false-alarm budget.

The limit of the budget is the lowest that may be chosen: it finds most, and raises as many false alarms as are allowed.
Higher ones raise fewer, and miss more. For each limit the cost of a month is expected:

    cost = false x false alarms a month at this limit + missed x faults a month x share of faults missed at it

False alarms come from the same tail of held-out normal time that the limit of the budget comes from: a candidate is the
limit of a part of the budget. The share of missed faults comes from injected faults, and from known ones where there
are any: the injected count as much as `INJECTED` known ones, whatever their number. The cheapest limit is taken, of
equally cheap ones the lowest.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from tagsight_models.calibration import DAY, Alarming, Limit, calibrate
from tagsight_models.delays import activations
from tagsight_models.frame import Floats, Times

MONTH: Final = 30 * DAY
PARTS: Final = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05, 0.02, 0.01)
"""Of the budget: beyond a hundredth the tail is a guess."""

INJECTED: Final = 10.0


@dataclass(frozen=True, slots=True)
class Cost:
    """In any currency.

    Attributes:
        false: of one false alarm.
        missed: of one fault that is not found.
        faults: a month.
    """

    false: float
    missed: float
    faults: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One limit.

    Attributes:
        limit: distance.
        false: alarms expected in a month of normal time.
        missed: share of faults.
        cost: expected, a month.
    """

    limit: float
    false: float
    missed: float
    cost: float


@dataclass(frozen=True, slots=True)
class Priced:
    """The limit that costs least.

    Attributes:
        limit: chosen.
        chosen: its number.
        candidates: ascending; the first is the limit of the budget.
        known: faults of the past that counted.
    """

    limit: Limit
    chosen: int
    candidates: tuple[Candidate, ...]
    known: int

    def to_json(self) -> dict[str, Any]:
        """For a card."""
        return {
            "chosen": self.chosen,
            "candidates": [asdict(one) for one in self.candidates],
            "known_faults": self.known,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """The highest level that an alarm would have stood on in each fault: a limit below it finds the fault.

    Attributes:
        injected: shape (n,), n > 0.
        known: shape (m,), of faults of the past.
    """

    injected: Floats
    known: Floats

    def missed(self, limit: float) -> float:
        """Share of faults that a limit misses."""
        weight = INJECTED + len(self.known)
        return float(INJECTED * (self.injected <= limit).mean() + (self.known <= limit).sum()) / weight


def priced(limit: Limit, times: Times, distances: Floats, alarming: Alarming, *, peaks: Peaks, cost: Cost) -> Priced:
    """The cheapest limit.

    Args:
        limit: of the budget.
        times: of the normal time that it comes from, (n,), UTC ns.
        distances: there, NaN where not scored.
        alarming: delays and budget.
        peaks: of faults.
        cost: what false alarms and missed faults cost.
    """
    candidates = [
        Candidate(value, false, missed, cost.false * false + cost.missed * cost.faults * missed)
        for value, false in _ladder(limit, times, distances, alarming)
        for missed in [peaks.missed(value)]
    ]
    chosen = int(np.argmin([one.cost for one in candidates]))
    words = limit.words + _words(candidates, chosen)
    value, due = candidates[chosen].limit, alarming.due(times)
    raised = len(activations(times[due], distances[due], value, alarming.delays))
    return Priced(
        replace(limit, value=value, words=words, activations=raised), chosen, tuple(candidates), len(peaks.known)
    )


def _ladder(limit: Limit, times: Times, distances: Floats, alarming: Alarming) -> list[tuple[float, float]]:
    """Limits, ascending from that of the budget, and the false alarms a month that each allows."""
    budget = alarming.budget
    found = [
        calibrate(times, distances, replace(alarming, budget=replace(budget, at_most=part * budget.at_most))).value
        for part in PARTS
    ]
    levels = limit.value * np.maximum.accumulate(np.array(found) / found[0])
    false = budget.allowed(MONTH) * np.array(PARTS)
    last = [*(np.diff(levels) > 0.0), True]  # of equal limits the one with the fewest alarms says what it can do
    return [(float(level), float(one)) for level, one, kept in zip(levels, false, last, strict=True) if kept]


def _words(candidates: Sequence[Candidate], chosen: int) -> str:
    first, one = candidates[0], candidates[chosen]
    if chosen == 0:
        return "; no higher one costs less"
    return (
        f"; by its cost {one.limit / first.limit:.2f} times that of the budget: some {one.false:.2g} false alarms a "
        f"month instead of {first.false:.2g}, "
        f"{1.0 - one.missed:.0%} of faults found instead of {1.0 - first.missed:.0%}"
    )
