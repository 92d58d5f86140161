"""The stored history of one tag: sorted arrays that grow, whose views never change under a reader."""

from dataclasses import dataclass, field

import numpy as np

from tagsight_connectors.history import Span, TagHistory, Values, empty_history


@dataclass
class StoredSeries:
    """Values of one tag, ascending by source time, equal times in the order in which they were stored.

    Room is reserved ahead, so that appending one newest value costs little. What a reader holds stays as it was:
    appending writes behind every view, and any change further forward makes new arrays.
    """

    text: bool = False
    _rows: TagHistory = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        self._rows = empty_history(text=self.text)

    @property
    def stored(self) -> TagHistory:
        """Everything, as views."""
        return _slice(self._rows, 0, self._count)

    def within(self, span: Span) -> TagHistory:
        """What lies in a half-open span, as views."""
        first, last = np.searchsorted(self._rows.times[: self._count], [span.start_ns, span.end_ns])
        return _slice(self._rows, int(first), int(last))

    def append(self, new: TagHistory) -> None:
        """Add values; equal times are kept all."""
        order = np.argsort(new.times, kind="stable")
        new = TagHistory(new.times[order], new.values[order], new.status[order])
        if not len(new):
            return
        if self._count and new.times[0] < self._rows.times[self._count - 1]:
            self._merge(new)
        else:
            self._extend(new)

    def update(self, new: TagHistory) -> None:
        """Add one value, or replace what is stored at its time (Update semantics)."""
        stored = self.stored
        first = int(np.searchsorted(stored.times, new.times[0], side="left"))
        last = int(np.searchsorted(stored.times, new.times[0], side="right"))
        if first < last:
            keep = np.ones(len(stored), dtype=bool)
            keep[first:last] = False
            self._rows = TagHistory(stored.times[keep], stored.values[keep], stored.status[keep])
            self._count = len(self._rows)
        self.append(new)

    def _extend(self, new: TagHistory) -> None:
        end = self._count + len(new)
        if end > len(self._rows):
            self._reserve(max(end, 2 * self._count, 64))
        self._rows.times[self._count : end] = new.times
        self._rows.values[self._count : end] = new.values
        self._rows.status[self._count : end] = new.status
        self._count = end

    def _reserve(self, room: int) -> None:
        values: Values = np.empty(room, dtype=object) if self.text else np.empty(room, dtype=np.float64)
        grown = TagHistory(np.empty(room, dtype=np.int64), values, np.empty(room, dtype=np.uint32))
        stored = self.stored
        grown.times[: self._count] = stored.times
        grown.values[: self._count] = stored.values
        grown.status[: self._count] = stored.status
        self._rows = grown

    def _merge(self, new: TagHistory) -> None:
        stored = self.stored
        times = np.concatenate([stored.times, new.times])
        order = np.argsort(times, kind="stable")
        values = np.concatenate([stored.values, new.values])[order]
        self._rows = TagHistory(times[order], values, np.concatenate([stored.status, new.status])[order])
        self._count = len(times)


def _slice(rows: TagHistory, first: int, last: int) -> TagHistory:
    return TagHistory(rows.times[first:last], rows.values[first:last], rows.status[first:last])
