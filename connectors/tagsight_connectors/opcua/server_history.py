"""The HistoryRead service: raw values of many nodes, continuation points, answer bytes made by NumPy."""

import asyncio
import datetime as dt
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.ua.ua_binary import struct_to_binary

from tagsight_connectors.opcua.history_cursor import Cursor, cursor_for, read_page
from tagsight_connectors.opcua.history_encoding import encode_data_values
from tagsight_connectors.opcua.limits import (
    SERVER_CONTINUATION_POINTS,
    SERVER_HISTORY_PAGE,
    SERVER_HISTORY_VALUES_PER_ANSWER,
    SERVER_NODES_PER_HISTORY_READ,
)
from tagsight_connectors.opcua.server_space import ServedSpace
from tagsight_connectors.opcua.server_writes import ns_of
from tagsight_connectors.serving import ServedSource
from tagsight_connectors.tag import DataType

Codes = ua.StatusCodes

HISTORY_DATA: Final = bytes((0x01, 0x00)) + int(ua.ObjectIds.HistoryData_Encoding_DefaultBinary).to_bytes(2, "little")
NO_HISTORY: Final = bytes((0x00, 0x00, 0x00))
NULL: Final = (-1).to_bytes(4, "little", signed=True)
EMPTY_LISTS: Final = 8
"""The last bytes of an empty HistoryReadResponse: no results, no diagnostic infos."""

LEAST_PAGE: Final = 2
"""A page needs room for a bounding value and a value."""

FIRST_YEAR: Final = 1601
LAST_YEAR: Final = 9999


@dataclass
class ContinuationPoints:
    """Of one session: opaque names of where to go on; the oldest is forgotten when there are too many."""

    cursors: OrderedDict[bytes, Cursor] = field(default_factory=OrderedDict)

    def keep(self, cursor: Cursor) -> bytes:
        """A new name for this cursor."""
        name = secrets.token_bytes(16)
        self.cursors[name] = cursor
        while len(self.cursors) > SERVER_CONTINUATION_POINTS:
            self.cursors.popitem(last=False)
        return name

    def take(self, name: bytes) -> Cursor | None:
        """The cursor of a name, once."""
        return self.cursors.pop(name, None)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    values: bytes = b""
    count: int = 0
    point: bytes | None = None

    def encoded(self) -> bytes:
        point = NULL if self.point is None else _prefixed(self.point)
        status = self.status.to_bytes(4, "little")
        if self.status & 0x80000000:
            return status + point + NO_HISTORY
        body = self.count.to_bytes(4, "little") + self.values
        return b"".join((status, point, HISTORY_DATA, b"\x01", _prefixed(body)))


@dataclass(frozen=True, slots=True)
class _Page:
    count: int
    encoded: bytes
    rest: Cursor | None


@dataclass
class HistoryReads:
    """Answers HistoryRead from a source; reads run in a thread."""

    space: ServedSpace
    source: ServedSource

    async def answer(self, params: ua.HistoryReadParameters, handle: int, points: ContinuationPoints) -> bytes:
        """The body of the HistoryReadResponse."""
        nodes = params.NodesToRead or []
        if not nodes:
            raise ServiceError(Codes.BadNothingToDo)
        if len(nodes) > SERVER_NODES_PER_HISTORY_READ:
            raise ServiceError(Codes.BadTooManyOperations)
        if params.ReleaseContinuationPoints:
            answers = [_release(node, points) for node in nodes]
        else:
            answers = await self._read(params, nodes, points)
        response = ua.HistoryReadResponse()
        response.ResponseHeader.RequestHandle = ua.IntegerId(handle)
        head = struct_to_binary(response)[:-EMPTY_LISTS]
        return b"".join((head, len(answers).to_bytes(4, "little"), *(each.encoded() for each in answers), NULL))

    async def _read(self, params: Any, nodes: list[Any], points: ContinuationPoints) -> list[_Answer]:
        details = params.HistoryReadDetails
        if not isinstance(details, ua.ReadRawModifiedDetails) or details.IsReadModified:
            raise ServiceError(Codes.BadHistoryOperationUnsupported)
        if params.TimestampsToReturn is ua.TimestampsToReturn.Neither:
            raise ServiceError(Codes.BadTimestampsToReturnInvalid)
        if params.TimestampsToReturn is ua.TimestampsToReturn.Server:
            raise ServiceError(Codes.BadTimestampNotSupported)
        share = max(SERVER_HISTORY_VALUES_PER_ANSWER // len(nodes), LEAST_PAGE)
        at_most = min(SERVER_HISTORY_PAGE, share)
        if details.NumValuesPerNode:
            at_most = max(min(at_most, int(details.NumValuesPerNode)), LEAST_PAGE if details.ReturnBounds else 1)
        cursors = [self._cursor(node, details, points) for node in nodes]
        pages = await asyncio.to_thread(self._pages, [each for each in cursors if isinstance(each, Cursor)], at_most)
        return [_answer(next(pages), points) if isinstance(each, Cursor) else _Answer(each) for each in cursors]

    def _pages(self, cursors: list[Cursor], at_most: int) -> Iterator[_Page]:
        """All pages of a request, read by one thread: it costs more to begin one than to read a page."""
        return iter([self._page(cursor, at_most) for cursor in cursors])

    def _page(self, cursor: Cursor, at_most: int) -> _Page:
        page, rest = read_page(self.source, cursor, at_most)
        return _Page(len(page), encode_data_values(page, cursor.variable), rest)

    def _cursor(self, node: Any, details: Any, points: ContinuationPoints) -> Cursor | int:
        served = self.space.find(node.NodeId)
        if served is None:
            known = node.NodeId in self.space.space
            return int(Codes.BadHistoryOperationUnsupported if known else Codes.BadNodeIdUnknown)
        if node.IndexRange:
            return int(Codes.BadIndexRangeInvalid)
        if node.ContinuationPoint:
            kept = points.take(node.ContinuationPoint)
            if kept is None or kept.variable.identifier != served.variable.identifier:
                return int(Codes.BadContinuationPointInvalid)
            return kept
        start, end = _time(details.StartTime), _time(details.EndTime)
        wanted = int(details.NumValuesPerNode)
        bounds = bool(details.ReturnBounds) and served.variable.data_type is not DataType.OTHER
        cursor = cursor_for(served.variable, start, end, wanted, bounds=bounds)
        return int(Codes.BadHistoryOperationInvalid) if cursor is None else cursor


def _answer(page: _Page, points: ContinuationPoints) -> _Answer:
    point = None if page.rest is None else points.keep(page.rest)
    status = Codes.Good if page.count or page.rest is not None else Codes.GoodNoData
    return _Answer(int(status), page.encoded, page.count, point)


def _release(node: Any, points: ContinuationPoints) -> _Answer:
    if node.ContinuationPoint:
        points.take(node.ContinuationPoint)
    return _Answer(int(Codes.Good))


def _time(time: dt.datetime | None) -> int | None:
    """UTC ns; None for the first and the last moment of OPC UA, which mean "not given"."""
    if time is None or time.year <= FIRST_YEAR or time.year >= LAST_YEAR:
        return None
    return ns_of(time)


def _prefixed(content: bytes) -> bytes:
    return len(content).to_bytes(4, "little") + content
