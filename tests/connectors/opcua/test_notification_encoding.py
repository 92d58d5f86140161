"""Data changes on the wire: the bytes of asyncua's own encoder, in messages that have an end."""

import datetime as dt
import math
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.opcua.notification_encoding import encode_change, notification_of, with_overflow

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
TIMES = st.integers(-2 * 10**15, 7 * 10**15).map(lambda micros: EPOCH + dt.timedelta(microseconds=micros))
VARIANTS = st.one_of(
    st.floats(allow_nan=False).map(lambda value: ua.Variant(value, ua.VariantType.Double)),
    st.integers(-(2**31), 2**31 - 1).map(lambda value: ua.Variant(value, ua.VariantType.Int32)),
    st.booleans().map(lambda value: ua.Variant(value, ua.VariantType.Boolean)),
    st.text(max_size=50).map(lambda value: ua.Variant(value, ua.VariantType.String)),
    st.lists(st.integers(0, 255), max_size=3).map(lambda value: ua.Variant(value, ua.VariantType.Byte, is_array=True)),
    st.just(ua.Variant(None)),
)
STATUSES = st.integers(0, 2**32 - 1).map(lambda code: ua.StatusCode(ua.UInt32(code)))
VALUES = st.builds(ua.DataValue, VARIANTS, STATUSES, st.none() | TIMES, st.none() | TIMES)
SOMETIME = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def number(value: float) -> Any:
    return ua.DataValue(ua.Variant(value, ua.VariantType.Double), ua.StatusCode(), SOMETIME, SOMETIME)


@given(st.integers(0, 2**32 - 1), VALUES)
def test_the_bytes_are_those_of_asyncua(handle: int, value: Any) -> None:
    assert encode_change(handle, value) == struct_to_binary(ua.MonitoredItemNotification(handle, value))


def test_a_value_that_is_no_number_is_told_as_such() -> None:
    sent = Buffer(encode_change(7, number(math.nan)))
    assert math.isnan(struct_from_binary(ua.MonitoredItemNotification, sent).Value.Value.Value)


@given(st.lists(VALUES, max_size=20), st.integers(1, 30))
def test_a_notification_is_one_of_asyncua_and_holds_at_most_what_it_may(values: list[Any], most: int) -> None:
    told, count = notification_of(list(enumerate(values)), most, 1_000_000)
    items = [ua.MonitoredItemNotification(handle, value) for handle, value in enumerate(values[:most])]
    expected = ua.DataChangeNotification(MonitoredItems=items)
    assert count == len(items)
    assert struct_to_binary(told) == ua.ua_binary.extensionobject_to_binary(expected)


def test_long_texts_are_spread_over_messages() -> None:
    long = ua.DataValue(ua.Variant("x" * 4_000, ua.VariantType.String))
    told, count = notification_of([(handle, long) for handle in range(1_000)], 10_000, 100_000)
    assert count == 25
    assert len(told.Body) < 105_000


def test_a_value_after_lost_ones_says_so_and_stays_what_it_is() -> None:
    told = with_overflow(number(3.0))
    assert told.StatusCode.value == 0x480
    assert told.StatusCode.is_good()
    assert (told.Value.Value, told.SourceTimestamp) == (3.0, SOMETIME)
