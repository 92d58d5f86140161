"""A `ServedSource` in memory: arrays of history per variable, live values appended, clients' writes stored."""

import threading
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tagsight_connectors.history import Sample, Span, TagHistory, Values, empty_history
from tagsight_connectors.serving import Changes, ClientWrite, ServedVariable
from tagsight_connectors.tag import DataType

FIRST_ROOM: Final = 64


class Series:
    """One variable's values, ascending by source time. The initial arrays are used as they are until one is added."""

    def __init__(self, initial: TagHistory) -> None:
        self._times, self._status = initial.times, initial.status
        self._values: Values = initial.values
        self._count = len(initial)
        self.changed = 0
        """Position of the newest change, see `MemorySource.changes`."""

    def __len__(self) -> int:
        return self._count

    def stored(self) -> TagHistory:
        """Everything, without a copy."""
        count = self._count
        return TagHistory(self._times[:count], self._values[:count], self._status[:count])

    def store(self, time_ns: int, value: float | str | None, status: int) -> None:
        """Add a value at its place in time; one that is there already is replaced."""
        at = int(np.searchsorted(self._times[: self._count], time_ns))
        if at < self._count and self._times[at] == time_ns:
            self._own(0)
        else:
            self._own(1)
            for array in (self._times, self._values, self._status):
                array[at + 1 : self._count + 1] = array[at : self._count]
            self._count += 1
        missing = np.nan if self._values.dtype != object else None
        self._times[at] = time_ns
        self._values[at] = missing if value is None else value
        self._status[at] = status

    def _own(self, more: int) -> None:
        """Arrays of our own with room for `more` values; doubles, so appending is cheap."""
        if len(self._times) >= self._count + more and self._times.flags.writeable and self._times.flags.owndata:
            return
        room = max(2 * self._count, FIRST_ROOM)
        held = self.stored()
        self._times = np.zeros(room, dtype=np.int64)
        texts = held.values.dtype == object
        self._values = np.empty(room, dtype=object) if texts else np.empty(room)
        self._status = np.zeros(room, dtype=np.uint32)
        for array, content in ((self._times, held.times), (self._values, held.values), (self._status, held.status)):
            array[: self._count] = content


class MemorySource:
    """Variables with their history; thread-safe.

    `append` adds live values; `accept` stores what clients write to variables with `writable_by` and keeps it in
    `written` too, in order.
    """

    def __init__(self, variables: Sequence[ServedVariable], history: Mapping[str, TagHistory] | None = None) -> None:
        self._lock = threading.Lock()
        self._variables: dict[str, ServedVariable] = {}
        self._series: dict[str, Series] = {}
        self._position = 0
        self._structure = 0
        self.written: list[ClientWrite] = []
        for variable in variables:
            self.add(variable, (history or {}).get(variable.identifier))

    def add(self, variable: ServedVariable, history: TagHistory | None = None) -> None:
        """One more variable, also while it is served."""
        with self._lock:
            self._variables[variable.identifier] = variable
            initial = empty_history(text=variable.data_type is DataType.TEXT) if history is None else history
            self._series[variable.identifier] = Series(initial)
            self._structure += 1
            self._moved(variable.identifier)

    def remove(self, identifier: str) -> None:
        """A variable less."""
        with self._lock:
            del self._variables[identifier], self._series[identifier]
            self._structure += 1

    def append(self, samples: Sequence[Sample]) -> None:
        """Live values."""
        with self._lock:
            for sample in samples:
                self._series[sample.address].store(sample.time_ns, sample.value, sample.status)
                self._moved(sample.address)

    def variables(self) -> Sequence[ServedVariable]:
        """All variables."""
        with self._lock:
            return tuple(self._variables.values())

    def structure_version(self) -> str:
        """Counts additions and removals."""
        return str(self._structure)

    def changes(self, position: int) -> Changes:
        """The newest value of everything that changed since."""
        with self._lock:
            moved = [name for name, series in self._series.items() if series.changed > position and len(series)]
            return Changes([self._newest(name) for name in moved], self._position)

    def history(self, identifier: str, span: Span, at_most: int, after: int) -> tuple[TagHistory, bool]:
        """Stored values of a span; copies, so that later values do not move them."""
        with self._lock:
            held = self._series[identifier].stored()
            start, stop = np.searchsorted(held.times, [span.start_ns, span.end_ns])
            first = int(start) + after
            last = min(first + at_most, int(stop))
            first = min(first, last)
            part = slice(first, last)
            page = TagHistory(held.times[part].copy(), held.values[part].copy(), held.status[part].copy())
            return page, last < int(stop)

    def accept(self, write: ClientWrite) -> bool:
        """Store a client's write as the newest truth for its source time."""
        with self._lock:
            self.written.append(write)
            self._series[write.identifier].store(write.time_ns, write.value, write.status)
            self._moved(write.identifier)
            return True

    def _moved(self, identifier: str) -> None:
        self._position += 1
        self._series[identifier].changed = self._position

    def _newest(self, identifier: str) -> Sample:
        held = self._series[identifier].stored()
        value = held.values[-1]
        plain = None if value is None or value != value else value  # noqa: PLR0124 - NaN is "no value"
        return Sample(identifier, int(held.times[-1]), plain, int(held.status[-1]))
