"""What was read: per tag source times, values and status codes, complete for the range asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Times: TypeAlias = NDArray[np.int64]
"""Source times: UTC, nanoseconds since 1970-01-01."""

Values: TypeAlias = NDArray[np.float64] | NDArray[np.object_]
"""float64 with NaN for "no value" (numbers and Booleans), or object with str and None (text)."""

StatusCodes: TypeAlias = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of source times: `start_ns <= t < end_ns` (UTC, ns)."""

    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if self.end_ns < self.start_ns:
            message = f"a span must not end ({self.end_ns}) before it starts ({self.start_ns})"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class TagHistory:
    """Values of one tag, ascending by source time; equal times keep the order in which they were stored.

    Attributes:
        times: shape (n,), UTC ns.
        values: shape (n,), see `Values`.
        status: shape (n,), OPC UA StatusCodes; a value whose status is Bad may still stand in `values`.
    """

    times: Times
    values: Values
    status: StatusCodes

    def __post_init__(self) -> None:
        if not (self.times.shape == self.values.shape == self.status.shape) or self.times.ndim != 1:
            message = f"unequal shapes {self.times.shape}, {self.values.shape}, {self.status.shape}"
            raise ValueError(message)

    def __len__(self) -> int:
        return int(self.times.shape[0])


@dataclass(frozen=True, slots=True)
class Page:
    """A part of one tag's history, as it arrives. Pages of one tag come in ascending order of time."""

    address: str
    history: TagHistory


@dataclass(frozen=True, slots=True)
class History:
    """What a whole read returned: complete for `span` for every address in `tags`, or it would be an error."""

    span: Span
    tags: Mapping[str, TagHistory]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value: what is written to, or is current in, a historian.

    Attributes:
        address: the tag.
        time_ns: source time, UTC ns.
        value: float, int, bool, str, or None for "no value".
        status: OPC UA StatusCode.
    """

    address: str
    time_ns: int
    value: float | int | bool | str | None
    status: int


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What the historian answered to one written sample.

    Attributes:
        address: the tag.
        status: the StatusCode of the answer; Good severity confirms.
        time_kept: False when the server refused a source time and got a plain write: the value is there under
            the server's own time. That loss is stated to the engineer.
    """

    address: str
    status: int
    time_kept: bool = True


def empty_history(*, text: bool = False) -> TagHistory:
    """No values."""
    values: Values = np.empty(0, dtype=object) if text else np.empty(0, dtype=np.float64)
    return TagHistory(np.empty(0, dtype=np.int64), values, np.empty(0, dtype=np.uint32))
