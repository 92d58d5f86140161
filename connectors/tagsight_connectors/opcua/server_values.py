"""Samples of a source as OPC UA values of the type that their variable has."""

import datetime as dt
from functools import lru_cache

from asyncua import ua

from tagsight_connectors.history import Sample
from tagsight_connectors.opcua.server_space import ServedNode, variant_type_of


def data_value(node: ServedNode, sample: Sample, now_ns: int) -> ua.DataValue:
    """A sample as a client sees it."""
    status, source = _status(sample.status), datetime_of(sample.time_ns)
    return ua.DataValue(_variant(node, sample.value), status, source, datetime_of(now_ns))


@lru_cache(maxsize=256)
def _status(code: int) -> ua.StatusCode:
    return ua.StatusCode(ua.UInt32(code))


def _variant(node: ServedNode, value: float | bool | str | None) -> ua.Variant | None:  # noqa: FBT001 - a value, not a switch
    if value is None:
        return None
    kind = variant_type_of(node.variable)
    if kind is ua.VariantType.String:
        return ua.Variant(str(value), kind)
    if kind is ua.VariantType.Boolean:
        return ua.Variant(bool(value), kind)
    number = float(value)
    if kind is ua.VariantType.Int32:
        return ua.Variant(round(number), kind) if number == number else None  # noqa: PLR0124 - NaN is no integer
    return ua.Variant(number, kind)


@lru_cache(maxsize=256)
def datetime_of(time_ns: int) -> dt.datetime:
    """UTC, as asyncua wants it."""
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_ns // 1_000)
