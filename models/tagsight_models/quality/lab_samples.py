"""The laboratory values of a training, each with the window of inputs that belongs to it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.frame import Floats, Frame, Series, Times
from tagsight_models.training_data import TrainingData
from tagsight_models.windows import windows

LEAST: Final = 60
"""Laboratory values that a soft sensor learns from, at least."""

LEAST_DIFFERENT: Final = 10
"""Different values; fewer are classes, not measurements."""

MOST: Final = 30_000
"""Values that it learns from; more are thinned evenly."""

MEND: Final = "Widen the `train` period until it holds more laboratory values of Good quality."


@dataclass(frozen=True, slots=True, eq=False)
class LabSamples:
    """Of n samples: times (UTC ns, ascending), values, and windows (n, steps, roles) that end a delay before."""

    times: Times
    values: Floats
    windows: Floats

    def __len__(self) -> int:
        return len(self.times)

    def at(self, rows: slice | NDArray[np.intp]) -> "LabSamples":
        """Some of them."""
        return LabSamples(self.times[rows], self.values[rows], self.windows[rows])


def lab_values(data: TrainingData) -> tuple[Times, Floats]:
    """Times and values that count.

    Raises:
        UnusableInput: there is no target, or it is no measurement.
        TooLittleData: too few values.
    """
    if data.target is None:
        raise UnusableInput("target", "there are no laboratory values", "Set `target` to the tag that holds them.")
    times, values = _good(data.target)
    if len(values) < LEAST:
        raise TooLittleData("laboratory values of Good quality", len(values), LEAST, MEND)
    different = len(np.unique(values))
    if different < LEAST_DIFFERENT:
        cause = f"it has {different} different values, at least {LEAST_DIFFERENT} are needed of a measurement"
        raise UnusableInput("target", cause, "Use the job `diagnosis` for a target that has classes.")
    thinned = slice(None, None, -(-len(values) // MOST))
    return times[thinned], values[thinned]


def samples(frame: Frame, times: Times, values: Floats, steps: int, delay_steps: int = 0) -> LabSamples:
    """The values whose windows can be used: those that end at the last step `delay_steps` before the sample."""
    ends = (times // frame.grid_ns - delay_steps) * frame.grid_ns
    cut = windows(frame, steps, ends)
    rows = np.flatnonzero(cut.usable)
    return LabSamples(times[rows], values[rows], np.array(cut.values[rows]))


def enough(found: LabSamples, all_of_them: int) -> LabSamples:
    """The samples, where there are enough.

    Raises:
        TooLittleData: too few values have usable inputs.
    """
    if len(found) < LEAST:
        what = f"laboratory values with usable inputs, of {all_of_them}"
        raise TooLittleData(what, len(found), LEAST, MEND)
    return found


def _good(target: Series) -> tuple[Times, Floats]:
    good = np.isfinite(target.values) & (target.quality == 0)
    times, values = target.times[good], target.values[good]
    last = np.concatenate([times[1:] != times[:-1], np.ones(min(len(times), 1), dtype=np.bool_)])
    return times[last], values[last]
