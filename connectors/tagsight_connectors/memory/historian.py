"""One session on a memory store, behind the `Historian` Protocol."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import AccessRefused, NotConnected, UnknownTag, WriteNotAllowed
from tagsight_connectors.historian import Description
from tagsight_connectors.history import Page, Sample, Span, TagHistory, WriteOutcome
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.patterns import matches
from tagsight_connectors.processing import ComputesFromRaw
from tagsight_connectors.quality import BAD_NO_DATA, BAD_NODE_ID_UNKNOWN
from tagsight_connectors.tag import Tag


def open_memory(connection: Connection) -> "MemoryHistorian":
    """The opener of `memory://name`: a session on the store of that name in this process."""
    name = connection.url.removeprefix("memory://")
    return MemoryHistorian(MemoryStore.named(name), accepted=connection.accepted, timeout_s=connection.timeout_s)


class MemoryHistorian(ComputesFromRaw):
    """A historian in memory. The data live in `store`, so that several sessions see the same plant.

    Attributes:
        store: tags, histories, faults and the record of writes.
    """

    def __init__(
        self,
        store: MemoryStore | None = None,
        *,
        accepted: frozenset[str] = frozenset(),
        timeout_s: float = 10.0,
    ) -> None:
        self.store = MemoryStore() if store is None else store
        self._accepted = accepted
        self._timeout_s = timeout_s
        self._connected = False

    @classmethod
    def named(cls, name: str, *, accepted: frozenset[str] = frozenset()) -> "MemoryHistorian":
        """A session on the store that `memory://name` opens in this process."""
        return cls(MemoryStore.named(name), accepted=accepted)

    @property
    def url(self) -> str:
        """Where we are connected."""
        return f"memory://{self.store.name}"

    async def connect(self) -> None:
        """Open a session. Raises NotConnected while the store is down or does not answer."""
        await self._answer()
        if self.store.faults.down:
            raise NotConnected(self.url, "the server does not answer")
        self._connected = True

    async def close(self) -> None:
        """End the session; again and again if you like."""
        self._connected = False

    async def describe(self) -> Description:
        """Name and clock of the store."""
        await self._request()
        return Description(
            self.url, "memory", server_time_ns=self.store.now_ns(), service_level=self.store.faults.service_level
        )

    async def browse(self, pattern: str = "*") -> AsyncIterator[Tag]:
        """Tags that match, in the order in which they were added."""
        await self._request()
        for tag in self.store.tags:
            if matches(pattern, tag):
                yield tag

    async def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        """Stored values of the span, tag after tag, in pages of at most `store.page_values`."""
        await self._request()
        for address in addresses:
            self._readable(address)
        for address in dict.fromkeys(addresses):
            found = self.store.history(address, span)
            for first in range(0, len(found), self.store.page_values):
                await self._request()
                if self.store.faults.loses_connection_now():
                    raise self._lost("the connection was reset between two pages")
                yield Page(address, _copy(found, first, first + self.store.page_values))

    async def read_current(self, addresses: Sequence[str]) -> Sequence[Sample]:
        """The newest value of each address, in the order asked."""
        await self._request()
        return [self._current(address) for address in addresses]

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """Store samples with Update semantics, keyed by address and source time."""
        for sample in samples:
            if sample.address not in self._accepted:
                raise WriteNotAllowed(what=f"write to {sample.address}", cause="it is not in the accepted list")
        await self._request()
        outcomes = self.store.record(samples)
        if self.store.faults.loses_response():
            raise self._lost("the connection was reset before the answer to a write")
        return outcomes

    def _readable(self, address: str) -> None:
        if self.store.tag(address) is None:
            raise UnknownTag(address)
        if address in self.store.faults.unreadable:
            raise AccessRefused(what=f"history of {address}", cause="the user may not read it")

    def _current(self, address: str) -> Sample:
        if self.store.tag(address) is None:
            return Sample(address, 0, None, BAD_NODE_ID_UNKNOWN)
        return self.store.newest(address) or Sample(address, 0, None, BAD_NO_DATA)

    async def _request(self) -> None:
        if not self._connected:
            raise NotConnected(self.url, "there is no session")
        await self._answer()
        if self.store.faults.down:
            raise self._lost("the server went away")

    async def _answer(self) -> None:
        wait = self.store.faults.answer_when
        if wait is None:
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                await wait()
        except TimeoutError:
            raise self._lost(cause=f"no answer within {self._timeout_s:g} s") from None

    def _lost(self, cause: str) -> NotConnected:
        self._connected = False
        return NotConnected(self.url, cause)


def _copy(found: TagHistory, first: int, last: int) -> TagHistory:
    return TagHistory(found.times[first:last].copy(), found.values[first:last].copy(), found.status[first:last].copy())
