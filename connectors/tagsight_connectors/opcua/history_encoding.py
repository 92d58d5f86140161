"""A page of history as OPC UA DataValues on the wire (OPC 10000-6, 5.2.2.17), written by NumPy, not value by value."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tagsight_connectors.history import TagHistory
from tagsight_connectors.serving import ServedVariable
from tagsight_connectors.tag import DataType

EPOCH_TICKS: Final = 116_444_736_000_000_000
"""1970-01-01 in units of 100 ns since 1601-01-01."""

HAS_VALUE: Final = 0x01
HAS_STATUS: Final = 0x02
HAS_SOURCE_TIME: Final = 0x04

BOOLEAN: Final = 1
INT32: Final = 6
DOUBLE: Final = 11
STRING: Final = 12

Bytes = NDArray[np.uint8]


def ticks_of(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Units of 100 ns since 1601, from UTC ns; what lies before 1601 becomes 0 ("no time")."""
    return np.maximum(times // 100 + EPOCH_TICKS, 0)


def encode_data_values(history: TagHistory, variable: ServedVariable) -> bytes:
    """The elements of HistoryData.DataValues, without the length before them; source times only."""
    if variable.data_type is DataType.TEXT:
        return _encode_texts(history)
    values = np.asarray(history.values, dtype=np.float64)
    return _encode_numbers(history, values, *_wire_type(variable))


def _wire_type(variable: ServedVariable) -> tuple[int, str]:
    if variable.data_type is DataType.BOOLEAN:
        return BOOLEAN, "u1"
    return (INT32, "<i4") if variable.integer else (DOUBLE, "<f8")


def _encode_numbers(history: TagHistory, values: NDArray[np.float64], variant: int, kind: str) -> bytes:
    present = ~np.isnan(values)
    with_status = bool(history.status.any())
    if present.all():
        return _rows(history, values, variant, kind, with_status).tobytes()
    full = _rows(_picked(history, present), values[present], variant, kind, with_status)
    empty = _rows(_picked(history, ~present), values[~present], 0, "", with_status)
    return _interleave(present, full, empty)


def _picked(history: TagHistory, rows: NDArray[np.bool_]) -> TagHistory:
    return TagHistory(history.times[rows], history.values[rows], history.status[rows])


def _rows(history: TagHistory, values: NDArray[np.float64], variant: int, kind: str, with_status: bool) -> Bytes:  # noqa: FBT001 - private
    """One row of bytes for each value; all rows have the same layout."""
    layout: list[tuple[str, str]] = [("mask", "u1")]
    layout += [("type", "u1"), ("value", kind)] if kind else []
    layout += [("status", "<u4")] if with_status else []
    rows: NDArray[Any] = np.zeros(len(history), dtype=np.dtype([*layout, ("source", "<i8")]))
    rows["mask"] = HAS_SOURCE_TIME | (HAS_VALUE if kind else 0) | (HAS_STATUS if with_status else 0)
    if kind:
        rows["type"] = variant
        rows["value"] = _as_kind(values, kind)
    if with_status:
        rows["status"] = history.status
    rows["source"] = ticks_of(history.times)
    return rows.view(np.uint8).reshape(len(history), rows.dtype.itemsize)


def _as_kind(values: NDArray[np.float64], kind: str) -> NDArray[Any]:
    if kind == "<i4":
        limits = np.iinfo(np.int32)
        return np.clip(np.rint(values), limits.min, limits.max).astype(np.int32)
    return (values != 0).astype(np.uint8) if kind == "u1" else values


def _interleave(present: NDArray[np.bool_], full: Bytes, empty: Bytes) -> bytes:
    lengths = np.full(len(present), empty.shape[1], dtype=np.int64)
    lengths[present] = full.shape[1]
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    out = np.empty(int(lengths.sum()), dtype=np.uint8)
    for rows, block in ((present, full), (~present, empty)):
        out[starts[rows][:, None] + np.arange(block.shape[1])] = block
    return out.tobytes()


def _encode_texts(history: TagHistory) -> bytes:
    ticks = ticks_of(history.times).tolist()
    rows = zip(history.values.tolist(), history.status.tolist(), ticks, strict=True)
    return b"".join(_encode_text(value, status, tick) for value, status, tick in rows)


def _encode_text(value: str | None, status: int, tick: int) -> bytes:
    mask = HAS_SOURCE_TIME | (HAS_VALUE if value is not None else 0) | (HAS_STATUS if status else 0)
    text = b"" if value is None else value.encode()
    return b"".join(
        (
            bytes((mask,)),
            b"" if value is None else bytes((STRING,)) + len(text).to_bytes(4, "little") + text,
            status.to_bytes(4, "little") if status else b"",
            tick.to_bytes(8, "little"),
        )
    )
