"""Our decoder says what asyncua's encoder wrote, and bytes from anywhere only ever raise what they should."""

import contextlib
import datetime as dt
import math
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import example, given
from hypothesis import strategies as st

from tagsight_connectors.errors import LimitExceeded, MalformedData
from tagsight_connectors.opcua.decoding import decode_history_response
from tagsight_connectors.opcua.variants import read_variant
from tagsight_connectors.opcua.wire import EPOCH_TICKS, WireReader

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
TIME = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001

KINDS: dict[ua.VariantType, st.SearchStrategy[Any]] = {
    ua.VariantType.Boolean: st.booleans(),
    ua.VariantType.SByte: st.integers(-(2**7), 2**7 - 1),
    ua.VariantType.Byte: st.integers(0, 2**8 - 1),
    ua.VariantType.Int16: st.integers(-(2**15), 2**15 - 1),
    ua.VariantType.UInt16: st.integers(0, 2**16 - 1),
    ua.VariantType.Int32: st.integers(-(2**31), 2**31 - 1),
    ua.VariantType.UInt32: st.integers(0, 2**32 - 1),
    ua.VariantType.Int64: st.integers(-(2**53), 2**53),
    ua.VariantType.UInt64: st.integers(0, 2**53),
    ua.VariantType.Float: st.floats(width=32),
    ua.VariantType.Double: st.floats(),
    ua.VariantType.Null: st.none(),
}


@st.composite
def data_values(draw: st.DrawFn, kinds: tuple[ua.VariantType, ...] = tuple(KINDS)) -> ua.DataValue:
    kind = draw(st.sampled_from(kinds))
    value = draw(KINDS[kind]) if kind in KINDS else draw(st.text(max_size=5))
    return ua.DataValue(
        Value=ua.Variant(value, kind),
        StatusCode=draw(st.none() | st.sampled_from([0, 0x80000000, 0x40900000]).map(ua.StatusCode)),
        SourceTimestamp=draw(TIME),
        ServerTimestamp=draw(st.none() | TIME),
        SourcePicoseconds=draw(st.none() | st.integers(0, 9_999)),
        ServerPicoseconds=draw(st.none() | st.integers(0, 9_999)),
    )


def response(*nodes: list[ua.DataValue], point: bytes | None = None) -> bytes:
    results = [
        ua.HistoryReadResult(
            StatusCode=ua.StatusCode(0), ContinuationPoint=point, HistoryData=ua.HistoryData(DataValues=list(values))
        )
        for values in nodes
    ]
    return bytes(struct_to_binary(ua.HistoryReadResponse(Results=results)))


def time_ns(value: ua.DataValue) -> int:
    assert value.SourceTimestamp is not None
    return (value.SourceTimestamp - EPOCH) // dt.timedelta(microseconds=1) * 1_000


def same(found: float, expected: Any) -> bool:
    if expected is None or (isinstance(expected, float) and math.isnan(expected)):
        return math.isnan(found)
    return found == float(expected)


@given(st.lists(st.lists(data_values(), max_size=40), max_size=3), st.none() | st.binary(min_size=1, max_size=20))
def test_numbers_times_and_qualities_are_what_was_encoded(nodes: list[list[ua.DataValue]], point: bytes | None) -> None:
    result, answers = decode_history_response(response(*nodes, point=point), len(nodes))
    assert result == 0
    for values, answer in zip(nodes, answers, strict=True):
        history = answer.history
        assert answer.continuation_point == point
        assert history.times.tolist() == [time_ns(value) for value in values]
        assert history.status.tolist() == [value.StatusCode.value if value.StatusCode else 0 for value in values]
        assert all(same(found, value.Value.Value) for found, value in zip(history.values, values, strict=True))


@given(st.lists(data_values((ua.VariantType.String, ua.VariantType.Null)), min_size=1, max_size=20))
def test_texts_are_what_was_encoded(values: list[ua.DataValue]) -> None:
    _, (answer,) = decode_history_response(response(values), 1)
    expected = [value.Value.Value for value in values]
    if all(text is None for text in expected):
        assert np.isnan(answer.history.values).all()
    else:
        assert answer.history.values.tolist() == expected


