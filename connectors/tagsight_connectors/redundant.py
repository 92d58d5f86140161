"""Several servers of one historian (OPC 10000-4, 6.6.2: non-transparent redundancy): one is used at a time.

The server with the highest ServiceLevel is used: 200 to 255 is healthy, 2 to 199 degraded, 1 without data, 0 under
maintenance. They answer with the same addresses, so what was read from one goes on with the other.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Final, cast

from tagsight_connectors.aggregates import STANDARD, Aggregate, AggregateConfiguration, ProcessedHistory
from tagsight_connectors.errors import HistorianError, NotConnected, Unsupported
from tagsight_connectors.historian import Description, Historian
from tagsight_connectors.history import Page, Sample, Span, Times, WriteOutcome
from tagsight_connectors.live import LiveSource, LiveSubscription, Receiver
from tagsight_connectors.tag import Tag

HEALTHY: Final = 200
"""Least ServiceLevel of a healthy server; one that tells none counts as healthy."""

WITH_DATA: Final = 2
"""Least ServiceLevel of a server that has data."""


class RedundantHistorian:
    """`Historian` over several servers, with the same laws.

    `connect` asks each server in turn and keeps the first healthy one, else the best; the other sessions are closed at
    once. `describe`, which the owner of the connection calls regularly, gives up a server that is no longer healthy,
    and a degraded one as soon as another is healthy: the next `connect` finds it.
    """

    def __init__(self, servers: Sequence[Historian]) -> None:
        if not servers:
            message = "a historian needs at least one server"
            raise ValueError(message)
        self._servers = tuple(servers)
        self._active: Historian | None = None
        self._doubted = False

    async def connect(self) -> None:
        """Open a session with the best server. Raises what the first one said if none has data."""
        await self.close()
        best: tuple[int, Historian] | None = None
        failures: list[HistorianError] = []
        for server in self._servers:
            try:
                await server.connect()
                level = _level(await server.describe())
            except HistorianError as error:
                await server.close()
                failures.append(error)
                continue
            if level >= HEALTHY:
                self._active = server
                return
            await server.close()
            if level >= WITH_DATA and (best is None or level > best[0]):
                best = level, server
        if best is None:
            none_has_data = NotConnected(_urls(self._servers), "no server has data: ServiceLevel 0 or 1")
            raise failures[0] if failures else none_has_data
        await best[1].connect()
        self._active, self._doubted = best[1], True

    async def close(self) -> None:
        """End the session."""
        active, self._active, self._doubted = self._active, None, False
        if active is not None:
            await active.close()

    async def describe(self) -> Description:
        """The active server's answer. Raises NotConnected when it is no longer healthy, so that another is tried."""
        description = await self._server().describe()
        level = _level(description)
        if level < HEALTHY and not self._doubted:
            raise NotConnected(description.url, f"its ServiceLevel fell to {level}; the other servers are asked")
        if level < WITH_DATA:
            raise NotConnected(description.url, f"its ServiceLevel is {level}: it has no data")
        if self._doubted and await self._another_is_healthy():
            raise NotConnected(description.url, f"its ServiceLevel is {level}, and another server is healthy")
        return description

    def browse(self, pattern: str = "*") -> AsyncIterator[Tag]:
        """As the active server."""
        return self._server().browse(pattern)

    def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        """As the active server."""
        return self._server().read_raw(addresses, span)

    async def read_processed(
        self,
        addresses: Sequence[str],
        span: Span,
        aggregate: Aggregate,
        interval_ns: int,
        *,
        configuration: AggregateConfiguration = STANDARD,
        own: Collection[str] = (),
    ) -> ProcessedHistory:
        """As the active server."""
        server = self._server()
        return await server.read_processed(
            addresses, span, aggregate, interval_ns, configuration=configuration, own=own
        )

    async def read_at_times(
        self, addresses: Sequence[str], times: Times, *, configuration: AggregateConfiguration = STANDARD
    ) -> ProcessedHistory:
        """As the active server."""
        return await self._server().read_at_times(addresses, times, configuration=configuration)

    async def read_current(self, addresses: Sequence[str]) -> Sequence[Sample]:
        """As the active server."""
        return await self._server().read_current(addresses)

    async def subscribe(self, receiver: Receiver) -> LiveSubscription:
        """With the active server; another one is subscribed to after the next `connect`."""
        return await self._live().subscribe(receiver)

    async def without_history(self, addresses: Sequence[str]) -> Sequence[str]:
        """As the active server."""
        return await self._live().without_history(addresses)

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """To the active server alone: redundant servers share what is written, or each is a historian of its own."""
        return await self._server().write(samples)

    async def _another_is_healthy(self) -> bool:
        for server in self._servers:
            if server is self._active:
                continue
            try:
                await server.connect()
                if _level(await server.describe()) >= HEALTHY:
                    return True
            except HistorianError:  # it is no better: the active one goes on
                continue
            finally:
                await server.close()
        return False

    def _live(self) -> LiveSource:
        server = self._server()
        if not hasattr(server, "subscribe"):
            raise Unsupported("subscriptions")
        return cast("LiveSource", server)

    def _server(self) -> Historian:
        if self._active is None:
            raise NotConnected(_urls(self._servers), "there is no session")
        return self._active


def _level(description: Description) -> int:
    return HEALTHY if description.service_level is None else description.service_level


def _urls(servers: Sequence[Historian]) -> str:
    return f"{len(servers)} redundant servers"
