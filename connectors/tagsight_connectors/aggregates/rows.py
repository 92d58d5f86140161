"""Stored values and intervals, prepared for computing: what is Good, and which rows lie in which interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagsight_connectors.aggregates.kinds import BAD_NO_DATA, AggregateConfiguration
from tagsight_connectors.history import Span, TagHistory, Times
from tagsight_connectors.quality import Quality, qualities_of

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indexes = NDArray[np.int64]
Codes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Rows:
    """Stored values, ascending; entries that say "no data" are none.

    Attributes:
        times: shape (n,), UTC ns.
        values: shape (n,); NaN for text.
        status: shape (n,).
        good, uncertain: shape (n,); neither: Bad. A value that is not there is Bad.
    """

    times: Times
    values: Numbers
    status: Codes
    good: Flags
    uncertain: Flags

    @classmethod
    def of(cls, history: TagHistory) -> "Rows":
        """From what was read; a Good status on a missing number does not make it Good."""
        kept = history.status & np.uint32(0xFFFF0000) != BAD_NO_DATA
        times, status = history.times[kept], history.status[kept]
        given = history.values[kept]
        if given.dtype == object:
            values = np.full(len(given), np.nan)
            there = np.array([each is not None for each in given], dtype=np.bool_)
        else:
            values = given.astype(np.float64, copy=False)
            there = np.isfinite(values)
        quality = qualities_of(status)
        return cls(times, values, status, (quality == Quality.GOOD) & there, (quality == Quality.UNCERTAIN) & there)

    def usable(self, configuration: AggregateConfiguration) -> Flags:
        """Non-Bad, Uncertain counted as configured."""
        return self.good if configuration.treat_uncertain_as_bad else self.good | self.uncertain

    def __len__(self) -> int:
        return int(self.times.shape[0])


@dataclass(frozen=True, slots=True)
class Intervals:
    """The processing intervals of a span and the rows in them (OPC 10000-13, 5.4.2.2): start included, end not.

    Attributes:
        starts, ends: shape (m,), UTC ns.
        cut: shape (m,): shorter than the others, because the span ends inside.
        low, high: shape (m,): rows `low` to `high - 1` lie inside.
        preceded, followed: shape (m,): there is a row before and behind, within the search.
    """

    starts: Times
    ends: Times
    cut: Flags
    low: Indexes
    high: Indexes
    preceded: Flags
    followed: Flags

    @classmethod
    def of(cls, rows: Rows, span: Span, interval_ns: int, search_ns: int) -> "Intervals":
        """Intervals of `interval_ns`; the last one ends with the span."""
        starts = interval_starts(span, interval_ns)
        ends = np.minimum(starts + interval_ns, span.end_ns)
        low = np.searchsorted(rows.times, starts, side="left").astype(np.int64)
        high = np.searchsorted(rows.times, ends, side="left").astype(np.int64)
        before, behind = starts - search_ns, ends + search_ns
        preceded = low > 0
        preceded[preceded] = rows.times[low[preceded] - 1] >= before[preceded]
        followed = high < len(rows)
        followed[followed] = rows.times[high[followed]] <= behind[followed]
        return cls(starts, ends, ends - starts < interval_ns, low, high, preceded, followed)

    @property
    def filled(self) -> Flags:
        """There is a row inside."""
        return self.high > self.low

    @property
    def outside(self) -> Flags:
        """Before the data begin or behind their end."""
        return ~self.filled & ~(self.preceded & self.followed)

    def partial(self, rows: Rows) -> Flags:
        """The data begin or end inside, or the span does (5.3.3.2)."""
        late = self.filled & ~self.preceded
        late[late] = rows.times[self.low[late]] > self.starts[late]
        return late | (self.filled & ~self.followed) | self.cut

    def counts(self, marked: Flags) -> Indexes:
        """Marked rows in each."""
        before = positions(marked)
        return before[self.high] - before[self.low]


def interval_starts(span: Span, interval_ns: int) -> Times:
    """Where the intervals of a span begin."""
    if interval_ns <= 0:
        message = f"an interval must be longer than {interval_ns} ns"
        raise ValueError(message)
    return np.arange(span.start_ns, span.end_ns, interval_ns, dtype=np.int64)


def positions(marked: Flags) -> Indexes:
    """Shape (n + 1,): how many rows before each are marked, and at the end all."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(marked, dtype=np.int64)])


def search_ns(interval_ns: int) -> int:
    """How far before and behind an interval its bounding values are looked for; the standard asks for one interval."""
    return max(10 * interval_ns, 3_600_000_000_000)
