"""Variants of a peer, decoded under guard: no array longer than the bytes left, no nesting beyond a limit.

Plain Python values come out: numbers, bool, str, bytes, NodeId, `Structure` for what would need a type dictionary,
lists for arrays. The bulk of histories takes the fast way of `decoding`; this is for the rest.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua

from tagsight_connectors.errors import LimitExceeded
from tagsight_connectors.opcua.wire import DEEPEST, WireReader, ns_of_ticks

NUMBERS: Final[dict[int, struct.Struct]] = {
    1: struct.Struct("<?"),
    2: struct.Struct("<b"),
    3: struct.Struct("<B"),
    4: struct.Struct("<h"),
    5: struct.Struct("<H"),
    6: struct.Struct("<i"),
    7: struct.Struct("<I"),
    8: struct.Struct("<q"),
    9: struct.Struct("<Q"),
    10: struct.Struct("<f"),
    11: struct.Struct("<d"),
    19: struct.Struct("<I"),
}
"""Built-in types of fixed size: Boolean 1 to Double 11, StatusCode 19 (OPC 10000-6, table 1)."""

TEXTS: Final = frozenset({12, 16, 21})
"""String, XmlElement, LocalizedText."""

ARRAY: Final = 0x80
DIMENSIONS: Final = 0x40

LONGEST_ARRAY: Final = 100_000
"""Elements: more than the namespaces, enumerations or limits that anybody lists."""


@dataclass(frozen=True, slots=True)
class Structure:
    """An ExtensionObject: the NodeId of its encoding, and its bytes."""

    type_id: ua.NodeId
    body: bytes


def read_variant(reader: WireReader, depth: int = 0) -> Any:
    """The value of the variant at the reader's position; None for null."""
    if depth > DEEPEST:
        raise LimitExceeded("levels of nested values", DEEPEST, depth)
    encoding = reader.byte()
    kind = encoding & 0x3F
    if not encoding & ARRAY:
        return read_scalar(reader, kind, depth)
    values = [read_scalar(reader, kind, depth) for _ in range(_array_length(reader, kind))]
    if encoding & DIMENSIONS:
        reader.skip(4 * reader.array_length(4))
    return values


def read_scalar(reader: WireReader, kind: int, depth: int) -> Any:  # noqa: PLR0911 - one line for each type
    """One value of a built-in type."""
    layout = NUMBERS.get(kind)
    if layout is not None:
        return reader.unpack(layout)
    match kind:
        case 0:
            return None
        case 12 | 16:
            return reader.string()
        case 13:
            return ns_of_ticks(reader.int64())
        case 14:
            return reader.take(16)
        case 15:
            return reader.byte_string()
        case 17 | 18:
            return reader.node_id()
        case 21:
            return reader.localized_text()
        case _:
            return _read_compound(reader, kind, depth)


def _read_compound(reader: WireReader, kind: int, depth: int) -> Any:
    match kind:
        case 20:
            reader.uint16()
            return reader.string()
        case 22:
            type_id, body = reader.structure()
            return Structure(type_id, b"" if body is None else body.take(body.left))
        case 23:
            return read_data_value(reader, depth + 1)[0]
        case 24:
            return read_variant(reader, depth + 1)
        case 25:
            return reader.skip_diagnostics(depth)
        case _:
            raise reader.malformed(cause=f"no type of value has the number {kind}")


def read_data_value(reader: WireReader, depth: int = 0) -> tuple[Any, int, int | None]:
    """A DataValue: value, StatusCode, source time (UTC ns, None if it has none)."""
    mask = reader.byte()
    value = read_variant(reader, depth) if mask & 0x01 else None
    status = reader.uint32() if mask & 0x02 else 0
    ticks = reader.int64() if mask & 0x04 else None
    reader.skip((2 if mask & 0x10 else 0) + (8 if mask & 0x08 else 0) + (2 if mask & 0x20 else 0))
    return value, status, None if ticks is None else ns_of_ticks(ticks)


def _array_length(reader: WireReader, kind: int) -> int:
    length = reader.array_length(_least_size(kind))
    if length > LONGEST_ARRAY:
        raise LimitExceeded("elements of an array", LONGEST_ARRAY, length)
    if kind == 0 and length:  # elements without bytes: nothing but the count would bound them
        raise reader.malformed(cause=f"an array of {length} null elements")
    return length


def _least_size(kind: int) -> int:
    layout = NUMBERS.get(kind)
    return layout.size if layout is not None else 1
