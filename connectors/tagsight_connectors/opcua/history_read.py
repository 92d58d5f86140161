"""Histories of many tags, completely or with an error that says what is missing (design law 1).

Groups of nodes are asked together; a node with a continuation point goes before one that was not asked yet, so that
the server never holds more points than one request has nodes. What a server finds too large, or does not answer in
time, is asked in halves; after silence, which may be the connection's, by the next session. Points that are still held
when the reader leaves are released.
"""

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tagsight_connectors.errors import NotConnected
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


@dataclass(frozen=True, slots=True)
class HistoryNode:
    """One node of a request: its address and the continuation point ("" for none)."""

    address: str
    point: bytes = b""


class HistoryService(Protocol):
    """The HistoryRead service (raw values, source times). Tests answer in its place.

    Raises NotConnected, TooLarge, NoAnswer for the whole request; a single node's failure is in its answer.
    """

    async def history_read(self, nodes: Sequence[HistoryNode], span: Span, at_most: int) -> Sequence[NodeAnswer]:
        """One answer for each node, in order; `at_most` values each."""

    async def release(self, nodes: Sequence[HistoryNode]) -> None:
        """Let the server forget these continuation points."""


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
        try:
            while waiting:
                for page in await self._round(waiting):
                    yield page
            await self.check_existence([pages.address for pages in everything if not pages.found])
        except NotConnected:
            for pages in everything:
                pages.point = b""  # gone with the session
            raise
        finally:
            await self._release([pages for pages in everything if pages.point])

    async def _round(self, waiting: deque[NodePages]) -> list[Page]:
        """One request for the first nodes that wait; those that are not done go back to the front."""
        group = self._group(waiting)
        try:
            answers = await self.service.history_read(
                [HistoryNode(pages.address, pages.point) for pages in group],
                Span(group[0].started_ns, group[0].span.end_ns),
                group[0].page_values,
            )
        except (TooLarge, NoAnswer):
            if not self.size.halve_history():
                raise
            await self._release(group)
            for pages in group:
                pages.restart()
            answers = ()
        except Silent:
            self.size.halve_history()
            raise
        result = [page for pages, answer in zip(group, answers, strict=False) for page in self._take(pages, answer)]
        await self._release([pages for pages in group if pages.done and pages.point])
        waiting.extendleft(pages for pages in reversed(group) if not pages.done)
        return result

    def _group(self, waiting: deque[NodePages]) -> list[NodePages]:
        """Nodes that can share a request: its range and number of values hold for all of them."""
        nodes = min(self.size.history_nodes, len(waiting))
        values = max(1, min(self.size.history_values // nodes, self.size.node_values, MOST_VALUES_PER_NODE))
        group: list[NodePages] = []
        while waiting and len(group) < nodes:
            pages = waiting[0]
            pages.page_values = pages.page_values or values
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
            if isinstance(error, TooLarge | NoAnswer) and self.size.halve_history():
                pages.restart()
                return ()
            pages.point = b""
            raise failure(pages, error)
        kept = pages.take(answer)
        return (Page(pages.address, kept),) if len(kept) else ()

    async def _release(self, held: Sequence[NodePages]) -> None:
        points = [HistoryNode(pages.address, pages.point) for pages in held if pages.point]
        for pages in held:
            pages.point = b""
        if points:
            await self.service.release(points)


def _fit(one: NodePages, other: NodePages) -> bool:
    """A continuation point carries its own position, but a server may compare the rest of the request."""
    return one.page_values == other.page_values and one.started_ns == other.started_ns
