"""`opc.tcp://`: a historian over OPC UA, behind the `Historian` Protocol."""

import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Final

import numpy as np
from asyncua import Client, ua
from asyncua.client.ua_client import UaClientState
from cryptography import x509

from tagsight_connectors.aggregates import STANDARD, Aggregate, AggregateConfiguration, Computer, ProcessedHistory
from tagsight_connectors.aggregates.rows import interval_starts
from tagsight_connectors.connection import Connection, WriteService
from tagsight_connectors.errors import AccessRefused, HistorianError, MalformedData, NotConnected, UnknownTag
from tagsight_connectors.historian import Description
from tagsight_connectors.history import Page, Sample, Span, TagHistory, Times, WriteOutcome
from tagsight_connectors.live import Receiver
from tagsight_connectors.opcua.address import Namespaces
from tagsight_connectors.opcua.browsing import Browser
from tagsight_connectors.opcua.capabilities import history_told, obey_limits
from tagsight_connectors.opcua.certificates import SECOND, leaf_certificate, thumbprint_of
from tagsight_connectors.opcua.data_types import DataTypes
from tagsight_connectors.opcua.endpoints import security_of
from tagsight_connectors.opcua.enumerations import Enumerations
from tagsight_connectors.opcua.error_mapping import NoAnswer, status_error
from tagsight_connectors.opcua.history_read import HistoryNode, HistoryReader
from tagsight_connectors.opcua.processed_details import at_time_details, processed_details
from tagsight_connectors.opcua.processed_read import Details, ProcessedReader, ServerAggregates
from tagsight_connectors.opcua.request_size import RequestSize
from tagsight_connectors.opcua.selection import selection_of
from tagsight_connectors.opcua.service import Service, batches
from tagsight_connectors.opcua.session import close_session, open_session
from tagsight_connectors.opcua.subscription import Subscription
from tagsight_connectors.opcua.tag_facts import access_of
from tagsight_connectors.opcua.user_token import user_of
from tagsight_connectors.opcua.value_forms import Forms
from tagsight_connectors.opcua.write_values import NodeTypes
from tagsight_connectors.opcua.writing import HistoryWriter, Writer, Writing, check_fence
from tagsight_connectors.processing import at_times_from_raw, processed_from_raw
from tagsight_connectors.quality import BAD_NODE_ID_UNKNOWN
from tagsight_connectors.tag import Access, Tag

NAMESPACE_ARRAY: Final = ua.NodeId(ua.ObjectIds.Server_NamespaceArray)
PRODUCT: Final = ua.NodeId(ua.ObjectIds.Server_ServerStatus_BuildInfo_ProductName)
VERSION: Final = ua.NodeId(ua.ObjectIds.Server_ServerStatus_BuildInfo_SoftwareVersion)
SERVICE_LEVEL: Final = ua.NodeId(ua.ObjectIds.Server_ServiceLevel)
EVER_NS: Final = 2**62
CURRENT_TIME: Final = ua.NodeId(ua.ObjectIds.Server_ServerStatus_CurrentTime)


def open_opcua(connection: Connection, now_ns: Callable[[], int] = time.time_ns) -> "OpcUaHistorian":
    """The opener of `opc.tcp://`; connects to nothing yet. `now_ns`: UTC, for the dates of certificates."""
    return OpcUaHistorian(connection, now_ns)