def test_runs_of_any_length_are_found() -> None:
    good = ua.DataValue(Value=ua.Variant(1.5), SourceTimestamp=EPOCH + dt.timedelta(days=1))
    bad = ua.DataValue(
        Value=ua.Variant(None), StatusCode=ua.StatusCode(0x80000000), SourceTimestamp=EPOCH + dt.timedelta(days=1)
    )
    for run in (1, 15, 16, 17, 47, 48, 49, 1_000):
        _, (answer,) = decode_history_response(response([good] * run + [bad] + [good] * run), 1)
        assert np.flatnonzero(np.isnan(answer.history.values)).tolist() == [run]
        assert answer.history.status[run] == 0x80000000


def test_a_series_that_changes_from_numbers_to_text_is_text() -> None:
    at = EPOCH + dt.timedelta(days=1)
    values = [ua.DataValue(Value=ua.Variant(value), SourceTimestamp=at) for value in (1.5, "Bad", None)]
    _, (answer,) = decode_history_response(response(values), 1)
    assert answer.history.values.tolist() == ["1.5", "Bad", None]


def test_arrays_are_told_and_not_decoded() -> None:
    value = ua.DataValue(Value=ua.Variant([1.0, 2.0]), SourceTimestamp=EPOCH + dt.timedelta(days=1))
    _, answers = decode_history_response(response([value], [value]), 2)
    assert [answer.unreadable for answer in answers] == ["its values are arrays"] * 2


def test_times_beyond_what_64_bits_hold_become_the_nearest() -> None:
    far = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    _, (answer,) = decode_history_response(response([ua.DataValue(Value=ua.Variant(1.0), SourceTimestamp=far)]), 1)
    assert answer.history.times[0] > 9_000_000_000_000_000_000


def test_a_value_without_source_time_is_malformed() -> None:
    with pytest.raises(MalformedData):
        decode_history_response(response([ua.DataValue(Value=ua.Variant("long enough a text"))]), 1)


def test_another_number_of_results_than_asked_for_is_malformed() -> None:
    with pytest.raises(MalformedData, match="1 results for 2 nodes"):
        decode_history_response(response([]), 2)


def test_a_service_fault_is_its_status() -> None:
    fault = ua.ServiceFault()
    fault.ResponseHeader.ServiceResult = ua.StatusCode(0x80B80000)
    assert decode_history_response(bytes(struct_to_binary(fault)), 1) == (0x80B80000, [])


SOME = response(
    [ua.DataValue(Value=ua.Variant(1.0), SourceTimestamp=EPOCH + dt.timedelta(days=at)) for at in range(1, 9)]
)
TEXT = response([ua.DataValue(Value=ua.Variant("text"), SourceTimestamp=EPOCH + dt.timedelta(days=1))] * 3)


@given(st.binary(max_size=200))
@example(b"")
@example(SOME[:-9])
def test_arbitrary_bytes_only_raise_what_they_should(content: bytes) -> None:
    decode_or_refuse(content)
    decode_or_refuse(SOME[:20] + content)


@given(st.sampled_from([SOME, TEXT]), st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_damaged_answers_only_raise_what_they_should(body: bytes, at: int, damage: bytes) -> None:
    at %= len(body)
    decode_or_refuse(body[:at] + damage + body[at + len(damage) :])
    decode_or_refuse(body[:at])


def decode_or_refuse(content: bytes) -> None:
    with contextlib.suppress(MalformedData, LimitExceeded):
        decode_history_response(content, 1)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bytes.fromhex("c0c0160014"), id="335-million-empty-elements"),
        pytest.param(b"\x80\x00\x00\x00\x14", id="empty-elements-without-dimensions"),
        pytest.param(b"\x98" + b"\x01\x00\x00\x00\x98" * 100_000, id="variants-in-variants"),
        pytest.param(b"\x8c\xff\xff\xff\x7f", id="two-billion-strings"),
        pytest.param(b"\x0c\xff\xff\xff\x7f", id="two-gigabyte-string"),
        pytest.param(b"\x19" + b"\x40" * 100_000, id="diagnostics-in-diagnostics"),
        pytest.param(b"\x17\x01" * 100_000, id="values-in-values"),
    ],
)
@pytest.mark.timeout(5)
def test_hostile_values_are_refused_at_once(content: bytes) -> None:
    with pytest.raises((MalformedData, LimitExceeded)):
        read_variant(WireReader(content))


@given(st.binary(max_size=100))
def test_arbitrary_variants_only_raise_what_they_should(content: bytes) -> None:
    with contextlib.suppress(MalformedData, LimitExceeded):
        read_variant(WireReader(content))


def test_the_origin_of_times_is_asyncuas() -> None:
    assert ua.datetime_to_win_epoch(EPOCH) == EPOCH_TICKS
