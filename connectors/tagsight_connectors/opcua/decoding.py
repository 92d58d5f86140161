"""The body of a HistoryRead answer, decoded by NumPy.

DataValues that share their encoding mask and type of value have a fixed stride, so that a whole run of them is one
structured array. Runs are found by galloping over the strided mask bytes: row after row is certain, because the row
before it had the same length. All runs of one layout are taken over together. What has no fixed size (text) is read
one by one, under guard.

Order of the fields on the wire: value, status, source time, source picoseconds, server time, server picoseconds
(OPC 10000-6, 5.2.2.17).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import numpy as np
from asyncua import ua
from numpy.typing import NDArray

from tagsight_connectors.errors import LimitExceeded
from tagsight_connectors.history import TagHistory, empty_history
from tagsight_connectors.opcua.variants import ARRAY, DIMENSIONS, TEXTS, read_data_value
from tagsight_connectors.opcua.wire import WireReader, ns_array_of_ticks
from tagsight_connectors.quality import BAD_NO_DATA

LEAST_ROW: Final = 9
"""Bytes of the smallest DataValue that we accept: its mask and its source time."""

MOST_RESULTS: Final = 10_000
"""Results of one answer."""

RESPONSE: Final = int(ua.ObjectIds.HistoryReadResponse_Encoding_DefaultBinary)
HISTORY_DATA: Final = int(ua.ObjectIds.HistoryData_Encoding_DefaultBinary)

_FORMATS: Final = {
    0: "", 1: "?", 2: "i1", 3: "u1", 4: "<i2", 5: "<u2", 6: "<i4", 7: "<u4", 8: "<i8", 9: "<u8", 10: "<f4", 11: "<f8",
}  # fmt: skip

_TYPE_NAMES: Final = {
    13: "DateTime", 14: "Guid", 15: "ByteString", 17: "NodeId", 18: "ExpandedNodeId", 19: "StatusCode",
    20: "QualifiedName", 22: "Structure", 23: "DataValue", 24: "Variant", 25: "DiagnosticInfo",
}  # fmt: skip

FIRST_LEAP: Final = 32

FEW_RUNS: Final = 8
"""Runs of one layout that are taken over one by one."""


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """What a HistoryRead answered for one node.

    Attributes:
        status: StatusCode of this node.
        continuation_point: None or empty when the server has no more.
        history: times ascend as the server sent them; not trimmed, not sorted.
        unreadable: why values could not be taken over (arrays, structures); "" if they could.
    """

    status: int
    continuation_point: bytes | None
    history: TagHistory = field(default_factory=empty_history)
    unreadable: str = ""


def decode_history_response(
    body: bytes, expected: int, elements: Sequence[int | None] = ()
) -> tuple[int, list[NodeAnswer]]:
    """ServiceResult and one answer for each of the `expected` nodes.

    `elements`: for each node the element of its arrays that was asked for; None: its values are no arrays.

    Raises MalformedData, LimitExceeded; nothing else, whatever the bytes are.
    """
    reader = WireReader(body, where="HistoryRead answer")
    result = reader.response_header(RESPONSE)
    if reader.left == 0:  # a ServiceFault ends with its header
        return result, []
    count = reader.array_length(LEAST_ROW)
    if count > MOST_RESULTS:
        raise LimitExceeded("results of one HistoryRead", MOST_RESULTS, count)
    if count != expected and not result >> 31:
        raise reader.malformed(cause=f"{count} results for {expected} nodes")
    return result, [_node_answer(reader, elements[at] if at < len(elements) else None) for at in range(count)]


def _node_answer(reader: WireReader, element: int | None) -> NodeAnswer:
    status = reader.uint32()
    point = reader.byte_string()
    type_id, data = reader.structure()
    if data is None or not data.left:
        return NodeAnswer(status, point)
    if type_id.NamespaceIndex != 0 or type_id.Identifier != HISTORY_DATA:
        raise reader.malformed(cause=f"history of type {type_id.to_string()}")
    rows = _Rows(data, element)
    rows.read()
    return NodeAnswer(status, point, rows.history(), rows.unreadable)


@lru_cache(maxsize=512)
def _row_type(mask: int, kind: int) -> np.dtype[np.void] | None:
    """The layout of a DataValue; None if its value has no fixed size or it has no source time."""
    if kind not in _FORMATS or not mask & 0x04:
        return None
    fields: list[tuple[str, str]] = [("mask", "u1")]
    if mask & 0x01:
        fields.append(("kind", "u1"))
        fields.extend([("value", _FORMATS[kind])] if kind else [])
    optional = [(0x02, "status", "<u4"), (0x04, "ticks", "<i8"), (0x10, "pico", "<u2")]
    optional += [(0x08, "server", "<i8"), (0x20, "server_pico", "<u2")]
    fields.extend((name, layout) for bit, name, layout in optional if mask & bit)
    return np.dtype(fields)


class _Rows:
    """The DataValues of one node while they are read."""

    def __init__(self, reader: WireReader, element: int | None = None) -> None:
        self.reader = reader
        self.element = element
        self.whole = False
        self.alone: list[int] = []
        self.count = reader.array_length(LEAST_ROW)
        self.runs: dict[np.dtype[np.void], list[tuple[int, int, int]]] = {}
        self.times: NDArray[np.int64] = np.zeros(self.count, dtype=np.int64)
        self.numbers: NDArray[np.float64] = np.full(self.count, np.nan)
        self.status: NDArray[np.uint32] = np.zeros(self.count, dtype=np.uint32)
        self.texts: NDArray[np.object_] | None = None
        self.unreadable = ""

    def read(self) -> None:
        """All rows, or up to the first whose value we do not take over."""
        row = 0
        while row < self.count and not self.unreadable:
            row += self._run(row) or self._single(row)
        self._gather()
        self._doubt_elements()

    def history(self) -> TagHistory:
        """What was read. Where there is text, numbers become text."""
        if self.unreadable:
            return empty_history()
        if self.texts is None:
            return TagHistory(self.times, self.numbers, self.status)
        for row in np.flatnonzero(~np.isnan(self.numbers)):
            self.texts[row] = str(self.numbers[row])
        return TagHistory(self.times, self.texts, self.status)

    def _run(self, row: int) -> int:
        """Rows of one layout from here on; 0 if this row has none of fixed size."""
        reader = self.reader
        if reader.left < LEAST_ROW:
            raise reader.malformed(cause=f"{self.count - row} values are missing")
        mask = reader.data[reader.position]
        kind = reader.data[reader.position + 1] if mask & 0x01 else 0
        layout = _row_type(mask, kind)
        if layout is None:
            return 0
        rows = self._length(mask, kind, layout.itemsize, self.count - row)
        if rows:
            self.runs.setdefault(layout, []).append((row, rows, reader.skip(rows * layout.itemsize)))
        return rows

    def _length(self, mask: int, kind: int, stride: int, most: int) -> int:
        """Rows with this mask and kind, by galloping: leaps grow until one holds a different row."""
        data, start = self.reader.data, self.reader.position
        most = min(most, self.reader.left // stride)
        known, leap = 0, FIRST_LEAP
        while known < most:
            until = min(known + leap, most)
            first, last = start + known * stride, start + (until - 1) * stride + 1
            same = _leading(data[first:last:stride], mask)
            if mask & 0x01:
                same = min(same, _leading(data[first + 1 : last + 1 : stride], kind))
            known += same
            if known < until:
                break
            leap *= 4
        return known

    def _gather(self) -> None:
        """Take the runs over: a few where they lie, many of one layout together, without a NumPy call for each."""
        for layout, runs in self.runs.items():
            data, size = self.reader.data, layout.itemsize
            if len(runs) <= FEW_RUNS:
                for row, count, start in runs:
                    self._store(slice(row, row + count), np.frombuffer(data, layout, count, start))
                continue
            rows, counts, _ = (np.array(column) for column in zip(*runs, strict=True))
            octets = b"".join(data[start : start + count * size] for _, count, start in runs)
            before = np.cumsum(counts) - counts
            where = np.repeat(rows - before, counts) + np.arange(int(counts.sum()))
            self._store(where, np.frombuffer(octets, dtype=layout))

    def _store(self, where: slice | NDArray[np.int64], run: NDArray[Any]) -> None:
        names = run.dtype.names or ()
        self.times[where] = ns_array_of_ticks(run["ticks"])
        if "status" in names:
            self.status[where] = run["status"]
        if "value" in names:
            self.numbers[where] = run["value"]

    def _single(self, row: int) -> int:
        """One row without a fixed size."""
        reader = self.reader
        kind = reader.data[reader.position + 1] if reader.data[reader.position] & 0x01 else 0
        self.unreadable = _unreadable(kind, self.element)
        if self.unreadable:
            return 1
        value, status, time_ns = read_data_value(reader)
        if time_ns is None:
            raise reader.malformed("a value without source time")
        self.times[row], self.status[row] = time_ns, status
        if isinstance(value, list):
            value = self._picked(row, value)
        if isinstance(value, str):
            self._set_text(row, value)
        elif value is not None:
            self.numbers[row] = value
        return 1

    def _picked(self, row: int, values: list[Any]) -> Any:
        """The element asked for: a server that knows index ranges sends it alone, another one the whole array."""
        self.whole |= len(values) > 1
        if len(values) == 1:
            self.alone.append(row)
            return values[0]
        if self.element is not None and self.element < len(values):
            return values[self.element]
        self._not_there(row)
        return None

    def _not_there(self, row: int) -> None:
        if not self.status[row] >> 31:
            self.status[row] = BAD_NO_DATA

    def _doubt_elements(self) -> None:
        """Where whole arrays came, an array of one value holds no other element than the first."""
        for row in self.alone if self.whole and self.element else ():
            self._not_there(row)
            self.numbers[row] = np.nan
            if self.texts is not None:
                self.texts[row] = None

    def _set_text(self, row: int, value: str) -> None:
        if self.texts is None:
            self.texts = np.full(self.count, None, dtype=object)
        self.texts[row] = value


def _unreadable(kind: int, element: int | None) -> str:
    """Why values of this kind are not taken over, in words; "" if they are."""
    scalar = kind & 0x3F
    if kind & ARRAY and (element is None or kind & DIMENSIONS):
        return "its values are matrices" if kind & DIMENSIONS else "its values are arrays"
    if scalar in TEXTS or scalar in _FORMATS:
        return ""
    return f"its values are of the type {_TYPE_NAMES.get(scalar, f'number {scalar}')}"


def _leading(part: bytes, octet: int) -> int:
    """How many bytes at the beginning are this one."""
    return len(part) - len(part.lstrip(bytes((octet,))))
