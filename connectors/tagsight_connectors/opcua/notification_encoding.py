"""Data changes as a client gets them on the wire (OPC 10000-6, 5.2.2.17), written value by value but without objects.

The bytes are those of asyncua's own encoder, which needs two to three times as long: it makes and walks an object for
each value.
"""

import datetime as dt
import struct
from collections.abc import Sequence
from typing import Any, Final

from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary

from tagsight_connectors.opcua.history_encoding import EPOCH_TICKS

TYPE_ID: Final = ua.NodeId(ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary)
NO_DIAGNOSTICS: Final = struct.pack("<i", 0)
OVERFLOW: Final = 0x480
"""InfoType DataValue with the bit Overflow (OPC 10000-4, 7.39.1): values before this one were lost."""

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_HANDLE: Final = struct.Struct("<I")
_MASK: Final = 0x01 | 0x02 | 0x04 | 0x08
"""Value, StatusCode, SourceTimestamp, ServerTimestamp."""

_SCALARS: Final[dict[ua.VariantType, struct.Struct]] = {
    ua.VariantType.Double: struct.Struct("<IBBdIqq"),
    ua.VariantType.Int32: struct.Struct("<IBBiIqq"),
    ua.VariantType.Boolean: struct.Struct("<IBB?Iqq"),
}
"""Handle, mask, type, value, status, source time, server time."""

Change = tuple[int, Any]
"""ClientHandle and DataValue."""


def notification_of(changes: Sequence[Change], at_most: int, about_bytes: int) -> tuple[ua.ExtensionObject, int]:
    """The first of these as a DataChangeNotification, encoded already, and how many of them it has.

    Args:
        changes: what there is to tell.
        at_most: values.
        about_bytes: no further value is taken once there are so many.
    """
    encoded, size = [], 0
    for handle, value in changes:
        encoded.append(encode_change(handle, value))
        size += len(encoded[-1])
        if len(encoded) >= at_most or size >= about_bytes:
            break
    body = b"".join((struct.pack("<i", len(encoded)), *encoded, NO_DIAGNOSTICS))
    return ua.ExtensionObject(TYPE_ID, body), len(encoded)


def encode_change(handle: int, value: Any) -> bytes:
    """One MonitoredItemNotification."""
    variant = value.Value
    layout = _SCALARS.get(variant.VariantType)
    if layout is None or variant.is_array or not _with_plain_times(value):
        return _HANDLE.pack(handle) + bytes(struct_to_binary(value))
    source, served = _ticks(value.SourceTimestamp), _ticks(value.ServerTimestamp)
    return layout.pack(handle, _MASK, variant.VariantType, variant.Value, value.StatusCode.value, source, served)


def _with_plain_times(value: Any) -> bool:
    source, served = value.SourceTimestamp, value.ServerTimestamp
    if source is None or served is None or value.SourcePicoseconds is not None or value.ServerPicoseconds is not None:
        return False
    return source.tzinfo is not None and served.tzinfo is not None


def _ticks(time: dt.datetime) -> int:
    since = time - EPOCH
    return (since.days * 86_400 + since.seconds) * 10_000_000 + since.microseconds * 10 + EPOCH_TICKS


def with_overflow(value: Any) -> Any:
    """The same value, which says that some before it were lost."""
    status = ua.StatusCode(ua.UInt32(value.StatusCode.value | OVERFLOW))
    return ua.DataValue(value.Value, status, value.SourceTimestamp, value.ServerTimestamp)
