"""Learning how to see: scaling of roles, the linear model of normal time, scaling of numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.diagnosis.features import LAGS, Scaling, Seen, crossed_residual
from tagsight_models.diagnosis.labelled_windows import LabelledWindows
from tagsight_models.frame import Flags, Floats

PARTS: Final = 4  # of normal time: windows in one are seen with a linear model that learned from the others


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """How windows are seen, and what the windows that this was learned from look like.

    Attributes:
        seen: from windows to numbers.
        scaling: of the numbers.
        features: shape (n, features), of the windows that were learned from.
    """

    seen: Seen
    scaling: Scaling
    features: Floats

    def __call__(self, windows: Floats) -> Floats:
        """Features of other windows."""
        return self.scaling(self.seen.numbers(windows))


def learned_sight(made: LabelledWindows, rows: Floats) -> Sight:
    """Learn from these windows.

    Args:
        made: labelled windows.
        rows: shape (steps, roles), values of the frame that they were cut from, small holes bridged.
    """
    usual = made.normal & (made.completed_to < 0)
    if not usual.any():
        usual = made.completed_to < 0
    inside = _rows_of(made, usual, len(rows))
    centre, scale = rows[inside].mean(axis=0), rows[inside].std(axis=0)
    scale = np.maximum(
        scale, np.maximum(1e-3 * rows[_rows_of(made, made.completed_to < 0, len(rows))].std(axis=0), 1e-12)
    )
    seen = Seen(centre, scale, None)
    kinds = np.unique(made.labels, axis=0, return_inverse=True)[1].reshape(-1)
    if made.cycles:
        numbers = seen.numbers(made.values)
    else:
        part = np.full(len(rows), -1, dtype=np.intp)
        part[inside] = np.repeat(np.arange(PARTS), [len(one) for one in np.array_split(np.flatnonzero(inside), PARTS)])
        stretches = [one for one in _runs(inside) if len(one) > LAGS[-1] + 1]
        residual = crossed_residual(
            [seen.standardised(rows[one]) for one in stretches], [part[one] for one in stretches]
        )
        seen = Seen(centre, scale, residual)
        numbers = _crossed(made, seen, _parts(made, usual, part))
    scaling = Scaling.of(numbers, kinds)
    return Sight(seen, scaling, scaling(numbers))


def _rows_of(made: LabelledWindows, chosen: Flags, count: int) -> Flags:
    """Rows of the frame that these windows lie on."""
    change = np.zeros(count + 1, dtype=np.intp)
    np.add.at(change, made.starts[chosen], 1)
    np.add.at(change, made.ends[chosen] + 1, -1)
    return np.asarray(np.cumsum(change)[:-1] > 0, dtype=np.bool_)


def _runs(inside: Flags) -> Iterator[NDArray[np.intp]]:
    """Consecutive rows."""
    rows = np.flatnonzero(inside)
    yield from np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)


def _parts(made: LabelledWindows, usual: Flags, part: NDArray[np.intp]) -> NDArray[np.intp]:
    """The part of normal time that each window shares most with, -1: none."""
    middle = np.where(made.completed_to >= 0, made.completed_to, (made.starts + made.ends) // 2)
    return np.where(usual | (made.completed_to >= 0), part[middle], -1)


def _crossed(made: LabelledWindows, seen: Seen, parts: NDArray[np.intp]) -> Floats:
    """Windows of normal time by the model that did not learn from them."""
    numbers = seen.numbers(made.values)
    for part in range(PARTS):
        chosen = parts == part
        if chosen.any():
            numbers[chosen] = seen.numbers(made.values[chosen], part)
    return numbers
