"""The drift of one model from the runs that the ledger has: nothing is read from a historian for it. Runs in a worker.

Only runs of the version that scores now count, and only Good ones: an estimate tells nothing of its sensor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tagsight.clocks import SystemClock
from tagsight.duration import format_duration
from tagsight.ledger.ledger import Ledger
from tagsight.results import RoleResult, Run
from tagsight_models.drift import FEWEST, Drift, DriftReference, Recent, drift, residuals_of
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats

MOST_RUNS: Final = 240
"""Of the recent time, evenly spread: quantiles need no more, and a model that scores every second has 86,400 a day."""

NOT_KNOWN: Final = "no drift reference in the model: too little training data"


@dataclass(frozen=True, slots=True)
class DriftTask:
    """What is asked: plain values.

    Attributes:
        ledger: its file; opened for reading.
        model: key.
        version: that runs.
        reference: of its card, JSON values; None: it has none.
        end_ns: end of the recent time, the newest due time that is done.
    """

    ledger: Path
    model: str
    version: int
    reference: Mapping[str, Any] | None
    end_ns: int


@dataclass(frozen=True, slots=True)
class DriftFound:
    """How a model drifted.

    Attributes:
        model: key.
        due_ns: end of the recent time.
        drift: None where nothing can be said.
        why: the reason then, in words; "" else.
    """

    model: str
    due_ns: int
    drift: Drift | None
    why: str = ""


def drift_found(task: DriftTask) -> DriftFound:
    """Look."""
    if task.reference is None:
        return DriftFound(task.model, task.end_ns, None, NOT_KNOWN)
    try:
        reference = DriftReference.from_json(task.reference)
    except (TypeError, KeyError):  # written by another version of TagSight
        return DriftFound(task.model, task.end_ns, None, NOT_KNOWN)
    with Ledger.open_reader(task.ledger, SystemClock()) as ledger:
        first_ns = task.end_ns - reference.window_ns + 1
        runs = ledger.good_runs(task.model, task.version, first_ns, task.end_ns + 1, MOST_RUNS)
    try:
        return DriftFound(task.model, task.end_ns, drift(reference, _recent(runs, reference)))
    except TooLittleData:
        why = f"fewer than {FEWEST} good scores in the last {format_duration(reference.window_ns)}"
        return DriftFound(task.model, task.end_ns, None, why)


def _recent(runs: Sequence[Run], reference: DriftReference) -> Recent:
    names = [role.role for role in reference.roles]
    asked = [by_name for run in runs if (by_name := {one.role: one for one in run.roles}).keys() >= set(names)]
    rows = np.array([[_numbers(one[name]) for name in names] for one in asked]).reshape(-1, len(names), 4)
    values, expected, lower, upper = np.moveaxis(rows, 2, 0)
    return Recent(values, residuals_of(values, expected, (upper - lower) / 2.0), _target(runs))


def _numbers(one: RoleResult) -> tuple[float, float, float, float]:
    return one.actual, one.expected, one.lower, one.upper


def _target(runs: Sequence[Run]) -> Floats | None:
    """By how much the model's own result was off, in half intervals.

    It is the correction of a soft sensor by the laboratory, and what no input explains of a loss.
    """
    found = [_off(run.results) for run in runs]
    known = [one for one in found if one is not None and np.isfinite(one)]
    return np.array(known) if len(known) >= FEWEST else None


def _off(results: Mapping[str, float | str]) -> float | None:
    off = results.get("Bias", results.get("Unexplained"))
    lower, upper = results.get("Lower"), results.get("Upper")
    if not (isinstance(off, float) and isinstance(lower, float) and isinstance(upper, float)) or upper <= lower:
        return None
    return off / ((upper - lower) / 2.0)
