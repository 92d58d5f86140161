"""Histories of many tags, completely or with an error that says what is missing (design law 1).

Groups of nodes are asked together; a node with a continuation point goes before one that was not asked yet, so that the
server never holds more points than `RequestSize` allows nodes. While one answer is decoded, and while the reader works
on its pages, the server prepares the next: requests overlap, for one node one after the other, for more of them two
groups in turn. What a server finds too large, or does not answer in time, is asked in halves, from then on without
overlap; what is not answered in time is asked about half the time, too; after silence, which may be the connection's,
by the next session. Points that are still held when the reader leaves are released.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_connectors.history import Page, Span
from tagsight_connectors.opcua.decoding import NodeAnswer
from tagsight_connectors.opcua.error_mapping import NoAnswer, Silent, TooLarge, status_error
from tagsight_connectors.opcua.paging import (
    BAD_CONTINUATION_POINT_INVALID,
    BAD_NO_CONTINUATION_POINTS,
    NodePages,
    failure,
)
from tagsight_connectors.opcua.request_size import RequestSize
from tagsight_connectors.quality import BAD_NO_DATA

MOST_VALUES_PER_NODE: Final = 50_000

ARRIVAL_S: Final = 2.0
"""Longest wait, when the reader has left, for answers whose continuation points are to be released."""


@dataclass(frozen=True, slots=True)
class HistoryNode:
    """One node of a request: its address and the continuation point ("" for none)."""

    address: str
    point: bytes = b""


class HistoryService(Protocol):
    """The HistoryRead service (raw values, source times). Tests answer in its place.

    Raises NotConnected, TooLarge, NoAnswer for the whole request; a single node's failure is in its answer.
    """

    def history_read(
        self, nodes: Sequence[HistoryNode], span: Span, at_most: int
    ) -> Coroutine[Any, Any, Sequence[NodeAnswer]]:
        """One answer for each node, in order; `at_most` values each."""

    async def release(self, nodes: Sequence[HistoryNode]) -> None:
        """Let the server forget these continuation points."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request on its way, and how much was asked at once then."""

    group: Sequence[NodePages]
    answers: "asyncio.Task[Sequence[NodeAnswer]]"
    size: RequestSize


@dataclass
class HistoryReader:
    """Reads whole spans.

    Attributes:
        service: where the answers come from.
        size: how much is asked at once; halved here when the server refuses.
        url: for errors.
        check_existence: called with the addresses that had no value; raises UnknownTag or AccessRefused where
            "nothing" was not the truth (some servers answer Good for tags that they do not have).
    """

    service: HistoryService
    size: RequestSize
    url: str
    check_existence: Callable[[Sequence[str]], Awaitable[None]]

    async def read(self, addresses: Sequence[str], span: Span) -> AsyncGenerator[Page, None]:
        """Pages of every address, complete when the iterator ends."""
        everything = [NodePages(address, span) for address in dict.fromkeys(addresses)]
        waiting = deque(everything if span.start_ns < span.end_ns else ())
        asked: deque[_Asked] = deque()
        try:
            while waiting or asked:
                self._ask(waiting, asked)
                arrived = await self._answered(waiting, asked)
                self._ask(waiting, asked)
                await asyncio.sleep(0)  # it leaves before the reader works on the pages
                for page in arrived:
                    yield page
            await self.check_existence([pages.address for pages in everything if not pages.found])
        except NotConnected:
            await _let_arrive(asked)
            for pages in everything:
                pages.point = b""  # gone with the session
            raise
        finally:
            await _let_arrive(asked)
            await self._release([pages for pages in everything if pages.point])

    def _ask(self, waiting: deque[NodePages], asked: deque[_Asked]) -> None:
        """As many requests as may be on their way, for the first nodes that wait."""
        while waiting and (free := self.size.overlapping - len(asked)) > 0:
            group = self._group(waiting, free)
            request = self.service.history_read(
                [HistoryNode(pages.address, pages.point) for pages in group],
                Span(group[0].started_ns, group[0].until_ns),
                group[0].page_values,
            )
            asked.append(_Asked(group, asyncio.create_task(request), replace(self.size)))

    async def _answered(self, waiting: deque[NodePages], asked: deque[_Asked]) -> list[Page]:
        """The oldest request's answer; nodes that are not done go back to the front."""
        one = asked.popleft()
        try:
            answers = await one.answers
        except (TooLarge, NoAnswer) as error:
            if self.size == one.size and not self._halve(error, one.group[0]):
                raise
            await self._release(one.group)
            for pages in one.group:
                pages.restart()
            answers = ()
        except Silent as error:
            self._halve(error, one.group[0])
            raise
        result = [page for pages, answer in zip(one.group, answers, strict=False) for page in self._take(pages, answer)]
        await self._release([pages for pages in one.group if pages.done and pages.point])
        for pages in one.group:
            pages.go_on()
        waiting.extendleft(pages for pages in reversed(one.group) if not pages.done)
        return result

    def _group(self, waiting: deque[NodePages], free: int) -> list[NodePages]:
        """Nodes that can share a request: its range and number of values hold for all of them."""
        nodes = min(self.size.history_nodes // self.size.overlapping, -(-len(waiting) // free))
        values = max(1, min(self.size.history_values // nodes, self.size.node_values, MOST_VALUES_PER_NODE))
        group: list[NodePages] = []
        while waiting and len(group) < nodes:
            pages = waiting[0]
            pages.begin(values, self.size.history_range_ns)
            if group and not _fit(group[0], pages):
                break
            group.append(waiting.popleft())
        return group

    def _take(self, pages: NodePages, answer: NodeAnswer) -> Sequence[Page]:
        if answer.status in {BAD_CONTINUATION_POINT_INVALID, BAD_NO_CONTINUATION_POINTS}:
            pages.lost_point()
            self.size.halve("history_nodes")
            return ()
        if answer.status == BAD_NO_DATA:
            pages.point, pages.done = b"", True
            return ()
        if answer.status >> 31:
            error = status_error(answer.status, url=self.url, what=pages.address)
            if isinstance(error, TooLarge | NoAnswer) and self._halve(error, pages):
                pages.restart()
                return ()
            pages.point = b""
            raise failure(pages, error)
        kept = pages.take(answer)
        return (Page(pages.address, kept),) if len(kept) else ()

    def _halve(self, error: HistorianError, pages: NodePages) -> bool:
        """Ask for less from now on; False when it is the least already."""
        less = self.size.halve_history()
        shorter = not isinstance(error, TooLarge) and self.size.halve_range(pages.until_ns - pages.started_ns)
        return less or shorter

    async def _release(self, held: Sequence[NodePages]) -> None:
        points = [HistoryNode(pages.address, pages.point) for pages in held if pages.point]
        for pages in held:
            pages.point = b""
        if points:
            await self.service.release(points)


def _fit(one: NodePages, other: NodePages) -> bool:
    """A continuation point carries its own position, but a server may compare the rest of the request."""
    return (one.page_values, one.started_ns, one.until_ns) == (other.page_values, other.started_ns, other.until_ns)


async def _let_arrive(asked: deque[_Asked]) -> None:
    """End the requests that are on their way; the points of those that arrive are held, as of those that were taken."""
    if not asked:
        return
    await asyncio.wait([one.answers for one in asked], timeout=ARRIVAL_S)
    while asked:
        one = asked.popleft()
        one.answers.cancel()
        (found,) = await asyncio.gather(one.answers, return_exceptions=True)
        for pages, answer in zip(one.group, () if isinstance(found, BaseException) else found, strict=False):
            pages.point = answer.continuation_point or b""
