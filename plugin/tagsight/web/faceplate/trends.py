"""The last runs of a model as a short trend: one run for each step of the picture, the one with the highest score."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

from tagsight.clocks import SECOND
from tagsight.ledger.ledger import Ledger
from tagsight.results import RoleResult, Run

STEPS: Final = 120
RUNS: Final = 240
MINUTE_NS: Final = 60 * SECOND
LONGEST_NS: Final = 7 * 86_400 * SECOND
AGAIN_RUNS: Final = 30
"""Of the newest, which are read again each time: late values revise them, explanations come later."""


@dataclass
class Trend:
    """Runs of one model, kept between two looks.

    Attributes:
        model: key.
        every_ns: between two runs, as far as it is known.
    """

    model: str
    every_ns: int = MINUTE_NS
    _runs: dict[int, Run] = field(default_factory=dict, init=False)

    @property
    def span_ns(self) -> int:
        """How far back it reaches."""
        return min(RUNS * self.every_ns, LONGEST_NS)

    def look(self, ledger: Ledger, now_ns: int, *, anew: bool = False) -> Sequence[Run]:
        """The runs of the span, ascending; reads what is new. `anew`: everything."""
        if anew:
            self._runs.clear()
        start_ns = now_ns - self.span_ns
        known = sorted(self._runs)
        after = known[-AGAIN_RUNS] if len(known) >= AGAIN_RUNS else start_ns
        found = ledger.runs(self.model, max(after, start_ns), now_ns + LONGEST_NS, limit=4 * RUNS)
        self._runs.update({run.due_ns: run for run in found})
        self._runs = {due_ns: run for due_ns, run in sorted(self._runs.items()) if due_ns >= start_ns}
        return tuple(self._runs.values())


def drawn(runs: Sequence[Run], roles: Collection[str]) -> Mapping[str, Any]:
    """Times (ms), scores, and of each role actual and expected value and the ends of its band; None for no value."""
    shown = _thinned(runs)
    by_role = [{one.role: one for one in run.roles} for run in shown]
    return {
        "t": [run.due_ns // 1_000_000 for run in shown],
        "score": [number(run.score) for run in shown],
        "roles": {role: _of_role([one.get(role) for one in by_role]) for role in roles},
    }


def number(value: float | None) -> float | None:
    """Five digits are more than anybody reads on a faceplate; what is no number has no place in JSON."""
    return float(f"{value:.5g}") if value is not None and isfinite(value) else None


def _of_role(found: Sequence[RoleResult | None]) -> Mapping[str, list[float | None]]:
    return {
        "actual": [number(one.actual) if one else None for one in found],
        "expected": [number(one.expected) if one else None for one in found],
        "lower": [number(one.lower) if one else None for one in found],
        "upper": [number(one.upper) if one else None for one in found],
    }


def _thinned(runs: Sequence[Run]) -> Sequence[Run]:
    if len(runs) <= STEPS:
        return runs
    first, last = runs[0].due_ns, runs[-1].due_ns
    step = max((last - first) // STEPS, 1)
    best: dict[int, Run] = {}
    for run in runs:
        bucket = min((run.due_ns - first) // step, STEPS - 1)
        if bucket not in best or (run.score or 0.0) >= (best[bucket].score or 0.0):
            best[bucket] = run
    best[STEPS] = runs[-1]
    return tuple(best.values())
