"""The OPC UA services that we call, on one session: requests out, plain values in, every error one of ours.

Read and HistoryRead answers are decoded by our own decoders; Browse and Write answers, which hold no values, by
asyncua's, bounded. Nothing here writes except `write`, which only `writing` calls.
"""

import asyncio
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

from asyncua import Client, ua

from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_connectors.history import Span
from tagsight_connectors.opcua.address import Namespaces
from tagsight_connectors.opcua.bounded_decoding import decoding_budget
from tagsight_connectors.opcua.decoding import NodeAnswer, decode_history_response
from tagsight_connectors.opcua.error_mapping import NoAnswer, Silent, TooLarge, our_errors, status_error
from tagsight_connectors.opcua.history_read import HistoryNode
from tagsight_connectors.opcua.request_size import RequestSize
from tagsight_connectors.opcua.selection import selection_of
from tagsight_connectors.opcua.variants import read_data_value
from tagsight_connectors.opcua.wire import WireReader, ticks_of_ns

DECODED_IN_THREAD: Final = 256 * 1024
"""Bytes of an answer from which on it is decoded beside the event loop."""

ALIVE_S: Final = 5.0
"""How long a server that did not answer may take to tell its state."""

RELEASE_S: Final = 2.0
"""Longest wait for the release of continuation points: politeness, not duty."""

SERVER_STATE: Final = ua.NodeId(ua.ObjectIds.Server_ServerStatus_State)

DECODED_REFERENCES: Final = 500_000
"""Array elements of one Browse answer."""

_RAW_DETAILS: Final = struct.Struct("<?qqI?")

Reading = tuple[Any, int, int | None]
"""Value, StatusCode, source time (UTC ns)."""


