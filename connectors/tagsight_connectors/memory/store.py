"""What a memory historian keeps: tags, their histories, and a record of every write. Sessions come and go."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import ArrayLike

from tagsight_connectors.errors import UnknownTag
from tagsight_connectors.history import Sample, Span, TagHistory, Values, WriteOutcome
from tagsight_connectors.memory.faults import MemoryFaults
from tagsight_connectors.memory.series import StoredSeries
from tagsight_connectors.quality import BAD_NODE_ID_UNKNOWN, BAD_NOT_WRITABLE, BAD_TYPE_MISMATCH, GOOD
from tagsight_connectors.tag import Access, DataType, Tag


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """One call of `write` that reached the store, with what it answered."""

    samples: tuple[Sample, ...]
    outcomes: tuple[WriteOutcome, ...]


@dataclass(eq=False)
class MemoryStore:
    """The data behind one or more memory historians.

    Attributes:
        name: the part after `memory://`.
        page_values: the most values in one page of history.
        now_ns: the clock of this historian, UTC ns.
        faults: what is broken at the moment.
        writes: every write that arrived, in order.
    """

    name: str = ""
    page_values: int = 10_000
    now_ns: Callable[[], int] = time.time_ns
    faults: MemoryFaults = field(default_factory=MemoryFaults)
    writes: list[WriteRecord] = field(default_factory=list)
    _tags: dict[str, Tag] = field(default_factory=dict)
    _series: dict[str, StoredSeries] = field(default_factory=dict)

    @staticmethod
    def named(name: str) -> "MemoryStore":
        """The store of this name in this process; made on first use, gone with its last user."""
        store = _NAMED.get(name)
        if store is None:
            store = _NAMED[name] = MemoryStore(name)
        return store

    @property
    def tags(self) -> Sequence[Tag]:
        """All tags, in the order in which they were added."""
        return tuple(self._tags.values())

    def tag(self, address: str) -> Tag | None:
        """The tag at an address."""
        return self._tags.get(address)

    def add(self, tag: Tag) -> None:
        """Add a tag without values, or replace what is known of it; its values stay."""
        self._tags[tag.address] = tag
        self._series.setdefault(tag.address, StoredSeries(text=tag.data_type is DataType.TEXT))

    def add_result(self, address: str, data_type: DataType = DataType.NUMBER) -> None:
        """Add a tag that results may be written to; its path is its address."""
        rights = Access.READ | Access.READ_HISTORY | Access.WRITE | Access.WRITE_STATUS | Access.WRITE_TIME
        self.add(Tag(address, address, data_type, access=rights))

    def append(self, address: str, times: ArrayLike, values: ArrayLike, status: ArrayLike = GOOD) -> None:
        """Store history as the plant would: in any order, duplicates kept. `status`: one code, or one for each."""
        series = self._series_of(address)
        ns = np.asarray(times, dtype=np.int64)
        typed: Values = np.asarray(values, dtype=object if series.text else np.float64)
        series.append(TagHistory(ns, typed, np.broadcast_to(np.asarray(status, dtype=np.uint32), ns.shape)))

    def history(self, address: str, span: Span | None = None) -> TagHistory:
        """What is stored at an address, in a span or all of it; views that never change."""
        series = self._series_of(address)
        return series.stored if span is None else series.within(span)

    def newest(self, address: str) -> Sample | None:
        """The value with the latest source time."""
        stored = self._series_of(address).stored
        return sample_at(address, stored, len(stored) - 1) if len(stored) else None

    def record(self, samples: Sequence[Sample]) -> tuple[WriteOutcome, ...]:
        """Store what may be stored and note it all in `writes`."""
        outcomes = tuple(self._store(sample) for sample in samples)
        self.writes.append(WriteRecord(tuple(samples), outcomes))
        return outcomes

    def _store(self, sample: Sample) -> WriteOutcome:
        refusal = self._refusal(sample)
        if refusal:
            return WriteOutcome(sample.address, refusal)
        kept = not self.faults.no_source_times
        series = self._series_of(sample.address)
        series.update(_row(sample, sample.time_ns if kept else self.now_ns(), text=series.text))
        return WriteOutcome(sample.address, GOOD, time_kept=kept)

    def _refusal(self, sample: Sample) -> int:
        tag = self._tags.get(sample.address)
        if tag is None:
            return BAD_NODE_ID_UNKNOWN
        if Access.WRITE not in tag.access:
            return BAD_NOT_WRITABLE
        if sample.value is not None and isinstance(sample.value, str) is not (tag.data_type is DataType.TEXT):
            return BAD_TYPE_MISMATCH
        return self.faults.refused_writes.get(sample.address, 0)

    def _series_of(self, address: str) -> StoredSeries:
        if address not in self._series:
            raise UnknownTag(address)
        return self._series[address]


# Two who open `memory://plant` in one process must see the same plant, as two clients of one server do. Held weakly,
# so that a store ends with its last user and no test inherits another test's plant.
_NAMED: Final[WeakValueDictionary[str, MemoryStore]] = WeakValueDictionary()


def sample_at(address: str, history: TagHistory, index: int) -> Sample:
    """One row of a history as a sample; NaN becomes None."""
    value = history.values[index]
    if not isinstance(value, str):
        value = None if value is None or np.isnan(value) else float(value)
    return Sample(address, int(history.times[index]), value, int(history.status[index]))


def _row(sample: Sample, time_ns: int, *, text: bool) -> TagHistory:
    values: Values
    if text:
        values = np.empty(1, dtype=object)
        values[0] = sample.value
    else:
        values = np.array([np.nan if sample.value is None else float(sample.value)])
    return TagHistory(np.array([time_ns], dtype=np.int64), values, np.array([sample.status], dtype=np.uint32))
