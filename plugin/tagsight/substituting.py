"""Windows in which a few inputs are replaced by what the model expects of them, so that they can be scored after all.

Only models of normal behaviour can: they have an expected value for each input from all others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.estimates import estimated
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.job_model import JobModel
from tagsight_models.reasons import Reason
from tagsight_models.sensor_fault import DRIFT, JUMP, NOISE, OFFSET, STUCK, sensor_faults
from tagsight_models.substitution import most_replaced, replaceable, why_replaced
from tagsight_models.windows import Windows

SENSOR_REASONS: Final = (Reason.FLAT_LINE, Reason.SPIKE)

WORDS: Final = {
    STUCK: "it stands still while the others move",
    NOISE: "it became noisy and the others did not",
    JUMP: "its value jumped and the others did not",
    DRIFT: "it drifts away from what the others tell",
    OFFSET: "it disagrees with all others",
}


@dataclass(frozen=True, slots=True)
class Replaced:
    """A window with estimates.

    Attributes:
        window: shape (window_steps, roles), engineering units.
        reason: which roles were replaced and why, in words.
        sensor: a sensor is at fault, not what it is connected with.
        estimated: the window holds estimates; False: it is as it was, and the reason only says what to check.
    """

    window: Floats
    reason: str
    sensor: bool
    estimated: bool = True


def missing_inputs(model: JobModel, cut: Windows, rows: Sequence[int], share: float) -> Mapping[int, Replaced]:
    """By number of the window: those of `rows` that can be scored with a few estimates, and only with them."""
    if not isinstance(model, HealthModel) or not rows:
        return {}
    asked = np.array(rows)[~cut.usable[list(rows)]]
    absent = replaceable(cut, share)
    found: dict[int, Replaced] = {}
    for pattern in np.unique(absent[asked], axis=0):
        alike = asked[(absent[asked] == pattern).all(axis=1)]
        if not pattern.any():
            continue
        made = estimated(model, np.ascontiguousarray(cut.values[alike]), pattern)
        for k in np.flatnonzero(made.settled):
            whys = {column: why_replaced(cut, int(alike[k]), int(column)) for column in np.flatnonzero(pattern)}
            words = "; ".join(
                f"{cut.roles[column]} replaced by its estimate: {why.words}" for column, why in whys.items()
            )
            found[int(alike[k])] = Replaced(made.windows[k], words, any(why in SENSOR_REASONS for why in whys.values()))
    return found


def contradicting_inputs(
    model: JobModel, roles: Sequence[str], windows: Mapping[int, Floats], share: float
) -> Mapping[int, Replaced]:
    """By number of the window: those above the limit that one sensor alone explains.

    Where the sensor behaves as no process does, the window holds its estimate instead; else it is as it was, and only
    the reason says what to check.
    """
    if not isinstance(model, HealthModel) or not windows or most_replaced(share, len(roles)) == 0:
        return {}
    found = sensor_faults(model, np.stack(list(windows.values())))
    return {
        n: Replaced(
            fault.window if fault.proven else windows[n],
            f"check {roles[fault.column]}: {WORDS[fault.kind]}",
            fault.proven,
            fault.proven,
        )
        for n, fault in zip(windows, found, strict=True)
        if fault is not None
    }
