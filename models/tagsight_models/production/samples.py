"""The target on the grid of the inputs, each value with the window that ends with it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.frame import Floats, Frame, Times
from tagsight_models.training_data import TrainingData
from tagsight_models.windows import windows

LEAST: Final = 200
"""Values of the target with usable inputs that are learned from, at least."""

LEAST_DIFFERENT: Final = 10
"""Different values; fewer are states, not a quantity."""

MOST: Final = 8_000
"""Values that are learned from; more are thinned evenly."""

MEND: Final = "Widen the `train` period, or exclude less of it; `tagsight probe FILE` shows what is missing."


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """`times` (n,) UTC ns, ascending; `values` (n,) of the target; `windows` (n, steps, roles) that end there."""

    times: Times
    values: Floats
    windows: Floats

    def __len__(self) -> int:
        return len(self.times)

    def at(self, rows: slice | NDArray[np.intp]) -> "Samples":
        """Some of them."""
        return Samples(self.times[rows], self.values[rows], self.windows[rows])


def target_values(data: TrainingData) -> tuple[Times, Floats]:
    """Times on the grid, and the mean of the Good values in the step that ends there.

    Raises:
        UnusableInput: there is no target, or it is no quantity.
        TooLittleData: too few values.
    """
    times, values = _raw(data)
    if len(values) < LEAST:
        raise TooLittleData("values of the target of Good quality", len(values), LEAST, MEND)
    different = len(np.unique(values))
    if different < LEAST_DIFFERENT:
        said = f"is constant ({values[0]:g})" if different == 1 else f"has {different} different values"
        cause = f"the target {said}, at least {LEAST_DIFFERENT} are needed of a quantity"
        mend = "Name the tag of an amount per time, a yield or a consumption; for states use the job `diagnosis`."
        raise UnusableInput(data.target_name or "target", cause, mend)
    return times, values


def samples(frame: Frame, times: Times, values: Floats, steps: int) -> Samples:
    """The values whose windows can be used, thinned.

    Raises:
        TooLittleData: too few.
    """
    cut = windows(frame, steps, times)
    rows = np.flatnonzero(cut.usable)
    if len(rows) < LEAST:
        what = f"values of the target with usable inputs, of {len(times)}"
        raise TooLittleData(what, len(rows), LEAST, MEND)
    rows = rows[:: -(-len(rows) // MOST)]
    return Samples(times[rows], values[rows], np.array(cut.values[rows]))


def _raw(data: TrainingData) -> tuple[Times, Floats]:
    """The target as given, or as the input of its name."""
    frame, names = data.frame, [role.name for role in data.frame.roles]
    if data.target is not None:
        good = np.isfinite(data.target.values) & (data.target.quality == 0)
        steps = -(-data.target.times[good] // frame.grid_ns)
        found, place, counts = np.unique(steps, return_inverse=True, return_counts=True)
        sums = np.bincount(place, data.target.values[good], minlength=len(found))
        return found * frame.grid_ns, sums / np.maximum(counts, 1)
    if data.target_name not in names:
        raise UnusableInput("target", "there are no values of it", "Set `target` to the tag to be raised or lowered.")
    column = names.index(data.target_name)
    good = (frame.reasons[:, column] == 0) & np.isfinite(frame.values[:, column])
    return frame.times[good], frame.values[good, column]