class OpcUaHistorian:
    """One session with an OPC UA server."""

    def __init__(self, connection: Connection, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._connection = connection
        self._now_ns = now_ns
        self._size = RequestSize()
        self._processed_size = RequestSize()
        self._client: Client | None = None
        self._session: Service | None = None
        self._endpoint: ua.EndpointDescription | None = None
        self._forms: Forms | None = None
        self._writer: Writing | None = None

    async def connect(self) -> None:
        """Open one session. Raises NotConnected, AccessRefused."""
        await self.close()
        self._client, self._endpoint = await open_session(self._connection, self._now_ns)
        service = Service(self._client, self._connection.url, self._connection.timeout_s, self._size)
        types = DataTypes(service)
        self._forms = Forms(service, types, Enumerations(service, types))
        way = HistoryWriter if self._connection.writes_by is WriteService.HISTORY_UPDATE else Writer
        self._writer = way(service, NodeTypes(service, types), self._connection.accepted)
        self._session = service
        self._server_aggregates = ServerAggregates()
        try:
            service.namespaces = Namespaces(_texts(await self._value(NAMESPACE_ARRAY)))
            await obey_limits(service, self._size, self._processed_size)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the session; what the server holds for it goes with it."""
        client, self._client, self._session = self._client, None, None
        if client is not None:
            await close_session(client, self._connection.timeout_s)

    async def describe(self) -> Description:
        """Product, security, certificate and clock of the server."""
        readings = await self._service().read(
            [(node, ua.AttributeIds.Value) for node in (PRODUCT, VERSION, CURRENT_TIME, SERVICE_LEVEL)]
        )
        product, version, current, level = (value for value, _, _ in readings)
        certificate = leaf_certificate(self._endpoint.ServerCertificate) if self._endpoint else b""
        return Description(
            url=self._connection.url,
            product=" ".join(part for part in (product, version) if isinstance(part, str) and part),
            security=self._security(),
            certificate=thumbprint_of(certificate) if certificate else "",
            certificate_expires_ns=_expires_ns(certificate) if certificate else None,
            server_time_ns=current if isinstance(current, int) else None,
            service_level=level if isinstance(level, int) else None,
            history=await history_told(self._service()),
        )

    async def browse(self, pattern: str = "*") -> AsyncIterator[Tag]:
        """Variables below Objects that match; a pattern may be an address with an index, `ns=2;s=...`."""
        service, forms = self._service(), self._shown()
        if selection_of(pattern).node.startswith("ns="):
            try:
                pattern = service.namespaces.stable(pattern)
            except UnknownTag:
                return
        async with aclosing(Browser(service, forms.enumerations).browse(pattern)) as tags:
            async for tag in tags:
                yield tag

    async def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        """Stored values of the span, page by page; complete when it ends."""
        service, forms = self._service(), self._shown()
        await forms.require(addresses)  # an unknown namespace is an unknown tag, before anything is asked
        reader = HistoryReader(service, self._size, self._connection.url, self._check_existence)
        async with aclosing(reader.read(addresses, span)) as pages:
            async for page in pages:
                yield forms.page(page)

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
        """An aggregate on a grid, computed by the server where it can."""
        starts = interval_starts(span, interval_ns)

        def details(times: Times, nodes: int) -> ua.ExtensionObject:
            part = Span(int(times[0]), min(int(times[-1]) + interval_ns, span.end_ns))
            return processed_details(part, aggregate, interval_ns, configuration, nodes)

        found = await self._computed_there((aggregate, configuration), details, set(addresses) - set(own), starts)
        rest = [address for address in addresses if address not in found]
        mine = await processed_from_raw(self.read_raw, rest, span, aggregate, interval_ns, configuration=configuration)
        return _together(addresses, found, mine)

    async def read_at_times(
        self, addresses: Sequence[str], times: Times, *, configuration: AggregateConfiguration = STANDARD
    ) -> ProcessedHistory:
        """Values at given times, interpolated by the server where it can."""
        wanted, place = np.unique(times, return_inverse=True)

        def details(part: Times, _nodes: int) -> ua.ExtensionObject:
            return at_time_details(part)

        found = await self._computed_there("at times", details, addresses, wanted)
        there = {
            address: TagHistory(one.times[place], one.values[place], one.status[place])
            for address, one in found.items()
        }
        rest = [address for address in addresses if address not in found]
        return _together(
            addresses, there, await at_times_from_raw(self.read_raw, rest, times, configuration=configuration)
        )

    async def _computed_there(
        self, what: object, details: Details, addresses: Collection[str], times: Times
    ) -> dict[str, TagHistory]:
        service, forms = self._service(), self._shown()
        await forms.require(list(addresses))
        plain = [address for address in addresses if forms.is_plain(address)]
        reader = ProcessedReader(service, self._processed_size, self._server_aggregates, what, details)
        return await reader.read(plain, times) if len(times) else {}

    async def read_current(self, addresses: Sequence[str]) -> Sequence[Sample]:
        """The newest value of each address, in order."""
        service, forms = self._service(), self._shown()
        nodes: list[ua.NodeId | None] = []
        for address in addresses:
            try:
                nodes.append(service.namespaces.node(address))
            except UnknownTag:
                nodes.append(None)
        await forms.learn([address for address, node in zip(addresses, nodes, strict=True) if node is not None])
        readings = iter(await service.read([(node, ua.AttributeIds.Value) for node in nodes if node is not None]))
        return [
            Sample(address, 0, None, BAD_NODE_ID_UNKNOWN) if node is None else forms.sample(address, next(readings))
            for address, node in zip(addresses, nodes, strict=True)
        ]

    async def subscribe(self, receiver: Receiver) -> Subscription:
        """A subscription without any tag yet; see `LiveSource`."""
        subscription = Subscription(self._service(), self._shown(), receiver)
        await subscription.begin()
        return subscription

    async def without_history(self, addresses: Sequence[str]) -> Sequence[str]:
        """Those that are there and whose history we may not read; rights are not believed where values come."""
        service = self._service()
        items = [(service.namespaces.node(address), ua.AttributeIds.UserAccessLevel) for address in addresses]
        doubtful = [
            address
            for address, (level, status, _) in zip(addresses, await service.read(items), strict=True)
            if not status >> 31 and not access_of(level) & Access.READ_HISTORY
        ]
        found = {address for part in batches(doubtful, self._size.history_nodes) for address in await self._old(part)}
        return [address for address in doubtful if address not in found]

    async def _old(self, addresses: Sequence[str]) -> list[str]:
        """Those that have an old value."""
        service, nodes = self._service(), [HistoryNode(address) for address in addresses]
        try:
            answers = await service.history_read(nodes, Span(0, EVER_NS), 1)
        except NoAnswer:  # a server that looks for it so long is no history to score from
            return []
        except NotConnected:
            raise
        except HistorianError:  # the server has no histories at all
            return []
        both = list(zip(addresses, answers, strict=True))
        held = [HistoryNode(one, answer.continuation_point) for one, answer in both if answer.continuation_point]
        if held:
            await service.release(held)
        return [one for one, answer in both if len(answer.history)]

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """Write samples to addresses of the accepted list."""
        check_fence(samples, self._connection.accepted)
        self._service()
        assert self._writer is not None
        return await self._writer.write(samples)

    def _service(self) -> Service:
        if self._session is None or self._client is None:
            raise NotConnected(self._connection.url, "there is no session")
        if self._client.state != UaClientState.CONNECTED:
            raise NotConnected(self._connection.url, "the connection was lost")
        return self._session

    def _shown(self) -> Forms:
        assert self._forms is not None  # there is a session
        return self._forms

    async def _value(self, node: ua.NodeId) -> object:
        value, _, _ = (await self._service().read([(node, ua.AttributeIds.Value)]))[0]
        return value

    async def _check_existence(self, addresses: Sequence[str]) -> None:
        """Raise for a tag without values that is not there, or whose history we may not read."""
        service = self._service()
        items = [(service.namespaces.node(address), ua.AttributeIds.UserAccessLevel) for address in addresses]
        for address, (level, status, _) in zip(addresses, await service.read(items), strict=True):
            if status >> 31:
                raise status_error(status, url=self._connection.url, what=address)
            if not access_of(level) & Access.READ_HISTORY:
                raise AccessRefused(what=f"history of {address}", cause="the user may not read it, or the tag has none")

    def _security(self) -> str:
        return f"{security_of(self._endpoint)}, {user_of(self._connection)}"


def _together(addresses: Sequence[str], found: Mapping[str, TagHistory], mine: ProcessedHistory) -> ProcessedHistory:
    computed_by = dict.fromkeys(found, Computer.SERVER) | dict(mine.computed_by)
    return ProcessedHistory(
        {address: found[address] if address in found else mine.tags[address] for address in addresses},
        {address: computed_by[address] for address in addresses},
    )


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MalformedData("NamespaceArray", "it is not a list of texts")
    return value


def _expires_ns(certificate: bytes) -> int:
    return int(x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp()) * SECOND
