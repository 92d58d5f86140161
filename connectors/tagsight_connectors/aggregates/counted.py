"""Aggregates of the values inside an interval: Average, Count, Minimum, Maximum. No value outside takes part."""

import numpy as np

from tagsight_connectors.aggregates.kinds import (
    BAD_NO_DATA,
    CALCULATED,
    MULTIPLE_VALUES,
    PARTIAL,
    UNCERTAIN_DATA_SUB_NORMAL,
    AggregateConfiguration,
)
from tagsight_connectors.aggregates.rows import Codes, Flags, Indexes, Intervals, Numbers, Rows, positions
from tagsight_connectors.quality import BAD, GOOD, Quality, qualities_of


def average(rows: Rows, intervals: Intervals, configuration: AggregateConfiguration) -> tuple[Numbers, Codes]:
    """Mean of the Good values (5.4.3.5); of equal values it is exactly that value."""
    part = _Part(rows, intervals, rows.good)
    values = np.full(len(intervals.starts), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        first = part.values[part.low]
        above = np.add.reduceat(part.values - np.repeat(first, part.count), part.low) if len(first) else first
        values[part.filled] = first + above / part.count
    status = _by_share(rows, intervals, configuration) | np.uint32(CALCULATED)
    status[~part.filled] = BAD_NO_DATA
    status[_bad(status)] &= np.uint32(0xFFFF0000)
    values[_bad(status)] = np.nan
    return values, status


def count(rows: Rows, intervals: Intervals, configuration: AggregateConfiguration) -> tuple[Numbers, Codes]:
    """How many values are Good (5.4.3.21); none is 0."""
    values = intervals.counts(rows.good).astype(np.float64)
    status = _by_share(rows, intervals, configuration) | np.uint32(CALCULATED)
    status[intervals.partial(rows)] |= np.uint32(PARTIAL)
    status[intervals.outside] = BAD_NO_DATA
    status[_bad(status)] &= np.uint32(0xFFFF0000)
    values[_bad(status)] = np.nan
    return values, status


def minimum(rows: Rows, intervals: Intervals, configuration: AggregateConfiguration) -> tuple[Numbers, Codes]:
    """The least Good value (5.4.3.10)."""
    return _extreme(rows, intervals, configuration, np.minimum)


def maximum(rows: Rows, intervals: Intervals, configuration: AggregateConfiguration) -> tuple[Numbers, Codes]:
    """The greatest Good value (5.4.3.11)."""
    return _extreme(rows, intervals, configuration, np.maximum)


def _extreme(
    rows: Rows, intervals: Intervals, configuration: AggregateConfiguration, which: np.ufunc
) -> tuple[Numbers, Codes]:
    part = _Part(rows, intervals, rows.good)
    values = part.reduced(which)
    found = part.spread(values)
    status = np.full(len(values), CALCULATED, dtype=np.uint32)
    at_start = part.any_of(
        (part.values == found) & (part.times == np.repeat(intervals.starts[part.filled], part.count))
    )
    doubtful = _outdone(rows, intervals, configuration, which, values)
    status[at_start] = GOOD
    status[doubtful] = UNCERTAIN_DATA_SUB_NORMAL | CALCULATED
    status[part.number_of(part.values == found) > 1] |= np.uint32(MULTIPLE_VALUES)
    status[intervals.partial(rows)] |= np.uint32(PARTIAL)
    status[~part.filled] = BAD_NO_DATA
    return values, status


def _outdone(
    rows: Rows, intervals: Intervals, configuration: AggregateConfiguration, which: np.ufunc, values: Numbers
) -> Flags:
    """A Bad value may have been the extreme one, and so may an Uncertain one that lies beyond."""
    bad: Flags = intervals.counts(~rows.usable(configuration)) > 0
    if configuration.treat_uncertain_as_bad:
        return bad
    uncertain = _Part(rows, intervals, rows.uncertain).reduced(which)
    beyond: Flags = uncertain < values if which is np.minimum else uncertain > values
    return bad | beyond


def _by_share(rows: Rows, intervals: Intervals, configuration: AggregateConfiguration) -> Codes:
    """Status by the number of values (5.4.3.2): Bad before Good before Uncertain; Uncertain values leave a trace."""
    total = intervals.high - intervals.low
    good, uncertain = intervals.counts(rows.good), intervals.counts(rows.uncertain)
    bad = total - good - (0 if configuration.treat_uncertain_as_bad else uncertain)
    is_bad = (bad > 0) & (100 * bad >= configuration.percent_data_bad * total)
    is_good = 100 * (total - bad) >= configuration.percent_data_good * total
    if not configuration.treat_uncertain_as_bad:
        is_good &= uncertain == 0
    status = np.where(is_good, GOOD, UNCERTAIN_DATA_SUB_NORMAL)
    status = np.where(is_bad, BAD, status)
    return np.where(good == total, GOOD, status).astype(np.uint32)


def _bad(status: Codes) -> Flags:
    found: Flags = qualities_of(status) == Quality.BAD
    return found


class _Part:
    """Some of the rows, cut into intervals; only intervals that hold any take part.

    `low` and `count` belong to those intervals alone; `values` and `times` are the rows inside of them.
    """

    def __init__(self, rows: Rows, intervals: Intervals, marked: Flags) -> None:
        before = positions(marked)
        low, high = before[intervals.low], before[intervals.high]
        self.filled: Flags = high > low
        first, last = (int(low[0]), int(high[-1])) if len(low) else (0, 0)
        self.low: Indexes = low[self.filled] - first
        self.count: Indexes = (high - low)[self.filled]
        chosen = np.flatnonzero(marked)[first:last]
        self.values: Numbers = rows.values[chosen]
        self.times = rows.times[chosen]

    def reduced(self, which: np.ufunc) -> Numbers:
        """One number for each interval, NaN where it has none."""
        found = np.full(len(self.filled), np.nan)
        if len(self.low):
            found[self.filled] = which.reduceat(self.values, self.low)
        return found

    def spread(self, each: Numbers) -> Numbers:
        """What belongs to an interval, for each of its rows."""
        return np.repeat(each[self.filled], self.count)

    def number_of(self, marked: Flags) -> Indexes:
        """Marked rows in each interval."""
        found = np.zeros(len(self.filled), dtype=np.int64)
        if len(self.low):
            found[self.filled] = np.add.reduceat(marked.astype(np.int64), self.low)
        return found

    def any_of(self, marked: Flags) -> Flags:
        """Is any of them marked?"""
        return self.number_of(marked) > 0
