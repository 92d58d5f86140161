"""Bounding values: what a tag was at a time at which nothing was stored (OPC 10000-13, 3.1.8 and 3.1.9)."""

from dataclasses import dataclass

import numpy as np

from tagsight_connectors.aggregates.kinds import (
    BAD_NO_DATA,
    INTERPOLATED,
    UNCERTAIN_DATA_SUB_NORMAL,
    AggregateConfiguration,
)
from tagsight_connectors.aggregates.rows import Codes, Flags, Indexes, Intervals, Numbers, Rows
from tagsight_connectors.history import Times


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The usable values around each time, as indexes into all rows; -1 where there is none within the search."""

    exact: Indexes
    before: Indexes
    second: Indexes
    after: Indexes

    @classmethod
    def of(cls, rows: Rows, usable: Indexes, at: Times, search_ns: int) -> "Neighbours":
        """`exact`: the last one stored at the time; `second`: the one at an earlier time than `before`."""
        times = rows.times[usable]
        left = np.searchsorted(times, at, side="left")
        right = np.searchsorted(times, at, side="right")
        exact = np.where(right > left, right - 1, -1)

        def row(which: Indexes) -> Indexes:
            inside = (which >= 0) & (which < len(usable))
            found = np.where(inside, usable[np.where(inside, which, 0)] if len(usable) else -1, -1)
            near = np.abs(rows.times[found] - at) <= search_ns if len(rows) else np.zeros(len(at), dtype=np.bool_)
            return np.where(inside & near, found, -1).astype(np.int64)

        before = left - 1
        earlier = np.searchsorted(times, times[np.maximum(before, 0)], side="left") - 1 if len(usable) else before
        return cls(row(exact), row(before), row(np.where(before >= 0, earlier, -1)), row(right))


def interpolated_bounds(
    rows: Rows, at: Times, configuration: AggregateConfiguration, search_ns: int
) -> tuple[Numbers, Codes]:
    """Interpolated bounding values: value and status at each time.

    The line between the nearest usable values, or the value before where the tag is stepped; behind the last value it
    is extrapolated. Uncertain where Bad values were passed over, where a neighbour is Uncertain, or extrapolated.
    """
    usable = np.flatnonzero(rows.usable(configuration)).astype(np.int64)
    around = Neighbours.of(rows, usable, at, search_ns)
    values = np.full(len(at), np.nan)
    status = np.full(len(at), BAD_NO_DATA, dtype=np.uint32)
    exact, held = around.exact >= 0, (around.exact < 0) & (around.before >= 0)
    values[exact], status[exact] = rows.values[around.exact[exact]], rows.status[around.exact[exact]]
    between = held & (around.after >= 0)
    line = np.zeros_like(held) if configuration.stepped else between
    beyond = held & (around.after < 0) & (around.second >= 0) & configuration.sloped_extrapolation
    values[held] = rows.values[around.before[held]]
    values[line] = _on_line(rows, around.before[line], around.after[line], at[line])
    values[beyond] = _on_line(rows, around.second[beyond], around.before[beyond], at[beyond])
    doubtful = _doubtful(rows, around, at, held, line) | (held & ~between)
    status[held] = INTERPOLATED
    status[doubtful] = UNCERTAIN_DATA_SUB_NORMAL | INTERPOLATED
    return values, status


def _doubtful(rows: Rows, around: Neighbours, at: Times, held: Flags, line: Flags) -> Flags:
    """A value that is not usable was passed over, or a neighbour is Uncertain."""
    until = np.where(line, around.after, np.searchsorted(rows.times, at, side="right"))
    found: Flags = held & (until - around.before > 1)
    found[held] |= rows.uncertain[around.before[held]]
    found[line] |= rows.uncertain[around.after[line]]
    return found


def _on_line(rows: Rows, one: Indexes, other: Indexes, at: Times) -> Numbers:
    first, last = rows.values[one], rows.values[other]
    run = (rows.times[other] - rows.times[one]).astype(np.float64)
    share = (at - rows.times[one]).astype(np.float64) / run
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(first + share * (last - first), dtype=np.float64)


def good_at_start(rows: Rows, intervals: Intervals, configuration: AggregateConfiguration) -> Flags:
    """Is the simple bounding value at each start Good? It holds until the first row of the interval.

    The value stored at the start, else the one right before it, whatever their quality. Between points of a line the
    one behind must be Good too; behind the last value there is none.
    """
    found = np.zeros(len(intervals.starts), dtype=np.bool_)
    if not len(rows):
        return found
    last = len(rows) - 1
    at_start = intervals.filled & (rows.times[np.minimum(intervals.low, last)] == intervals.starts)
    before = ~at_start & intervals.preceded
    behind = intervals.filled | intervals.followed
    found[at_start] = rows.good[intervals.low[at_start]]
    found[before] = rows.good[intervals.low[before] - 1] & behind[before]
    if not configuration.stepped:
        sloped = before & behind
        found[sloped] &= rows.good[intervals.low[sloped]]
    return found
