"""The pages of one node's history: what is new in each, whether more must be asked, and how.

Pure: answers go in, new values and a decision come out. What servers do, and what follows:

* The same continuation point again and again is allowed; the same values again and again are not: `STALLED` answers
  without a new value end in IncompleteRead.
* A page that repeats the end of the one before (a point that is a time): the repetition is dropped. Only rows that
  equal in time, value and status count as repeated, in the same order, so stored duplicates inside a page stay.
* A full page without a continuation point (asyncua's and the legacy server do that when our own limit cut the
  answer): asked again from the last time on; only an answer without anything new ends the read.
* A point that is itself a time (asyncua's and the legacy server do that): not followed, because the legacy server names
  the second value that did not fit, so the first would be lost; asked again from the last time on.
* A point that expired or that the server has no room for: asked again from the last time on.
* Values outside the span (servers differ on whether its end belongs to it): cut off.
* A server that does not answer about a long time: it is asked about one part of the span after the other.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tagsight_connectors.errors import HistorianError, IncompleteRead, Unsupported
from tagsight_connectors.history import Span, TagHistory, empty_history
from tagsight_connectors.opcua.decoding import NodeAnswer
from tagsight_connectors.opcua.wire import ns_of_ticks

STALLED: Final = 3
"""Answers in a row without a new value, before the server counts as endless."""

NOT_ADVANCING: Final = 50
"""Answers in a row whose newest time is that of the answer before."""

LONGEST_OVERLAP: Final = 1_000
"""Rows of one time that are compared as a possible repetition."""

BAD_CONTINUATION_POINT_INVALID: Final = 0x804A0000
BAD_NO_CONTINUATION_POINTS: Final = 0x804B0000


@dataclass
class NodePages:
    """The reading of one address.

    Attributes:
        address: as asked.
        span: as asked.
        page_values: values asked for in one answer; set when a read (re)starts.
        point: continuation point for the next request; empty: ask from `started_ns`.
        done: nothing more to ask; after `begin` with a part of the span: of that part, see `go_on`.
        found: rows handed on so far.
        started_ns: where the request began that the continuation point belongs to.
        until_ns: where it ends; that of the span, or of a part of it.
    """

    address: str
    span: Span
    page_values: int = 0
    point: bytes = b""
    done: bool = False
    found: int = 0
    started_ns: int = field(init=False)
    until_ns: int = field(init=False)
    _last: TagHistory = field(default_factory=empty_history)
    _stalled: int = 0
    _same_time: int = 0

    def __post_init__(self) -> None:
        self.started_ns = self.span.start_ns
        self.until_ns = self.span.end_ns

    @property
    def from_ns(self) -> int:
        """The newest time that was read; everything before it is complete."""
        return int(self._last.times[-1]) if len(self._last) else self.started_ns

    def begin(self, page_values: int, range_ns: int) -> None:
        """How much the next request asks for, unless it goes on with a continuation point."""
        if not self.page_values:
            self.page_values = page_values
            self.until_ns = min(self.started_ns + range_ns, self.span.end_ns)

    def go_on(self) -> None:
        """To the next part of the span, where this one is done."""
        if self.done and self.until_ns < self.span.end_ns:
            self.done = False
            self.point = b""
            self.page_values = 0
            self.started_ns = self.until_ns
            self._last = empty_history()

    def restart(self) -> None:
        """Forget the continuation point: the next request asks from the last time on."""
        self.point = b""
        self.page_values = 0
        self.started_ns = self.from_ns

    def lost_point(self) -> None:
        """The point was refused; raises IncompleteRead when that happens again and again without progress."""
        self.restart()
        self._count_stalled("the server refuses its own continuation points")

    def incomplete(self, cause: str) -> IncompleteRead:
        """The error that says from where on values are missing."""
        return IncompleteRead(self.address, self.from_ns, self.span.end_ns, cause)

    def take(self, answer: NodeAnswer) -> TagHistory:
        """What is new in an answer of Good or Uncertain status; `done` and `point` say how to go on."""
        if answer.unreadable:
            raise Unsupported(what=f"history of {self.address}: {answer.unreadable}")
        page = _sorted(answer.history)
        new = self._new(page)
        self._decide(answer, page, new)
        kept = _cut(new, Span(self.span.start_ns, self.until_ns))
        self.found += len(kept)
        return kept

    def _new(self, page: TagHistory) -> TagHistory:
        """The page without what the one before already held."""
        reach = int(np.searchsorted(page.times, self.from_ns, side="right")) if len(self._last) else 0
        if not reach:
            return page
        earlier = int(page.times[0]) < self.from_ns
        candidates = [reach] if earlier else range(min(reach, len(self._last), LONGEST_OVERLAP), 0, -1)
        for count in candidates:
            if count <= len(self._last) and _equal(_part(self._last, -count, None), _part(page, 0, count)):
                return _part(page, count, None)
        if earlier:
            raise self.incomplete("the server sent values that are older than those before them")
        return page

    def _decide(self, answer: NodeAnswer, page: TagHistory, new: TagHistory) -> None:
        asked, before = self.page_values, self.from_ns
        self.point = answer.continuation_point or b""
        by_time = len(page) > 0 and _is_time(self.point, int(page.times[-1]), self.until_ns)
        if by_time:
            self.point = b""
        if len(new):
            self._stalled = 0
            self._same_time = self._same_time + 1 if len(self._last) and int(new.times[-1]) == before else 0
            self._last = new
        beyond = len(page) > 0 and int(page.times[-1]) >= self.until_ns
        cut_without_point = by_time or (not self.point and 0 < asked <= len(page))
        if cut_without_point and not len(new) and int(page.times[0]) == int(page.times[-1]):
            raise self.incomplete("there are more values of one time than the server puts into an answer")
        if beyond or (not self.point and not (cut_without_point and (len(new) or by_time))):
            self.done = True  # a point that is still held is released by the reader
            return
        if not self.point:
            self.restart()
        if not len(new):
            self._count_stalled("the server sends the same values again and again")
        if self._same_time > NOT_ADVANCING:
            raise self.incomplete("the server sends values of one time without end")

    def _count_stalled(self, cause: str) -> None:
        self._stalled += 1
        if self._stalled > STALLED:
            raise self.incomplete(cause)


def failure(pages: NodePages, error: HistorianError) -> HistorianError:
    """The error of one node's Bad status, in words that say from where values are missing once some were read."""
    return pages.incomplete(str(error)) if pages.found else error