class Service:
    """One session's services."""

    def __init__(self, client: Client, url: str, timeout_s: float, size: RequestSize) -> None:
        self.client = client
        self.url = url
        self.timeout_s = timeout_s
        self.size = size
        self.namespaces = Namespaces([])

    async def answer(self, request: Any, what: str, timeout_s: float | None = None) -> bytes:
        """The decrypted body of the answer to one request."""
        async with our_errors(self.url, what):
            protocol = self.client.uaclient.protocol
            if protocol is None:
                raise NotConnected(self.url, "the connection was lost")
            return bytes(await protocol.send_request(request, timeout_s or self.timeout_s))

    async def read(self, items: Sequence[tuple[ua.NodeId, ua.AttributeIds]]) -> list[Reading]:
        """Attributes, in order; one Reading each."""
        readings: list[Reading] = []
        while len(readings) < len(items):
            part = items[len(readings) : len(readings) + self.size.read_nodes]
            try:
                readings += await self._read(part)
            except TooLarge:
                if not self.size.halve("read_nodes"):
                    raise
        return readings

    async def _read(self, items: Sequence[tuple[ua.NodeId, ua.AttributeIds]]) -> list[Reading]:
        request = ua.ReadRequest()
        request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
        request.Parameters.NodesToRead = [
            ua.ReadValueId(NodeId=node, AttributeId=attribute) for node, attribute in items
        ]
        reader = WireReader(await self.answer(request, "Read"), where="Read answer")
        self._check(reader.response_header(int(ua.ObjectIds.ReadResponse_Encoding_DefaultBinary)), "Read")
        count = reader.array_length()
        if count != len(items):
            raise reader.malformed(cause=f"{count} values for {len(items)} nodes")
        return [read_data_value(reader) for _ in range(count)]

    async def history_read(self, nodes: Sequence[HistoryNode], span: Span, at_most: int) -> Sequence[NodeAnswer]:
        """One HistoryRead of raw values."""
        return await self.history_details(nodes, _raw_details(span, at_most))

    async def history_details(self, nodes: Sequence[HistoryNode], details: ua.ExtensionObject) -> Sequence[NodeAnswer]:
        """One HistoryRead of whatever the details ask for. Raises NoAnswer only where smaller requests are answered."""
        try:
            body = await self.answer(self._history_request(nodes, details, release=False), "HistoryRead")
        except NoAnswer as error:
            await self._check_alive(error)
            raise
        elements = [selection_of(node.address).index for node in nodes]
        if len(body) < DECODED_IN_THREAD:
            result, answers = decode_history_response(body, len(nodes), elements)
        else:
            result, answers = await asyncio.to_thread(decode_history_response, body, len(nodes), elements)
        self._check(result, "HistoryRead")
        return answers

    async def _check_alive(self, error: NoAnswer) -> None:
        """Else a lost connection would be asked for less and less, each time for as long as an answer may take."""
        request = ua.ReadRequest()
        request.Parameters.NodesToRead = [ua.ReadValueId(NodeId=SERVER_STATE, AttributeId=ua.AttributeIds.Value)]
        try:
            await self.answer(request, "Read", min(self.timeout_s, ALIVE_S))
        except NotConnected as silent:
            raise Silent(self.url, f"{error.cause}, nor to a small request after it") from silent

    async def release(self, nodes: Sequence[HistoryNode]) -> None:
        """Let the server forget continuation points; what it says to that does not matter."""
        request = self._history_request(nodes, _raw_details(Span(0, 0), 0), release=True)
        try:
            await self.answer(request, "release of continuation points", min(self.timeout_s, RELEASE_S))
        except HistorianError:  # the read has its own result already; the server drops them with the session
            return

    def _history_request(self, nodes: Sequence[HistoryNode], details: ua.ExtensionObject, *, release: bool) -> Any:
        request = ua.HistoryReadRequest()
        request.Parameters = ua.HistoryReadParameters(
            HistoryReadDetails=details,
            TimestampsToReturn=ua.TimestampsToReturn.Source,
            ReleaseContinuationPoints=release,
            NodesToRead=[
                ua.HistoryReadValueId(
                    NodeId=self.namespaces.node(node.address),
                    IndexRange=_index_range(node.address),
                    ContinuationPoint=node.point or None,
                )
                for node in nodes
            ],
        )
        return request

    async def browse(self, descriptions: Sequence[ua.BrowseDescription], at_most: int) -> list[Any]:
        """One Browse: a BrowseResult for each description."""
        parameters = ua.BrowseParameters(RequestedMaxReferencesPerNode=at_most, NodesToBrowse=list(descriptions))
        async with our_errors(self.url, "Browse"):
            with decoding_budget(DECODED_REFERENCES):
                return list(await self.client.uaclient.session.browse(parameters))

    async def browse_next(self, points: Sequence[bytes], *, release: bool = False) -> list[Any]:
        """The next references of each continuation point."""
        parameters = ua.BrowseNextParameters(ReleaseContinuationPoints=release, ContinuationPoints=list(points))
        async with our_errors(self.url, "BrowseNext"):
            with decoding_budget(DECODED_REFERENCES):
                return list(await self.client.uaclient.session.browse_next(parameters))

    async def write(self, values: Sequence[ua.WriteValue]) -> list[int]:
        """One Write: a StatusCode for each value. Called by `writing` alone."""
        async with our_errors(self.url, "Write"):
            results = await self.client.uaclient.session.write(ua.WriteParameters(NodesToWrite=list(values)))
            return [int(result.value) for result in results]

    async def history_update(self, details: Sequence[ua.UpdateDataDetails]) -> list[tuple[int, list[int]]]:
        """One HistoryUpdate: for each node its StatusCode and that of each value. Called by `writing` alone."""
        async with our_errors(self.url, "HistoryUpdate"):
            parameters = ua.HistoryUpdateParameters(HistoryUpdateDetails=list(details))
            with decoding_budget(DECODED_REFERENCES):
                results = await self.client.uaclient.session.history_update(parameters)
            return [(_code(one.StatusCode), [_code(each) for each in one.OperationResults or []]) for one in results]

    def _check(self, result: int, what: str) -> None:
        if result >> 31:
            raise status_error(result, url=self.url, what=what)


def _index_range(address: str) -> str | None:
    index = selection_of(address).index
    return None if index is None else str(index)


def _code(status: ua.StatusCode) -> int:
    return int(status.value)


def _raw_details(span: Span, at_most: int) -> ua.ExtensionObject:
    """Every field is set: asyncua's defaults ask for modified values and release the points."""
    return ua.ExtensionObject(
        ua.FourByteNodeId(ua.ObjectIds.ReadRawModifiedDetails_Encoding_DefaultBinary),
        _RAW_DETAILS.pack(False, ticks_of_ns(span.start_ns), ticks_of_ns(span.end_ns + 99), at_most, False),
    )


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Parts of at most `size`."""
    for first in range(0, len(items), size):
        yield items[first : first + size]
