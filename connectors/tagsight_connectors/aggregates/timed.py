"""Aggregates that weigh with time: TimeAverage, DurationGood, PercentGood."""

from dataclasses import replace
from typing import Final

import numpy as np

from tagsight_connectors.aggregates.bounds import good_at_start, interpolated_bounds
from tagsight_connectors.aggregates.kinds import (
    BAD_NO_DATA,
    CALCULATED,
    PARTIAL,
    UNCERTAIN_DATA_SUB_NORMAL,
    AggregateConfiguration,
)
from tagsight_connectors.aggregates.rows import Codes, Intervals, Numbers, Rows, positions
from tagsight_connectors.history import Times
from tagsight_connectors.quality import Quality, qualities_of

MS: Final = 1_000_000
"""The data end one step of a server's time behind the last value: one millisecond."""


def time_average(
    rows: Rows, intervals: Intervals, configuration: AggregateConfiguration, search_ns: int
) -> tuple[Numbers, Codes]:
    """Area under the lines between the usable values, from bound to bound, by the time (5.4.3.6). Always sloped.

    Without a value before the interval it counts from the first one inside. Of equal values it is that value.
    """
    sloped = replace(configuration, stepped=False)
    opening, opened = interpolated_bounds(rows, intervals.starts, sloped, search_ns)
    closing, closed = interpolated_bounds(rows, intervals.ends, sloped, search_ns)
    usable = rows.usable(configuration)
    before = positions(usable)
    low, high = before[intervals.low], before[intervals.high]
    times, numbers = rows.times[usable], rows.values[usable]
    inside = high > low
    unbounded = np.isnan(opening) & inside
    starts = intervals.starts.copy()
    starts[unbounded], opening[unbounded] = times[low[unbounded]], numbers[low[unbounded]]
    held = np.isnan(closing)
    closing[held] = opening[held]
    closing[held & inside] = numbers[high[held & inside] - 1]
    with np.errstate(over="ignore", invalid="ignore"):
        closing -= opening
        area = 0.5 * closing * (intervals.ends - starts)
        if inside.any():
            count = (high - low)[inside]
            above = numbers[low[inside][0] : high[inside][-1]] - np.repeat(opening[inside], count)
            at = times[low[inside][0] : high[inside][-1]]
            first = np.cumsum(count) - count
            last = first + count - 1
            area[inside] = (
                0.5 * above[first] * (at[first] - starts[inside])
                + _between(at, above, first, last)
                + 0.5 * (above[last] + closing[inside]) * (intervals.ends[inside] - at[last])
            )
        values = opening + area / (intervals.ends - starts)
    status = np.full(len(values), CALCULATED, dtype=np.uint32)
    doubtful = (qualities_of(opened) != Quality.GOOD) | (qualities_of(closed) != Quality.GOOD)
    doubtful |= intervals.counts(~rows.good) > 0
    status[doubtful] = UNCERTAIN_DATA_SUB_NORMAL | CALCULATED
    status[unbounded | intervals.cut] |= np.uint32(PARTIAL)
    status[np.isnan(values)] = BAD_NO_DATA
    return values, status


def _between(at: Times, above: Numbers, first: Times, last: Times) -> Numbers:
    """The area between the first and the last value of each interval."""
    pieces = np.zeros(len(at))
    pieces[:-1] = 0.5 * (above[1:] + above[:-1]) * np.diff(at)
    pieces[last] = 0.0  # from the last of one interval to the first of the next
    return np.asarray(np.add.reduceat(pieces, first), dtype=np.float64)


def duration_good(rows: Rows, intervals: Intervals, configuration: AggregateConfiguration) -> tuple[Numbers, Codes]:
    """Milliseconds in which the data were Good (5.4.3.31): each value says how it was until the next one."""
    good_ns, _ = _good_ns(rows, intervals, configuration)
    return _always_good(rows, intervals, good_ns / MS)


def percent_good(rows: Rows, intervals: Intervals, configuration: AggregateConfiguration) -> tuple[Numbers, Codes]:
    """Per cent of the time, up to the end of the data, in which they were Good (5.4.3.33)."""
    good_ns, ends = _good_ns(rows, intervals, configuration)
    return _always_good(rows, intervals, 100.0 * good_ns / np.maximum(ends - intervals.starts, 1))


def _good_ns(rows: Rows, intervals: Intervals, configuration: AggregateConfiguration) -> tuple[Numbers, Times]:
    """Good time of each interval, and where it ends: with the data, if they end inside."""
    ends = intervals.ends.copy()
    ending = intervals.filled & ~intervals.followed
    ends[ending] = np.minimum(ends[ending], rows.times[intervals.high[ending] - 1] + MS)
    first = ends.copy()
    first[intervals.filled] = rows.times[intervals.low[intervals.filled]]
    found = np.where(good_at_start(rows, intervals, configuration), first - intervals.starts, 0).astype(np.float64)
    if intervals.filled.any():
        low, high = intervals.low[intervals.filled], intervals.high[intervals.filled]
        until = np.empty(int(high[-1] - low[0]), dtype=np.int64)
        at, base = rows.times[low[0] : high[-1]], low[0]
        until[:-1] = at[1:]
        until[high - 1 - base] = ends[intervals.filled]
        pieces = np.where(rows.good[low[0] : high[-1]], until - at, 0)
        found[intervals.filled] += np.add.reduceat(pieces, low - base)
    return found, ends


def _always_good(rows: Rows, intervals: Intervals, values: Numbers) -> tuple[Numbers, Codes]:
    status = np.full(len(values), CALCULATED, dtype=np.uint32)
    status[intervals.partial(rows)] |= np.uint32(PARTIAL)
    status[intervals.outside] = BAD_NO_DATA
    return np.where(intervals.outside, np.nan, values), status
