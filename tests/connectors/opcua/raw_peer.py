"""A peer that speaks OPC UA by its own bytes, without a library's manners."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, struct_to_binary

NONE = "http://opcfoundation.org/UA/SecurityPolicy#None"


def text(content: str) -> bytes:
    return struct.pack("<i", len(content)) + content.encode()


@dataclass
class RawPeer:
    """One TCP connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    channel: int = 0
    token: int = 0
    sequence: int = 0

    async def send(self, kind: bytes, body: bytes, chunk: bytes = b"F") -> None:
        self.writer.write(kind + chunk + struct.pack("<I", len(body) + 8) + body)
        await self.writer.drain()

    async def receive(self) -> tuple[bytes, bytes] | None:
        """Kind and body of a chunk; None when the server has closed."""
        try:
            head = await asyncio.wait_for(self.reader.readexactly(8), 10)
            (size,) = struct.unpack("<I", head[4:])
            return head[:3], await self.reader.readexactly(size - 8)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def hello(self) -> tuple[bytes, bytes] | None:
        await self.send(b"HEL", struct.pack("<5I", 0, 65_535, 65_535, 0, 0) + text("opc.tcp://127.0.0.1/"))
        return await self.receive()

    async def open_without_security(self) -> None:
        request = ua.OpenSecureChannelRequest()
        request.Parameters.SecurityMode = ua.MessageSecurityMode.None_
        request.Parameters.RequestedLifetime = ua.UInt32(60_000)
        body = struct.pack("<I", 0) + text(NONE) + struct.pack("<ii", -1, -1) + self._sequence()
        await self.send(b"OPN", body + struct_to_binary(request))
        answer = await self.receive()
        assert answer is not None
        assert answer[0] == b"OPN", answer
        buffer = Buffer(answer[1])
        buffer.skip(4)
        struct_from_binary(ua.AsymmetricAlgorithmHeader, buffer)
        struct_from_binary(ua.SequenceHeader, buffer)
        nodeid_from_binary(buffer)
        struct_from_binary(ua.ResponseHeader, buffer)
        opened = struct_from_binary(ua.OpenSecureChannelResult, buffer)
        self.channel, self.token = opened.SecurityToken.ChannelId, opened.SecurityToken.TokenId

    async def ask(self, request: Any) -> int | None:
        """StatusCode of the answer to a request; None when the server has closed instead."""
        return await self.ask_bytes(struct_to_binary(request))

    async def ask_bytes(self, request: bytes) -> int | None:
        await self.send_message(request)
        answer = await self.receive()
        if answer is None or answer[0] == b"ERR":
            return None
        buffer = Buffer(answer[1][16:])
        nodeid_from_binary(buffer)
        return int(struct_from_binary(ua.ResponseHeader, buffer).ServiceResult.value)

    async def send_message(self, part: bytes, chunk: bytes = b"F") -> None:
        head = struct.pack("<II", self.channel, self.token) + self._sequence()
        await self.send(b"MSG", head + part, chunk)

    def _sequence(self) -> bytes:
        self.sequence += 1
        return struct.pack("<II", self.sequence, 1)


@asynccontextmanager
async def raw_peer(port: int) -> AsyncIterator[RawPeer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield RawPeer(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