def _is_time(point: bytes, first_ns: int, last_ns: int) -> bool:
    """Whether the eight bytes of a point are a DateTime within these; by chance: once in 60,000 for a year's span."""
    return len(point) == 8 and first_ns <= ns_of_ticks(int.from_bytes(point, "little", signed=True)) <= last_ns


def _part(history: TagHistory, first: int, last: int | None) -> TagHistory:
    return TagHistory(history.times[first:last], history.values[first:last], history.status[first:last])


def _equal(one: TagHistory, other: TagHistory) -> bool:
    if not (np.array_equal(one.times, other.times) and np.array_equal(one.status, other.status)):
        return False
    if one.values.dtype.kind == "O" or other.values.dtype.kind == "O":
        return one.values.tolist() == other.values.tolist()
    return np.array_equal(one.values, other.values, equal_nan=True)


def _sorted(history: TagHistory) -> TagHistory:
    """By time; rows of equal times keep their order. Servers should sort; one that does not loses nothing here."""
    if len(history) < 2 or not (np.diff(history.times) < 0).any():
        return history
    order = np.argsort(history.times, kind="stable")
    return TagHistory(history.times[order], history.values[order], history.status[order])


def _cut(history: TagHistory, span: Span) -> TagHistory:
    first, last = np.searchsorted(history.times, [span.start_ns, span.end_ns], side="left")
    return history if last - first == len(history) else _part(history, int(first), int(last))
