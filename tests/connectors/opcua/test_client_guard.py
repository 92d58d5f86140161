"""What a server may send to our client, and for how long it may keep it waiting."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import Client, ua
from asyncua.client.ua_client import UaClient
from asyncua.ua import Acknowledge, uaprotocol_auto

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.opcua.client_guard import (
    CLIENT_CHUNK_BYTES,
    CLIENT_MESSAGE_BYTES,
    CLIENT_MESSAGE_CHUNKS,
    SENT,
    GuardedProtocol,
    ServiceNotUsed,
    client_limits,
    guard,
)

ACKNOWLEDGE = b"ACKF" + (28).to_bytes(4, "little") + bytes(4) + (65_535).to_bytes(4, "little") * 2 + bytes(8)


async def test_every_connection_of_a_guarded_client_is_made_by_our_protocol() -> None:
    assert hasattr(UaClient, "_make_protocol"), "asyncua changed the hook that the guard uses"
    client = Client("opc.tcp://127.0.0.1:1")
    guard(client)
    assert isinstance(client.uaclient._make_protocol(), GuardedProtocol)
    assert client.uaclient.protocol is not None
    assert (client.max_messagesize, client.max_chunkcount) == (CLIENT_MESSAGE_BYTES, CLIENT_MESSAGE_CHUNKS)


def test_a_server_that_acknowledges_no_limits_does_not_lift_ours() -> None:
    limits = client_limits()
    limits.update_client_limits(Acknowledge(0, 8_192, 2**31, 0, 0))
    assert not limits.is_msg_size_within_limit(CLIENT_MESSAGE_BYTES + 1)
    assert not limits.is_chunk_count_within_limit(CLIENT_MESSAGE_CHUNKS + 1)
    assert (limits.max_recv_buffer, limits.max_send_buffer) == (CLIENT_CHUNK_BYTES, 8_192)


REQUESTS = sorted(
    name
    for name in vars(uaprotocol_auto)
    if name.endswith("Request") and hasattr(getattr(uaprotocol_auto, name)(), "RequestHeader")
)


def test_what_changes_a_server_is_not_among_the_services_that_we_use() -> None:
    assert {f"{name}Request" for name in SENT} <= set(REQUESTS)
    assert not SENT & {"Call", "AddNodes", "AddReferences", "DeleteNodes", "DeleteReferences", "TransferSubscriptions"}


@pytest.mark.parametrize("name", [name for name in REQUESTS if name.removesuffix("Request") not in SENT])
async def test_a_service_that_we_do_not_use_never_leaves_the_connection(name: str) -> None:
    client = Client("opc.tcp://127.0.0.1:1")
    guard(client)
    written: list[bytes] = []
    protocol = client.uaclient._make_protocol()
    protocol.transport = type("Wire", (), {"write": written.append})()
    with pytest.raises(ServiceNotUsed):
        protocol._send_request(getattr(uaprotocol_auto, name)())
    protocol._send_request(uaprotocol_auto.ReadRequest())
    assert len(written) == 1


@pytest.mark.parametrize("node", [ua.NodeId("Speed", 2), ua.NodeId(2255)], ids=["plant", "server"])
async def test_the_watch_over_the_whole_suite_sees_a_write_that_nobody_accepted(fence: Any, node: ua.NodeId) -> None:
    watch, values = type(fence)(), [ua.WriteValue(NodeId=node, AttributeId=ua.AttributeIds.Value)]
    watch.see(GuardedProtocol(), ua.WriteRequest(Parameters=ua.WriteParameters(NodesToWrite=values)))
    watch.see(GuardedProtocol(), ua.CallRequest())
    assert len(watch.breaches) == 2


@asynccontextmanager
async def rogue(answer: Callable[[bytes], bytes | None]) -> AsyncIterator[int]:
    """A server that answers bytes with bytes; None closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(65_536):
            reply = answer(request)
            if reply is None:
                break
            writer.write(reply)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, family=socket.AF_INET)
    async with server:
        yield server.sockets[0].getsockname()[1]


def anonymous(port: int, timeout_s: float) -> Connection:
    url = f"opc.tcp://127.0.0.1:{port}"
    return Connection(url, anonymous=True, security=MessageSecurity.NONE, timeout_s=timeout_s)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"ACKF" + b"\xff\xff\xff\x7f" + b"x" * 100, id="chunk-of-two-gigabytes"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", id="not-opc-ua"),
        pytest.param(b"\x00" * 64, id="zeros"),
        pytest.param(b"ERRF" + (16).to_bytes(4, "little") + (0x80800000).to_bytes(4, "little") + bytes(4), id="error"),
        pytest.param(None, id="closes"),
    ],
)
@pytest.mark.timeout(30)
async def test_a_server_that_talks_nonsense_ends_the_connection_at_once(reply: bytes | None) -> None:
    async with rogue(lambda _: reply) as port:
        with pytest.raises(HistorianError):
            await open_opcua(anonymous(port, timeout_s=5.0)).connect()


@pytest.mark.timeout(30)
async def test_a_server_that_never_answers_ends_in_not_connected() -> None:
    async with rogue(lambda request: ACKNOWLEDGE if request.startswith(b"HEL") else b"") as port:
        with pytest.raises(NotConnected):
            await open_opcua(anonymous(port, timeout_s=0.5)).connect()


@pytest.mark.timeout(30)
async def test_chunks_without_end_end_in_an_error() -> None:
    def answer(request: bytes) -> bytes:
        return ACKNOWLEDGE if request.startswith(b"HEL") else (b"MSGC" + (24).to_bytes(4, "little") + bytes(16)) * 1_000

    async with rogue(answer) as port:
        with pytest.raises(HistorianError):
            await open_opcua(anonymous(port, timeout_s=2.0)).connect()
