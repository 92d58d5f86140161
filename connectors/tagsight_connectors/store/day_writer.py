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
    """The day of one tag that is being read; the days before it are stored."""

    tag: TagKey
    day: int
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
            for address in self._unfinished:
                self._store_until(address, self._days.stop)

    def abandon(self) -> None:
        """The read is over: what is unfinished is not stored."""
        with self._lock:
            self._over = True
            for one in self._unfinished.values():
                self._store.discard(one.tag, one.parts)

    def _take(self, page: Page) -> None:
        self._still_on()
        for day, history in by_day(page.history):
            if not self._unfinished[page.address].day <= day < self._days.stop:
                msg = f"{page.address}: the historian's values are not in order of time"
                raise StoreFailure(msg)
            self._store_until(page.address, day)
            self._add(self._unfinished[page.address], history)
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
        stop = self._days.stop
        return {one.tag: Span(one.day * DAY_NS, stop * DAY_NS) for one in self._unfinished.values() if one.day < stop}

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

    def _store_until(self, address: str, day: int) -> None:
        """The unfinished day is complete, and the days after it, before `day`, have no values."""
        one = self._unfinished[address]
        if one.day >= day:
            return
        self._write(one)
        first = StoredDay(one.day, one.content.count, one.content.digest(), tuple(one.parts), self._read_ns)
        empty = [StoredDay(other, 0, "", (), self._read_ns) for other in range(one.day + 1, day)]
        self._store.add(one.tag, [first, *empty])
        self._unfinished[address] = _Unfinished(one.tag, day)

    def _still_on(self) -> None:
        if self._over:
            raise StoreFailure("the read is over")


def _weight(history: TagHistory) -> int:
    """Memory that values take, as so many numbers."""
    if history.values.dtype != object:
        return len(history)
    characters = sum(len(value) for value in history.values if value is not None)
    return _TEXT_VALUES * len(history) + characters // _VALUE_BYTES
