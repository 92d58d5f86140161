"""Received values of one tag, in memory: what is known for certain, and which spans history must be asked for."""

from array import array
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.live import Arrived
from tagsight_connectors.quality import BAD_DATA_LOST, BAD_WAITING_FOR_INITIAL_DATA

SETTLED_NS: Final = 900_000_000_000
"""So long after a gap history is asked for it again at every read: its values may come late there."""

MOST_GAPS: Final = 100
"""Of one tag; beyond, the two oldest become one."""


@dataclass
class LiveBuffer:
    """Times ascend; equal times keep the order in which they came.

    Attributes:
        fillable: gaps are filled from history; otherwise a Bad value (Bad_DataLost) stands where each begins.
        since_ns: from here on everything is held, but for `gaps`; None before the first value.
        gaps: spans in which values are missing or in doubt.
        needed_ns: how far back reads went so far.
    """

    fillable: bool
    since_ns: int | None = None
    gaps: list[Span] = field(default_factory=list)
    needed_ns: int = 0
    _times: "array[int]" = field(default_factory=lambda: array("q"))
    _status: "array[int]" = field(default_factory=lambda: array("I"))
    _values: list[Any] = field(default_factory=list)
    _broken_from: int | None = None

    def __len__(self) -> int:
        return len(self._times)

    @property
    def newest_ns(self) -> int | None:
        """Time of the newest value."""
        return self._times[-1] if self._times else None

    def add(self, arrived: Arrived) -> None:
        """Take values that came; the first after `interrupt` closes the gap."""
        history, before = arrived.history, self.newest_ns
        lost = arrived.lost or (arrived.sampled and self.fillable)
        if not len(history):
            if lost:
                self.interrupt()
            return
        first, last = int(history.times.min()), int(history.times.max())
        if self.since_ns is None:
            self.since_ns = first
        elif before is not None and lost:
            start = before + 1 if self._broken_from is None else min(self._broken_from, before + 1)
            self.gap(Span(start, max(last, start)))
        elif self._broken_from is not None:
            self.gap(Span(self._broken_from, max(first, self._broken_from)))
        self._broken_from = None
        for time, value, status in zip(
            history.times.tolist(), history.values.tolist(), history.status.tolist(), strict=True
        ):
            if status != BAD_WAITING_FOR_INITIAL_DATA:  # no value yet: histories do not keep that
                self._insert(time, value, status)

    def interrupt(self) -> None:
        """Nothing is known from the newest value to the next one that comes."""
        if self._broken_from is None and self.since_ns is not None:
            self._broken_from = max(-1 if self.newest_ns is None else self.newest_ns, self.since_ns - 1) + 1

    def gap(self, span: Span) -> None:
        """Values are missing there."""
        if span.start_ns >= span.end_ns:
            return
        if not self.fillable:
            self._insert(span.start_ns, None, BAD_DATA_LOST)
            return
        if self.gaps and self.gaps[-1].start_ns <= span.start_ns <= self.gaps[-1].end_ns + 1:
            span = Span(self.gaps[-1].start_ns, max(self.gaps.pop().end_ns, span.end_ns))
        self.gaps.append(span)
        if len(self.gaps) > MOST_GAPS:
            first, second, *rest = sorted(self.gaps, key=lambda each: each.start_ns)
            self.gaps = [Span(first.start_ns, max(first.end_ns, second.end_ns)), *rest]

    def wanting(self, span: Span) -> list[Span]:
        """Which parts of a span history must be asked for; disjoint, ascending."""
        since = span.end_ns if self.since_ns is None else self.since_ns
        parts = [Span(span.start_ns, min(since, span.end_ns))] if span.start_ns < since else []
        broken = self._broken_from
        open_gap = [] if broken is None else [Span(min(broken, span.end_ns), span.end_ns)]
        for gap in self.gaps + open_gap:
            start, end = max(gap.start_ns, span.start_ns), min(gap.end_ns, span.end_ns)
            parts += [Span(start, end)] if start < end else []
        return _united(parts)

    def fill(self, span: Span, history: TagHistory, until_ns: int) -> None:
        """History of a span that was wanting, instead of what is held of it; `until_ns`: the server's time.

        It stays in doubt until it is `SETTLED_NS` old.
        """
        if self.since_ns is None:
            return
        keep = [row for row, time in enumerate(self._times) if not span.start_ns <= time < span.end_ns]
        at = sum(1 for row in keep if self._times[row] < span.start_ns)
        rows = [(self._times[row], self._values[row], self._status[row]) for row in keep]
        new = zip(history.times.tolist(), history.values.tolist(), history.status.tolist(), strict=True)
        rows[at:at] = list(new)
        self._replace(rows)
        self.gaps = [part for gap in self.gaps for part in _without(gap, span)]
        if span.start_ns < self.since_ns <= span.end_ns:
            self.since_ns = span.start_ns
        if self._broken_from is not None and span.start_ns <= self._broken_from < span.end_ns:
            self._broken_from = span.end_ns
        if span.end_ns > until_ns - SETTLED_NS:
            self.gap(Span(max(span.start_ns, until_ns - SETTLED_NS), span.end_ns))

    def part(self, span: Span) -> TagHistory:
        """What is held of a span."""
        times = np.array(self._times, dtype=np.int64)
        first, last = np.searchsorted(times, [span.start_ns, span.end_ns], side="left")
        values = self._values[first:last]
        if any(isinstance(value, str) for value in values):
            shown: Any = np.array([_text(value) for value in values], dtype=object)
        else:
            shown = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        return TagHistory(times[first:last], shown, np.array(self._status[first:last], dtype=np.uint32))

    def forget_before(self, time_ns: int) -> None:
        """Drop what is older; the rest stays complete."""
        count = int(np.searchsorted(np.array(self._times, dtype=np.int64), time_ns))
        if count:
            del self._times[:count], self._status[:count], self._values[:count]
        if self.since_ns is not None:
            self.since_ns = max(self.since_ns, time_ns)
        if self._broken_from is not None:
            self._broken_from = max(self._broken_from, time_ns)
        self.gaps = [Span(max(gap.start_ns, time_ns), gap.end_ns) for gap in self.gaps if gap.end_ns > time_ns]

    def forget_half(self) -> int:
        """Drop the older half; how many values that were."""
        before = len(self)
        if before > 1:
            self.forget_before(self._times[before // 2])
        return before - len(self)

    def _insert(self, time_ns: int, value: Any, status: int) -> None:
        if isinstance(value, float) and np.isnan(value):
            value = None
        at = len(self._times)
        while at and self._times[at - 1] > time_ns:
            at -= 1
        if at and (self._times[at - 1], self._values[at - 1], self._status[at - 1]) == (time_ns, value, status):
            return  # the current value, told again by a new subscription
        self._times.insert(at, time_ns)
        self._values.insert(at, value if value is None or isinstance(value, str) else float(value))
        self._status.insert(at, status)

    def _replace(self, rows: list[tuple[int, Any, int]]) -> None:
        self._times = array("q", (time for time, _, _ in rows))
        self._status = array("I", (status for _, _, status in rows))
        self._values = [None if isinstance(value, float) and np.isnan(value) else value for _, value, _ in rows]


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _united(spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start_ns):
        if found and span.start_ns <= found[-1].end_ns + 1:
            found[-1] = Span(found[-1].start_ns, max(found[-1].end_ns, span.end_ns))
        else:
            found.append(span)
    return found


def _without(gap: Span, span: Span) -> list[Span]:
    """What is left of a gap."""
    left = [
        (gap.start_ns, min(gap.end_ns, span.start_ns)),
        (max(gap.start_ns, span.end_ns), gap.end_ns),
    ]
    return [Span(start, end) for start, end in left if start < end]
