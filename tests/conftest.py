"""The fence, watched over the whole suite: what our OPC UA client sends in any test of this process."""

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from asyncua import ua

from tagsight_connectors.opcua.client import OpcUaHistorian
from tagsight_connectors.opcua.client_guard import SENT, GuardedProtocol


class Fence:
    """Sees every request, on its way to the wire; `breaches` are those that law 3 forbids."""

    def __init__(self) -> None:
        self.breaches: list[str] = []
        self.writes = 0
        self._owners: WeakKeyDictionary[GuardedProtocol, OpcUaHistorian] = WeakKeyDictionary()

    def connected(self, historian: OpcUaHistorian) -> None:
        """Whose connection it is, hence which addresses are accepted."""
        assert historian._client is not None
        self._owners[historian._client.uaclient.protocol] = historian

    def see(self, protocol: GuardedProtocol, request: Any) -> None:
        if type(request).__name__.removesuffix("Request") not in SENT:
            self.breaches.append(f"a request of type {type(request).__name__}")
        if isinstance(request, ua.WriteRequest):
            for value in request.Parameters.NodesToWrite:
                self._see_write(protocol, value.NodeId, value.AttributeId == ua.AttributeIds.Value)
        if isinstance(request, ua.HistoryUpdateRequest):
            for one in request.Parameters.HistoryUpdateDetails:
                self._see_write(protocol, one.NodeId, one.PerformInsertReplace == ua.PerformUpdateType.Update)

    def _see_write(self, protocol: GuardedProtocol, node: ua.NodeId, usual: bool) -> None:  # noqa: FBT001
        self.writes += 1
        owner = self._owners.get(protocol)
        service = owner._session if owner is not None else None
        address = service.namespaces.address(node) if service is not None else f"{node.to_string()} of nobody"
        accepted = owner._connection.accepted if owner is not None else frozenset[str]()
        if service is not None:  # an accepted address may have the index of its namespace, `ns=2;s=...`
            accepted = frozenset(service.namespaces.stable(one) if one.startswith("ns=") else one for one in accepted)
        if address not in accepted or not usual or node.NamespaceIndex == 0:
            self.breaches.append(f"a write to {address}")


@pytest.fixture(scope="session", autouse=True)
def fence() -> Iterator[Fence]:
    """Fails at the end of the session if our client wrote outside an accepted list, or called or changed nodes."""
    fence = Fence()
    connect, send = OpcUaHistorian.connect, GuardedProtocol._send_request

    async def connect_seen(historian: OpcUaHistorian) -> None:
        await connect(historian)
        fence.connected(historian)

    def send_seen(protocol: GuardedProtocol, request: Any, *args: Any, **options: Any) -> Any:
        sent = send(protocol, request, *args, **options)
        fence.see(protocol, request)
        return sent

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OpcUaHistorian, "connect", connect_seen)
        patch.setattr(GuardedProtocol, "_send_request", send_seen)
        yield fence
    assert not fence.breaches
