"""A proxy between client and server that breaks the wire as networks do: refuses, closes, resets, vanishes, delays."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Wire(Enum):
    """What happens to connections; `VANISHED` holds for those that are open, too: neither bytes nor ends pass."""

    WHOLE = auto()
    CLOSES = auto()
    VANISHED = auto()


@dataclass
class Proxy:
    """One listening port in front of another one.

    Attributes:
        wire: see `Wire`; may be set at any time.
        delay_s: before bytes of the server are handed on.
        spoil: of the bytes of the server; True: they are lost, and the connection is reset.
        accepted: connections so far.
    """

    target: int
    port: int = 0
    wire: Wire = Wire.WHOLE
    delay_s: float = 0.0
    spoil: Callable[[bytes], bool] = lambda _: False
    accepted: int = 0
    _server: asyncio.Server | None = None
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def listen(self) -> None:
        """Also again, on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, family=socket.AF_INET)
        self.port = self._server.sockets[0].getsockname()[1]

    async def go_down(self) -> None:
        """As a server that dies: nothing listens, connections are reset."""
        if self._server is not None:
            self._server.close()
        await self.reset()

    async def reset(self) -> None:
        for task, writer in list(self._open.items()):
            _reset(writer)
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    @property
    def open(self) -> int:
        """Connections that the client holds open."""
        return len(self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        if self.wire is Wire.CLOSES:
            writer.close()
            return
        self._open[task] = writer
        try:
            await self._pass_on(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            del self._open[task]
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection("127.0.0.1", self.target)
        down = asyncio.create_task(self._answers(to_server[0], writer))
        try:
            while data := await reader.read(65_536):
                if self.wire is Wire.WHOLE:
                    to_server[1].write(data)
                    await to_server[1].drain()
        finally:
            down.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await down
            to_server[1].close()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if self.spoil(data):
                _reset(writer)
                return
            if self.wire is Wire.WHOLE:
                writer.write(data)
                await writer.drain()
        if self.wire is Wire.WHOLE:
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """The other side reads "connection reset by peer"."""
    held = writer.get_extra_info("socket")
    with suppress(OSError):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()


@asynccontextmanager
async def wire_proxy(target: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(target)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.go_down()
