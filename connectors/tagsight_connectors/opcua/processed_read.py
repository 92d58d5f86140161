"""Aggregates that the server computes, and which of them it does not.

What a server lists among its AggregateFunctions and capabilities is not asked: node-opcua computes more than it
lists, and denies histories that it has. An aggregate is tried; a server that refuses it, or whose answer does not
stand on the grid, is not asked for it again in this session, and the caller computes from raw values.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from asyncua import ua

from tagsight_connectors.errors import IncompleteRead, MalformedData, Unsupported
from tagsight_connectors.history import Span, TagHistory, Times
from tagsight_connectors.opcua.decoding import NodeAnswer
from tagsight_connectors.opcua.error_mapping import NoAnswer, ServiceFailed, Silent, TooLarge, status_error
from tagsight_connectors.opcua.history_read import HistoryNode, HistoryReader
from tagsight_connectors.opcua.paging import BAD_CONTINUATION_POINT_INVALID, BAD_NO_CONTINUATION_POINTS
from tagsight_connectors.opcua.request_size import RequestSize
from tagsight_connectors.quality import BAD_NO_DATA
from tagsight_connectors.reading import join

MOST_TIMES_PER_NODE: Final = 500
"""Intervals or times of one node in one request: a server computes them all before it answers, and node-opcua looks at
all values of the request for each (100,000 values: 1,666 averages in 3.6 s at once, in 0.8 s in parts of 300)."""

MOST_UNANSWERED: Final = 3
"""Requests of one read that may go without an answer; each costs the connection's timeout."""

Details = Callable[[Times, int], ua.ExtensionObject]
"""The request for these times (starts of intervals, or times themselves) of so many nodes."""


class DetailsService(Protocol):
    """The HistoryRead service for any details. Tests answer in its place.

    Raises what `HistoryService` raises, and Unsupported.
    """

    url: str

    async def history_details(self, nodes: Sequence[HistoryNode], details: ua.ExtensionObject) -> Sequence[NodeAnswer]:
        """One answer for each node, in order."""

    async def release(self, nodes: Sequence[HistoryNode]) -> None:
        """Let the server forget these continuation points."""


@dataclass
class ServerAggregates:
    """What the server of this session has refused: (what, address), or (what, "") for every address."""

    refused: set[tuple[object, str]] = field(default_factory=set)

    def may_ask(self, what: object, address: str) -> bool:
        """It was not refused yet."""
        return not {(what, ""), (what, address)} & self.refused


@dataclass
class ProcessedReader:
    """Asks for one kind of values at given times.

    Attributes:
        service: of the session.
        size: how much is asked at once; halved here when the server refuses. Not that of raw reads: a server may
            compute slowly and still send quickly.
        known: what the session has learned.
        what: key of `known`.
        details: makes the request.
    """

    service: DetailsService
    size: RequestSize
    known: ServerAggregates
    what: object
    details: Details

    async def read(self, addresses: Sequence[str], times: Times) -> dict[str, TagHistory]:
        """A value for each time and address; addresses for which the server computes nothing are left out.

        Raises any HistorianError but Unsupported.
        """
        found: dict[str, TagHistory] = {}
        unanswered = 0
        waiting = deque(dict.fromkeys(addresses))
        while waiting:
            nodes = min(self.size.history_nodes, len(waiting))
            group = [waiting.popleft() for _ in range(nodes)]
            asked = [address for address in group if self.known.may_ask(self.what, address)]
            try:
                answered = await self._group(asked, times) if asked else {}
            except (TooLarge, NoAnswer) as error:
                unanswered += isinstance(error, NoAnswer)
                if unanswered <= MOST_UNANSWERED and self.size.halve_history():
                    waiting.extendleft(reversed(group))
                    continue
                answered = {}  # raw values may still come
            except Silent:
                self.size.halve_history()
                raise
            found |= answered
            self.known.refused |= {(self.what, address) for address in asked if address not in answered}
        return found

    async def _group(self, group: Sequence[str], times: Times) -> dict[str, TagHistory]:
        """Answers of nodes that share requests, part after part of the times."""
        parts: dict[str, list[TagHistory]] = {address: [] for address in group}
        for part in self._parts(times, len(group)):
            asked = _Asked(self.service, self.details, part)
            reader = HistoryReader(asked, _AsGiven(history_nodes=len(group)), self.service.url, _nothing)
            try:
                async with aclosing(reader.read(list(parts), Span(int(part[0]), int(part[-1]) + 1))) as pages:
                    async for page in pages:
                        parts[page.address].append(page.history)
            except (Unsupported, MalformedData, ServiceFailed, IncompleteRead):
                self.known.refused.add((self.what, ""))
                return {}
            parts = {address: rows for address, rows in parts.items() if address not in asked.refused}
            if not parts:
                break
        placed = {address: _placed(join(rows), times) for address, rows in parts.items()}
        return {address: rows for address, rows in placed.items() if rows is not None}

    def _parts(self, times: Times, nodes: int) -> Iterator[Times]:
        length = max(1, min(self.size.history_values // nodes, MOST_TIMES_PER_NODE))
        for first in range(0, len(times), length):
            yield times[first : first + length]


@dataclass
class _Asked:
    """The HistoryRead service of `HistoryReader`, for these details; a refusal of one node is noted, not raised."""

    service: DetailsService
    details: Details
    times: Times
    refused: set[str] = field(default_factory=set)

    async def history_read(self, nodes: Sequence[HistoryNode], span: Span, at_most: int) -> Sequence[NodeAnswer]:
        """`at_most` is no part of such a request: the times say how much comes."""
        del at_most
        asked = self.times[np.searchsorted(self.times, span.start_ns) :]
        answers = await self.service.history_details(nodes, self.details(asked, len(nodes)))
        return [self._heard(node.address, answer) for node, answer in zip(nodes, answers, strict=True)]

    async def release(self, nodes: Sequence[HistoryNode]) -> None:
        """As for raw values."""
        await self.service.release(nodes)

    def _heard(self, address: str, answer: NodeAnswer) -> NodeAnswer:
        if not answer.status >> 31 or answer.status in {BAD_CONTINUATION_POINT_INVALID, BAD_NO_CONTINUATION_POINTS}:
            return answer
        if not isinstance(status_error(answer.status, url="", what=""), Unsupported | MalformedData | ServiceFailed):
            return answer
        self.refused.add(address)
        return NodeAnswer(BAD_NO_DATA, None)


@dataclass
class _AsGiven(RequestSize):
    """What is too large is made smaller by `ProcessedReader`, which knows the times."""

    history_requests: int = 1
    history_values: int = 2**40

    def halve_history(self) -> bool:
        """Never."""
        return False

    def halve_range(self, asked_ns: int) -> bool:
        """Never."""
        del asked_ns
        return False


async def _nothing(_addresses: Sequence[str]) -> None:
    """A tag without any answer is left out, and read raw: there its existence is asked."""


def _placed(rows: TagHistory, times: Times) -> TagHistory | None:
    """One value for each time, Bad_NoData where none came; None if these are no answers to the question."""
    if not len(rows) or rows.values.dtype == object:
        return None
    where = np.searchsorted(times, rows.times)
    if not np.array_equal(times[np.minimum(where, len(times) - 1)], rows.times):
        return None
    values = np.full(len(times), np.nan)
    status = np.full(len(times), BAD_NO_DATA, dtype=np.uint32)
    values[where], status[where] = rows.values, rows.status
    values[(status >> np.uint32(31)).astype(np.bool_)] = np.nan
    return TagHistory(times, values, status)
