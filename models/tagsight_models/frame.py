"""What models take: values on a grid, with a reason for every sample that is missing or excluded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tagsight_models.reasons import Reason

Times: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.uint8]

LARGEST: Final = 1e100
"""No sensor tells more; its square, and the sum of many squares, are still numbers."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a tag is for a model.

    Attributes:
        name: unique within a model ("speed"; by default the last level of the tag's path).
        unit: engineering unit, "" if there is none.
        low: lower end of the EU range, None if there is none.
        high: upper end of the EU range, None if there is none.
        step: values hold until the next one (states, set points); False: linear between values.
        smallest_deviation: deviations from the expected value below this many engineering units never count.
    """

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: bool = False
    smallest_deviation: float = 0.0


@dataclass(frozen=True, slots=True)
class Series:
    """The raw values of one role, ascending by time; equal times: the last stored counts.

    Attributes:
        times: shape (n,), UTC ns.
        values: shape (n,), float64; NaN where there is no number.
        quality: shape (n,), 0 Good, 1 Uncertain, 2 Bad.
    """

    times: Times
    values: Floats
    quality: Codes


@dataclass(frozen=True, slots=True)
class Frame:
    """Values of all roles on one grid.

    Attributes:
        times: shape (steps,), UTC ns, multiples of `grid_ns`, without holes.
        values: shape (steps, roles), engineering units; NaN exactly where `reasons` is not USED on account of
            the sample itself (BAD_QUALITY, GAP, STALE, NOT_A_NUMBER); excluded samples keep their value.
        reasons: shape (steps, roles), `Reason` codes.
        uncertain: shape (steps, roles), the value rests on a sample of quality Uncertain.
        roles: length roles, in the order of the columns.
        grid_ns: distance of the steps.
    """

    times: Times
    values: Floats
    reasons: Codes
    uncertain: Flags
    roles: tuple[Role, ...]
    grid_ns: int

    @property
    def usable(self) -> Flags:
        """Shape (steps,): every role of the step has a value that counts."""
        return np.asarray((self.reasons == Reason.USED).all(axis=1), dtype=np.bool_)

    def counts(self) -> Mapping[str, Mapping[Reason, int]]:
        """Per role name, how many samples have which reason."""
        return {
            role.name: {
                Reason(int(code)): int(count)
                for code, count in zip(*np.unique(self.reasons[:, column], return_counts=True), strict=True)
            }
            for column, role in enumerate(self.roles)
        }
