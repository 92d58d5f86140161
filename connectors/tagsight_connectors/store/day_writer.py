"""From the pages of one read to stored days: each day is stored as soon as it is complete, in bounded memory."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tagsight_connectors.history import Page, Span, TagHistory
from tagsight_connectors.reading import join
from tagsight_connectors.store import limits
from tagsight_connectors.store.catalogue import Part, StoredDay
from tagsight_connectors.store.database import StoreFailure
from tagsight_connectors.store.days import DAY_NS, Content, TagKey, by_day
from tagsight_connectors.store.history_store import HistoryStore

_VALUE_BYTES: Final = 20
_TEXT_VALUES: Final = 4  # a text takes some 80 bytes beside its characters


@dataclass
class _Unfinished:
    """The day of one tag that is being read; the days before it are stored, but for `complete`: those are next."""

    tag: TagKey
    day: int
    complete: list[StoredDay] = field(default_factory=list)
    pieces: list[TagHistory] = field(default_factory=list)
    weight: int = 0
    parts: list[Part] = field(default_factory=list)
    content: Content = field(default_factory=Content)


class DayWriter:
    """Takes the pages of one read of whole days.

    A day is complete when a page of a later day of the same tag came (pages of a tag ascend), or when the read has
    ended without an error. Thread-safe: a page that is still being taken in a thread when the read is cancelled must
    not meet `abandon`. Raises StoreFailure.
    """

    def __init__(self, store: HistoryStore, tags: Sequence[TagKey], days: range, read_ns: int) -> None:
        self._store = store
        self._days = days
        self._read_ns = read_ns
        self._unfinished = {tag.address: _Unfinished(tag, days.start) for tag in tags}
        self._lock = threading.Lock()
        self._over = False

    def take(self, page: Page) -> None:
        """The next page of a tag."""
        with self._lock:
            self._take(page)

    def finish(self) -> None:
        """The read has ended without an error: everything is complete."""
        with self._lock:
            self._still_on()
            for one in self._unfinished.values():
                self._complete_until(one, self._days.stop)
                self._keep(one)

    def abandon(self) -> None:
        """The read is over: what is unfinished is not stored."""
        with self._lock:
            self._over = True
            for one in self._unfinished.values():
                self._store.discard(one.tag, [*one.parts, *(part for day in one.complete for part in day.parts)])

    def _take(self, page: Page) -> None:
        self._still_on()
        one = self._unfinished[page.address]
        for day, history in by_day(page.history):
            if not one.day <= day < self._days.stop:
                msg = f"{page.address}: the historian's values are not in order of time"
                raise StoreFailure(msg)
            self._complete_until(one, day)
            self._add(one, history)
        self._keep(one)
        while sum(one.weight for one in self._unfinished.values()) > limits.BUFFERED_VALUES:
            self._write(max(self._unfinished.values(), key=lambda one: one.weight))

    def doubt(self, address: str, from_ns: int) -> None:
        """An error says from when on a tag is missing: days from there on that this read stored do not count."""
        one = self._unfinished.get(address)
        if one is not None:
            first = min(one.day, max(self._days.start, from_ns // DAY_NS))
            self._store.forget(one.tag, range(first, one.day))
            self._store.discard(one.tag, one.parts)
            self._unfinished[address] = _Unfinished(one.tag, first)

    def missing(self) -> dict[TagKey, Span]:
        """What has not been stored yet of each tag."""
        starts = {one.tag: one.complete[0].day if one.complete else one.day for one in self._unfinished.values()}
        stop = self._days.stop
        return {tag: Span(start * DAY_NS, stop * DAY_NS) for tag, start in starts.items() if start < stop}

    def _add(self, one: _Unfinished, history: TagHistory) -> None:
        if one.pieces and (one.pieces[-1].values.dtype == object) is not (history.values.dtype == object):
            self._write(one)  # a file holds numbers or text
        one.pieces.append(history)
        one.content.add(history)
        one.weight += _weight(history)
        if one.weight > limits.PART_VALUES:
            self._write(one)

    def _write(self, one: _Unfinished) -> None:
        """What is in memory of a day goes to a file."""
        if one.pieces:
            pieces, one.pieces, one.weight = one.pieces, [], 0
            one.parts.append(self._store.write_part(one.tag, one.day, join(pieces), self._read_ns))

    def _complete_until(self, one: _Unfinished, day: int) -> None:
        """The unfinished day is complete, and the days after it, before `day`, have no values."""
        if one.day >= day:
            return
        self._write(one)
        content, one.content, parts, one.parts = one.content, Content(), one.parts, []
        one.complete.append(StoredDay(one.day, content.count, content.digest(), tuple(parts), self._read_ns))
        one.complete += [StoredDay(other, 0, "", (), self._read_ns) for other in range(one.day + 1, day)]
        one.day = day

    def _keep(self, one: _Unfinished) -> None:
        """Complete days count from now on: all that a page brought in one go."""
        self._store.add(one.tag, one.complete)
        one.complete = []

    def _still_on(self) -> None:
        if self._over:
            raise StoreFailure("the read is over")


def _weight(history: TagHistory) -> int:
    """Memory that values take, as so many numbers."""
    if history.values.dtype != object:
        return len(history)
    characters = sum(len(value) for value in history.values if value is not None)
    return _TEXT_VALUES * len(history) + characters // _VALUE_BYTES
