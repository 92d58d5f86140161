"""The answers of the subscription services on the wire (OPC 10000-4, 5.12 and 5.13), decoded under guard."""

from dataclasses import dataclass, field
from typing import Final

from asyncua import ua

from tagsight_connectors.opcua.service import Reading
from tagsight_connectors.opcua.variants import read_data_value
from tagsight_connectors.opcua.wire import WireReader, ns_of_ticks

DATA_CHANGE: Final = int(ua.ObjectIds.DataChangeNotification_Encoding_DefaultBinary)
STATUS_CHANGE: Final = int(ua.ObjectIds.StatusChangeNotification_Encoding_DefaultBinary)

LEAST_VALUE: Final = 5
"""Bytes of the smallest MonitoredItemNotification: a handle and an empty DataValue."""

LEAST_ITEM: Final = 23
"""Bytes of the smallest MonitoredItemCreateResult."""


@dataclass(slots=True)
class Message:
    """One NotificationMessage.

    Attributes:
        result: ServiceResult of the answer that brought it; the rest is empty when that is Bad.
        subscription: its id.
        sequence: number of the message; without notifications (a sign of life) that of the next one.
        published_ns: the server's time when it was sent, UTC ns.
        values: (client handle, reading), in the order in which they came.
        ended: StatusCode with which the server ended the subscription; None while it lives.
    """

    result: int
    subscription: int = 0
    sequence: int = 0
    published_ns: int = 0
    values: list[tuple[int, Reading]] = field(default_factory=list)
    ended: int | None = None
    empty: bool = True


@dataclass(frozen=True, slots=True)
class Created:
    """What the server made of a subscription: its id, publishing interval (ms), keep-alive count."""

    identifier: int
    publishing_ms: float
    keep_alive_count: int


@dataclass(frozen=True, slots=True)
class Item:
    """What the server made of a monitored item: StatusCode, id, sampling interval (ms), size of its queue."""

    status: int
    identifier: int
    sampling_ms: float
    queue: int


def decode_publish(body: bytes) -> Message:
    """A PublishResponse. Raises MalformedData, LimitExceeded."""
    reader = WireReader(body, where="Publish answer")
    result = reader.response_header(int(ua.ObjectIds.PublishResponse_Encoding_DefaultBinary))
    if not reader.left:
        return Message(result)
    message = Message(result, reader.uint32())
    for _ in range(reader.array_length(4)):  # numbers that could be asked for again
        reader.uint32()
    reader.byte()  # whether there is more: the next answer tells
    _read_message(reader, message)
    return message


def decode_republish(body: bytes) -> Message:
    """A RepublishResponse. Raises MalformedData, LimitExceeded."""
    reader = WireReader(body, where="Republish answer")
    message = Message(reader.response_header(int(ua.ObjectIds.RepublishResponse_Encoding_DefaultBinary)))
    if reader.left:
        _read_message(reader, message)
    return message


def decode_created(body: bytes) -> tuple[int, Created | None]:
    """A CreateSubscriptionResponse: ServiceResult, and what was made."""
    reader = WireReader(body, where="CreateSubscription answer")
    result = reader.response_header(int(ua.ObjectIds.CreateSubscriptionResponse_Encoding_DefaultBinary))
    if not reader.left:
        return result, None
    identifier, publishing_ms = reader.uint32(), reader.double()
    reader.uint32()  # lifetime count
    return result, Created(identifier, publishing_ms, reader.uint32())


def decode_items(body: bytes) -> tuple[int, list[Item]]:
    """A CreateMonitoredItemsResponse: ServiceResult, and one Item for each."""
    reader = WireReader(body, where="CreateMonitoredItems answer")
    result = reader.response_header(int(ua.ObjectIds.CreateMonitoredItemsResponse_Encoding_DefaultBinary))
    items = []
    for _ in range(reader.array_length(LEAST_ITEM) if reader.left else 0):
        items.append(Item(reader.uint32(), reader.uint32(), reader.double(), reader.uint32()))
        reader.structure()  # result of a filter
    return result, items


def _read_message(reader: WireReader, message: Message) -> None:
    message.sequence = reader.uint32()
    message.published_ns = ns_of_ticks(reader.int64())
    for _ in range(reader.array_length(3)):
        type_id, data = reader.structure()
        message.empty = False
        if data is None or type_id.NamespaceIndex != 0:
            continue
        if type_id.Identifier == DATA_CHANGE:
            message.values += [(data.uint32(), read_data_value(data)) for _ in range(data.array_length(LEAST_VALUE))]
        elif type_id.Identifier == STATUS_CHANGE:
            message.ended = data.uint32()
