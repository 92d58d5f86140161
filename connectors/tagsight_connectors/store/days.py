"""UTC days: the unit in which history is stored."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.store import limits

DAY_NS: Final = 86_400_000_000_000


class Damaged(Exception):
    """A file that does not hold what was written."""


@dataclass(frozen=True, slots=True)
class TagKey:
    """One tag of one historian. Both are text from outside and never become part of a path.

    Attributes:
        historian: what identifies it; another URL is another historian.
        address: of the tag.
    """

    historian: str
    address: str

    @property
    def folder(self) -> str:
        """Where its files lie: two levels of hexadecimal digits, the same for the same tag."""
        digest = hashlib.sha256(
            f"{len(self.historian)}:{self.historian}{self.address}".encode("utf-8", "surrogatepass")
        ).hexdigest()
        return f"{digest[:2]}/{digest[2:34]}"


def date_of(day: int) -> str:
    """`2026-03-01`."""
    return str(np.datetime64(day, "D"))


def span_of(days: range) -> Span:
    """All of these consecutive days."""
    return Span(days.start * DAY_NS, max(days.start, days.stop) * DAY_NS)


def days_of(span: Span, final_ns: int, at_most: int) -> range:
    """The days that a span touches and that ended at or before `final_ns`; of more than `at_most`, the newest."""
    last = min(-(-span.end_ns // DAY_NS), final_ns // DAY_NS)
    first = max(span.start_ns // DAY_NS, last - at_most)
    return range(first, max(first, last))


def by_day(history: TagHistory) -> Iterator[tuple[int, TagHistory]]:
    """The parts of a history, day by day, as copies: what is held of a page must not hold all of the page."""
    days = history.times // DAY_NS
    edges = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(history)]
    for first, last in pairwise(edges):
        if first < last:
            rows = slice(first, last)
            part = TagHistory(history.times[rows].copy(), history.values[rows].copy(), history.status[rows].copy())
            yield int(days[first]), part


def clipped(history: TagHistory, span: Span) -> TagHistory:
    """What lies in the span."""
    first, last = np.searchsorted(history.times, [span.start_ns, span.end_ns])
    if first == 0 and last == len(history):
        return history
    return TagHistory(history.times[first:last], history.values[first:last], history.status[first:last])


def runs_of(days: Iterable[int]) -> Iterator[range]:
    """Consecutive days together, ascending."""
    start = stop = None
    for day in sorted(set(days)):
        if stop is not None and day == stop:
            stop = day + 1
            continue
        if start is not None and stop is not None:
            yield range(start, stop)
        start, stop = day, day + 1
    if start is not None and stop is not None:
        yield range(start, stop)


def _bytes(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).data


def _framed(value: object) -> bytes:
    """A text with its length before it; `-` for none."""
    if value is None:
        return b"-"
    text = str(value).encode("utf-8", "surrogatepass")
    return b"%d:%b" % (len(text), text)


class Content:
    """A digest of the values of a day, however they are divided into pages and whatever writes the file."""

    def __init__(self) -> None:
        self._hashes = [hashlib.sha256() for _ in range(3)]
        self.count = 0

    def add(self, history: TagHistory) -> None:
        """Values that follow those before."""
        times, values, status = self._hashes
        times.update(_bytes(history.times))
        status.update(_bytes(history.status))
        if history.values.dtype == object:
            for first in range(0, len(history), limits.TEXTS_AT_ONCE):
                values.update(b"".join(map(_framed, history.values[first : first + limits.TEXTS_AT_ONCE])))
        else:
            values.update(_bytes(history.values))
        self.count += len(history)

    def digest(self) -> str:
        """Of everything so far; "" when there was nothing."""
        if not self.count:
            return ""
        return hashlib.sha256(b"".join(one.digest() for one in self._hashes)).hexdigest()
