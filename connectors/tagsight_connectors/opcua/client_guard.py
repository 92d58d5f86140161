"""Limits on what a server sends: chunk, chunks, message; and on what we send: no service that changes a server.

asyncua's client has no limits that last. It announces buffers of two gigabytes in Hello, takes over whatever limits
the server answers in Acknowledge, 0 meaning none, and collects the bytes of a chunk before it looks at the length that
the chunk announces. Private hooks are used here, and `test_client_guard.py` pins them.
"""

import asyncio
from typing import Any, Final

from asyncua import Client
from asyncua.client.ua_client import UASocketProtocol
from asyncua.common.connection import TransportLimits
from asyncua.ua import Acknowledge, Hello, MessageType, UaError
from asyncua.ua.ua_binary import uatcp_to_binary

CLIENT_CHUNK_BYTES: Final = 65_536
"""What we announce in Hello; servers fill it to the last byte."""

CLIENT_MESSAGE_BYTES: Final = 12 * 1024 * 1024
"""Longest answer: 100,000 values are 2.2 MB; decoding a text of this length took four times its bytes (measured)."""

CLIENT_MESSAGE_CHUNKS: Final = CLIENT_MESSAGE_BYTES // 8_192
"""Chunks of one answer, if a server cuts it into the smallest that the protocol allows."""


SENT: Final = frozenset(
    {
        "OpenSecureChannel", "CloseSecureChannel", "GetEndpoints",
        "CreateSession", "ActivateSession", "CloseSession",
        "Read", "HistoryRead", "Browse", "BrowseNext",
        "CreateSubscription", "DeleteSubscriptions", "CreateMonitoredItems", "DeleteMonitoredItems",
        "Publish", "Republish",
        "Write", "HistoryUpdate",
    }
)  # fmt: skip
"""Every service that we use (design law 3); Write and HistoryUpdate only by `writing`, which holds the fence."""


class ServiceNotUsed(RuntimeError):
    """Something in this process asked our connection for a service that TagSight never uses: a mistake in the code."""


class ClientLimits(TransportLimits):  # type: ignore[misc] # asyncua counts as untyped
    """Our limits for what is received stay, whatever the server acknowledges; what we send obeys the server."""

    max_send_buffer: int

    def update_client_limits(self, msg: Acknowledge) -> None:
        """Take over only how large a chunk we may send."""
        ours: int = self.max_send_buffer
        self.max_send_buffer = min(ours, msg.ReceiveBufferSize or ours)


def client_limits() -> ClientLimits:
    """The limits of one connection."""
    return ClientLimits(CLIENT_CHUNK_BYTES, CLIENT_CHUNK_BYTES, CLIENT_MESSAGE_CHUNKS, CLIENT_MESSAGE_BYTES)


class GuardedProtocol(UASocketProtocol):  # type: ignore[misc] # asyncua counts as untyped
    """Announces our limits, ends the connection when a chunk announces more, and sends `SENT` alone."""

    receive_buffer: bytes | None
    _callbackmap: dict[int, asyncio.Future[Any]]

    async def send_hello(self, url: str, max_messagesize: int = 0, max_chunkcount: int = 0) -> Acknowledge:
        """As asyncua's, with our buffer sizes."""
        hello = Hello(0, CLIENT_CHUNK_BYTES, CLIENT_CHUNK_BYTES, max_messagesize, max_chunkcount, url)
        answer: asyncio.Future[Acknowledge] = asyncio.get_running_loop().create_future()
        self._callbackmap[0] = answer
        if self.transport is not None:
            self.transport.write(uatcp_to_binary(MessageType.Hello, hello))
        return await asyncio.wait_for(answer, self.timeout)

    def _send_request(self, request: Any, *args: Any, **options: Any) -> asyncio.Future[Any]:
        """As asyncua's: the one place through which every request goes."""
        name = type(request).__name__.removesuffix("Request")
        if name not in SENT:
            raise ServiceNotUsed(name)
        sent: asyncio.Future[Any] = super()._send_request(request, *args, **options)
        return sent

    def data_received(self, data: bytes) -> None:
        """Bytes of the server."""
        super().data_received(data)
        collected: bytes | None = self.receive_buffer
        waiting = collected or b""
        if len(waiting) >= 8 and int.from_bytes(waiting[4:8], "little") > CLIENT_CHUNK_BYTES:
            self.receive_buffer = None
            self.disconnect_socket()

    def disconnect_socket(self) -> None:
        """As asyncua's; a peer that does not take what waits for it does not keep the socket open."""
        transport = self.transport
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()
        super().disconnect_socket()

    def _call_callback(self, request_id: int, body: Any) -> None:
        """As asyncua's, whose error holds the whole answer in words: megabytes in the log."""
        if request_id not in self._callbackmap:
            message = f"an answer to request {request_id}, which waits for none"
            raise UaError(message)
        super()._call_callback(request_id, body)


def guard(client: Client) -> None:
    """Let every connection of this client be made under our limits."""
    ua_client = client.uaclient
    client.max_messagesize, client.max_chunkcount = CLIENT_MESSAGE_BYTES, CLIENT_MESSAGE_CHUNKS

    def make_protocol() -> UASocketProtocol:
        protocol = GuardedProtocol(ua_client._timeout, ua_client.security_policy, client_limits())  # noqa: SLF001 - see module
        protocol.pre_request_hook = ua_client.pre_request_hook
        protocol.on_connection_lost = ua_client._on_transport_lost  # noqa: SLF001 - see the module
        protocol.is_session_closing = ua_client._is_session_closing  # noqa: SLF001 - see the module
        ua_client.protocol = protocol
        return protocol

    ua_client._make_protocol = make_protocol  # noqa: SLF001 - see the module
