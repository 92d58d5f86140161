"""Bytes of a peer, read with a look at how many are left: the ground floor of our own decoders (OPC 10000-6, 5.2).

Nothing here allocates before it has seen that the bytes are there, and nothing recurses deeper than `DEEPEST`.
"""

import struct
import uuid
from dataclasses import dataclass
from typing import Final

import numpy as np
from asyncua import ua

from tagsight_connectors.errors import LimitExceeded, MalformedData

DEEPEST: Final = 16
"""Levels of nesting: diagnostics in diagnostics, variants in variants."""

EPOCH_TICKS: Final = 116_444_736_000_000_000
"""1970-01-01 in 100 ns since 1601-01-01, the origin of OPC UA times."""

_DOUBLE: Final = struct.Struct("<d")
_TICKS_LEAST: Final = -(2**63) // 100 + EPOCH_TICKS + 1
_TICKS_MOST: Final = (2**63 - 1) // 100 + EPOCH_TICKS


def ns_of_ticks(ticks: int) -> int:
    """UTC ns since 1970; times beyond what 64 bits of ns can say (years 1677 to 2262) become the nearest that can."""
    return (min(max(ticks, _TICKS_LEAST), _TICKS_MOST) - EPOCH_TICKS) * 100


def ns_array_of_ticks(
    ticks: "np.ndarray[tuple[int], np.dtype[np.int64]]",
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """`ns_of_ticks` of each."""
    times = np.clip(ticks, _TICKS_LEAST, _TICKS_MOST)
    times -= EPOCH_TICKS
    times *= 100
    return times


def ticks_of_ns(ns: int) -> int:
    """100 ns steps since 1601, rounded down; at least 1, because 0 means "no time"."""
    return max(ns // 100 + EPOCH_TICKS, 1)


@dataclass
class WireReader:
    """A position in the bytes of a message. Everything raises MalformedData where the bytes end too early."""

    data: bytes
    position: int = 0
    end: int = -1
    where: str = "an answer of the server"

    def __post_init__(self) -> None:
        self.end = len(self.data) if self.end < 0 else self.end

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return self.end - self.position

    def malformed(self, cause: str) -> MalformedData:
        """The error for bytes that do not mean what they must."""
        return MalformedData(self.where, f"{cause} (at byte {self.position})")

    def skip(self, count: int) -> int:
        """Move on; the position before."""
        if not 0 <= count <= self.left:
            raise self.malformed(cause=f"{count} bytes are announced, {self.left} are left")
        before = self.position
        self.position += count
        return before

    def take(self, count: int) -> bytes:
        """The next bytes."""
        before = self.skip(count)
        return self.data[before : self.position]

    def byte(self) -> int:
        """Byte."""
        return self.data[self.skip(1)]

    def uint16(self) -> int:
        """UInt16."""
        return int.from_bytes(self.take(2), "little")

    def uint32(self) -> int:
        """UInt32, StatusCode."""
        return int.from_bytes(self.take(4), "little")

    def int32(self) -> int:
        """Int32."""
        return int.from_bytes(self.take(4), "little", signed=True)

    def int64(self) -> int:
        """Int64, DateTime in ticks."""
        return int.from_bytes(self.take(8), "little", signed=True)

    def double(self) -> float:
        """Double."""
        return float(self.unpack(_DOUBLE))

    def unpack(self, layout: struct.Struct) -> int | float | bool:
        """One number."""
        value: int | float | bool = layout.unpack_from(self.data, self.skip(layout.size))[0]
        return value

    def array_length(self, least: int = 1) -> int:
        """Length of an array whose elements take at least `least` bytes each; -1 (null) becomes 0."""
        length = self.int32()
        if length > 0 and length * least > self.left:
            raise self.malformed(cause=f"an array of {length} elements is announced, {self.left} bytes are left")
        return max(length, 0)

    def byte_string(self) -> bytes | None:
        """ByteString; None for null."""
        length = self.int32()
        return None if length < 0 else self.take(length)

    def string(self) -> str | None:
        """String; what is not UTF-8 becomes a replacement character."""
        content = self.byte_string()
        return None if content is None else content.decode("utf-8", errors="replace")

    def localized_text(self) -> str | None:
        """The text of a LocalizedText."""
        mask = self.byte()
        if mask & 0x01:
            self.byte_string()
        return self.string() if mask & 0x02 else None

    def node_id(self) -> ua.NodeId:
        """NodeId, or ExpandedNodeId (namespace URI and server are read and left out)."""
        encoding = self.byte()
        node = self._identifier(encoding & 0x3F)
        if encoding & 0x80:
            self.byte_string()
        if encoding & 0x40:
            self.uint32()
        return node

    def _identifier(self, kind: int) -> ua.NodeId:
        match kind:
            case 0:
                return ua.NodeId(self.byte(), 0)
            case 1:
                namespace = self.byte()
                return ua.NodeId(self.uint16(), namespace)
            case 2:
                namespace = self.uint16()
                return ua.NodeId(self.uint32(), namespace)
            case 3:
                namespace = self.uint16()
                return ua.NodeId(self.string() or "", namespace, ua.NodeIdType.String)
            case 4:
                namespace = self.uint16()
                return ua.NodeId(uuid.UUID(bytes_le=self.take(16)), namespace, ua.NodeIdType.Guid)
            case 5:
                namespace = self.uint16()
                return ua.NodeId(self.byte_string() or b"", namespace, ua.NodeIdType.ByteString)
            case _:
                raise self.malformed(cause=f"no kind of NodeId has the number {kind}")

    def structure(self) -> "tuple[ua.NodeId, WireReader | None]":
        """An ExtensionObject: its encoding's NodeId and a reader of its body (None without one)."""
        type_id = self.node_id()
        encoding = self.byte()
        if encoding == 0:
            return type_id, None
        if encoding not in {1, 2}:
            raise self.malformed(cause=f"no encoding of a structure has the number {encoding}")
        before = self.skip(max(self.int32(), 0))
        return type_id, WireReader(self.data, before, self.position, self.where)

    def skip_diagnostics(self, depth: int = 0) -> None:
        """A DiagnosticInfo."""
        if depth > DEEPEST:
            raise LimitExceeded("levels of nested diagnostics", DEEPEST, depth)
        mask = self.byte()
        self.skip(4 * (mask & 0x0F).bit_count())
        if mask & 0x10:
            self.byte_string()
        if mask & 0x20:
            self.skip(4)
        if mask & 0x40:
            self.skip_diagnostics(depth + 1)

    def response_header(self, expected: int) -> int:
        """Type and header of a response; its ServiceResult. Raises MalformedData for another type of response."""
        type_id = self.node_id()
        if type_id.NamespaceIndex != 0 or type_id.Identifier not in {
            expected,
            ua.ObjectIds.ServiceFault_Encoding_DefaultBinary,
        }:
            raise self.malformed(cause=f"an answer of type {type_id.to_string()} instead of i={expected}")
        self.skip(12)  # timestamp, request handle
        result = self.uint32()
        self.skip_diagnostics()
        for _ in range(self.array_length(4)):
            self.byte_string()
        self.structure()
        return result
