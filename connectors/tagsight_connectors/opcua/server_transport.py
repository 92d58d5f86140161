"""Sockets of an OPC UA server of ours: bounded buffers both ways, and an orderly end.

Replaces asyncua's `BinaryServer`, which buffers whatever a peer announces.
"""

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua.common.connection import TransportLimits

from tagsight_connectors.opcua import limits
from tagsight_connectors.opcua.guard import GuardedProcessor, Rules, chunk_of

_log: Final = logging.getLogger(__name__)

HEADER_BYTES: Final = 8
KINDS: Final = (b"HEL", b"OPN", b"MSG", b"CLO")
WRITE_HIGH: Final = 1024 * 1024


class Connection(asyncio.Protocol):
    """One client. Chunks are served one after the other; while they wait, the socket is not read."""

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._received = bytearray()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: Any = None
        self._processor: GuardedProcessor | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Refuse beyond the budgets, else start serving."""
        self._transport = transport
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._listener.admits(self.address):
            _log.warning("connection of %s refused: too many", self.address)
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=WRITE_HIGH)
        self._processor = self._listener.processor(transport)
        self._listener.connections.add(self)
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._serve(self._processor))
        self._timer = loop.call_later(limits.SERVER_ACTIVATION_SECONDS, self._end_if_idle, self._processor)

    def data_received(self, data: bytes) -> None:
        """Collect, and stop reading while enough waits."""
        self._received += data
        if len(self._received) > limits.SERVER_WAITING_BYTES:
            self._transport.pause_reading()
        self._arrived.set()

    def pause_writing(self) -> None:
        """The client fetches slower than we answer: serve no further request meanwhile."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tidy up in a task that the listener waits for."""
        del exc
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None and self._processor is not None:
            self._listener.close_later(self, self._task, self._processor)

    def end(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def _end_if_idle(self, processor: GuardedProcessor) -> None:
        if processor.session is None or not processor.session.is_activated():
            _log.warning("connection of %s ended: no session in time", self.address)
            self.end()

    async def _serve(self, processor: GuardedProcessor) -> None:
        try:
            while True:
                frame = self._next_chunk()
                if frame is None:
                    self._arrived.clear()
                    self._transport.resume_reading()
                    await self._arrived.wait()
                    continue
                await self._writable.wait()
                if not await processor.process(*chunk_of(frame)):
                    break
                await asyncio.sleep(0)  # others come first, however much this client sends
        except ValueError as error:
            _log.warning("connection of %s ended: %s", self.address, error)
        except Exception:  # noqa: BLE001 - it ends this connection, never the server
            _log.exception("connection of %s failed", self.address)
        self._transport.close()

    def _next_chunk(self) -> bytes | None:
        if len(self._received) < HEADER_BYTES:
            return None
        size = int.from_bytes(self._received[4:8], "little")
        if bytes(self._received[:3]) not in KINDS or not HEADER_BYTES < size <= limits.SERVER_CHUNK_BYTES:
            message = "not a chunk of OPC UA, or too long"
            raise ValueError(message)
        if len(self._received) < size:
            return None
        frame = bytes(self._received[:size])
        del self._received[:size]
        return frame


@dataclass
class Listener:
    """The listening socket and its connections; takes the place of asyncua's `BinaryServer`."""

    iserver: Any
    policies: list[Any]
    rules: Rules
    connections: set[Connection] = field(default_factory=set)
    _closing: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.AbstractServer | None = None

    async def start(self, listening: socket.socket) -> None:
        """Accept connections on a bound socket."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), sock=listening)

    async def stop(self) -> None:
        """Close the socket, cut every connection, wait until all is tidy."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.end()
        while self.connections or self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
            await asyncio.sleep(0)
        if self._server is not None:
            await self._server.wait_closed()

    def admits(self, address: str) -> bool:
        """Whether one more connection of this address fits."""
        held = Counter(connection.address for connection in self.connections)
        return held.total() < limits.SERVER_CONNECTIONS and held[address] < limits.SERVER_CONNECTIONS_PER_ADDRESS

    def processor(self, transport: Any) -> GuardedProcessor:
        """A guarded processor for a new connection."""
        bounds = TransportLimits(
            max_recv_buffer=limits.SERVER_CHUNK_BYTES,
            max_send_buffer=limits.SERVER_CHUNK_BYTES,
            max_chunk_count=limits.SERVER_MESSAGE_CHUNKS,
            max_message_size=limits.SERVER_MESSAGE_BYTES,
        )
        processor = GuardedProcessor(self.iserver, transport, bounds, self.rules)
        processor.set_policies(self.policies)
        return processor

    def close_later(self, connection: Connection, serving: "asyncio.Task[None]", processor: GuardedProcessor) -> None:
        """End a lost connection's task and session."""
        self.connections.discard(connection)
        task = asyncio.get_running_loop().create_task(_close(serving, processor))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _close(serving: "asyncio.Task[None]", processor: GuardedProcessor) -> None:
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    await processor.close()
