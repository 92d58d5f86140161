"""asyncua's own server, polite until it is told a lie: then it answers as no server may."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.common.connection import MessageChunk
from asyncua.server import binary_server_asyncio
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import struct_to_binary

from tests.connectors.opcua.plant_server import free_port, plant_server

FIVE_BYTES = bytes((0xC0, 0xC0, 0x16, 0x00, 0x14))
"""A Variant: an array of 335 million elements that take no bytes."""

NESTED = bytes((24,)) * 10_000 + bytes(1)
"""A Variant in a Variant, ten thousand deep."""

DIAGNOSTICS = bytes((0x40,)) * 10_000 + bytes(1)
TWO_GIGABYTES = struct.pack("<i", 2**31 - 1)
CHUNK = 60_000
MEGABYTE = 1_000_000
VALUES = 200


@dataclass
class Answer:
    """What an honest server would say now, and ways to say something else."""

    processor: Any
    sequence: Any
    response: Any

    @property
    def body(self) -> bytes:
        return bytes(struct_to_binary(self.response))

    def send(self, body: bytes, request_id: int | None = None) -> None:
        """A whole message on the secure channel."""
        self.write(self.message(body, request_id))

    def message(self, body: bytes, request_id: int | None = None) -> bytes:
        number = self.sequence.RequestId if request_id is None else request_id
        return bytes(self.processor._connection.message_to_binary(body, request_id=number))

    def write(self, octets: bytes) -> None:
        self.processor._transport.write(octets)

    def later(self, work: Any) -> None:
        self.processor.rogue.tasks.append(asyncio.create_task(work))


Lie = Callable[[Answer], None]


@dataclass
class Rogue:
    """What the server does beside its work.

    Attributes:
        lie: about answers of the type `about`; None: honest.
        channel_ms: how long a channel lives, whatever the client asks for; 0: as it asks.
        tokens: of the channels, in order.
    """

    lie: Lie | None = None
    about: type = ua.ReadResponse
    channel_ms: int = 0
    tokens: list[int] = field(default_factory=list)
    held: Any = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @contextmanager
    def lying(self, lie: Lie) -> Iterator[None]:
        self.lie = lie
        try:
            yield
        finally:
            self.lie = None

    async def sessions_become(self, count: int) -> bool:
        """Whether the server soon holds so many sessions: it notices an end later than the client."""
        for _ in range(200):
            if len(self.held.iserver._external_sessions) == count:
                return True
            await asyncio.sleep(0.01)
        return False

    async def end_lies(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()


@asynccontextmanager
async def rogue_server(folder: Path, *, secure: bool) -> AsyncIterator[tuple[int, Rogue]]:
    rogue, port = Rogue(), free_port()

    class RogueProcessor(UaProcessor):  # type: ignore[misc]
        def send_response(self, handle: Any, sequence: Any, response: Any, *kind: Any) -> None:
            if isinstance(response, ua.OpenSecureChannelResponse):
                token = response.Parameters.SecurityToken
                token.RevisedLifetime = ua.UInt32(rogue.channel_ms or token.RevisedLifetime)
                rogue.tokens.append(token.TokenId)
            if rogue.lie is None or not isinstance(response, rogue.about):
                super().send_response(handle, sequence, response, *kind)
                return
            response.ResponseHeader.RequestHandle = handle
            rogue.lie(Answer(self, sequence, response))

    RogueProcessor.rogue = rogue
    honest, binary_server_asyncio.UaProcessor = binary_server_asyncio.UaProcessor, RogueProcessor
    try:
        async with plant_server(port, folder, secure=secure, values=VALUES, users=secure) as server:
            rogue.held = server
            yield port, rogue
            await rogue.end_lies()
    finally:
        binary_server_asyncio.UaProcessor = honest


def value_of(variant: bytes) -> Lie:
    """A value that is this Variant: in the values of Read and HistoryRead, in the header of any other answer."""

    def lie(answer: Answer) -> None:
        match answer.response:
            case ua.ReadResponse():
                head = bytes(struct_to_binary(ua.ReadResponse(ResponseHeader=answer.response.ResponseHeader)))[:-8]
                count = len(answer.response.Results)
                body = head + struct.pack("<i", count) + (b"\x01" + variant) * count + bytes(4)
            case ua.HistoryReadResponse():
                kind = ua.FourByteNodeId(ua.ObjectIds.HistoryData_Encoding_DefaultBinary)
                rows = struct.pack("<i", 1) + b"\x05" + variant + struct.pack("<q", 1 << 57)
                answer.response.Results = [ua.HistoryReadResult(HistoryData=ua.ExtensionObject(kind, rows))]
                body = answer.body
            case _:
                kind = ua.FourByteNodeId(ua.ObjectIds.LiteralOperand_Encoding_DefaultBinary)
                answer.response.ResponseHeader.AdditionalHeader = ua.ExtensionObject(kind, variant)
                body = answer.body
        answer.send(body)

    return lie


def nested_diagnostics(answer: Answer) -> None:
    """Service diagnostics within diagnostics."""
    at = _header_bytes(answer)
    answer.send(answer.body[:at] + DIAGNOSTICS + answer.body[at + 1 :])


def long_string_table(answer: Answer) -> None:
    """The string table of the header is announced with two billion texts."""
    at = _header_bytes(answer) + 1
    answer.send(answer.body[:at] + TWO_GIGABYTES + answer.body[at + 4 :])


def many_results(answer: Answer) -> None:
    """Two billion results follow, it says."""
    at = _header_bytes(answer) + 1 + 4 + 3
    answer.send(answer.body[:at] + TWO_GIGABYTES + answer.body[at + 4 :])


def _header_bytes(answer: Answer) -> int:
    """Bytes before the service diagnostics: type, time, handle, result."""
    return 4 + 8 + 4 + 4


def long_chunk(answer: Answer) -> None:
    answer.write(b"MSGF" + TWO_GIGABYTES + bytes(1_000))


def slowly(answer: Answer) -> None:
    """One byte a second."""
    octets = answer.message(answer.body)

    async def drip() -> None:
        for octet in octets:
            answer.write(bytes((octet,)))
            await asyncio.sleep(1)

    answer.later(drip())


def never(_answer: Answer) -> None:
    """No answer at all."""


def wrong_sequence(answer: Answer) -> None:
    answer.processor._connection._sequence_number += 7
    answer.send(answer.body)


def long_text(megabytes: int) -> Lie:
    """A text of so many megabytes, in as many chunks as it takes."""

    def lie(answer: Answer) -> None:
        answer.later(_stream(answer, megabytes * MEGABYTE))

    return lie


async def _stream(answer: Answer, length: int) -> None:
    head = bytes(struct_to_binary(ua.ReadResponse(ResponseHeader=answer.response.ResponseHeader)))[:-8]
    part, left = head + struct.pack("<iBBi", 1, 1, 12, length), length
    connection = answer.processor._connection
    while True:
        more = min(left, CHUNK - len(part))
        part, left = part + b"x" * more, left - more
        kind = ua.ChunkType.Intermediate if left else ua.ChunkType.Single
        chunk = MessageChunk(
            connection.security_policy.symmetric_cryptography, part, ua.MessageType.SecureMessage, kind
        )
        connection._sequence_number += 1
        chunk.MessageHeader.ChannelId = connection.security_token.ChannelId
        chunk.SecurityHeader.TokenId = connection.security_token.TokenId
        chunk.SequenceHeader = ua.SequenceHeader(
            ua.UInt32(connection._sequence_number), ua.UInt32(answer.sequence.RequestId)
        )
        answer.write(chunk.to_binary())
        part = b""
        await asyncio.sleep(0.01 if answer.processor._transport.get_write_buffer_size() > MEGABYTE else 0)
        if not left or answer.processor._transport.is_closing():
            return


def early_end(keep: float) -> Lie:
    return lambda answer: answer.send(answer.body[: int(len(answer.body) * keep)])


def fault(code: int) -> Lie:
    """The answer is this error."""

    def lie(answer: Answer) -> None:
        head = ua.ResponseHeader(RequestHandle=answer.response.ResponseHeader.RequestHandle)
        head.ServiceResult = ua.StatusCode(ua.UInt32(code))
        answer.send(bytes(struct_to_binary(ua.ServiceFault(ResponseHeader=head))))

    return lie


def another_type(answer: Answer) -> None:
    header = answer.response.ResponseHeader
    answer.send(bytes(struct_to_binary(ua.RegisterNodesResponse(ResponseHeader=header))))


def another_request(answer: Answer) -> None:
    """A megabyte for a question that nobody asked."""
    answer.send(answer.body + b"x" * MEGABYTE, request_id=123_456)


def twice(answer: Answer) -> None:
    answer.send(answer.body)
    answer.send(answer.body)


def unknown_message(answer: Answer) -> None:
    answer.write(b"XYZF" + struct.pack("<I", 24) + bytes(16))


def garbage(answer: Answer) -> None:
    answer.send(b"\xff" * 1_000)
