"""What NumPy writes is what asyncua reads."""

import math

import numpy as np
import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.history import TagHistory
from tagsight_connectors.opcua.history_encoding import encode_data_values
from tagsight_connectors.serving import ServedVariable
from tagsight_connectors.tag import DataType

NUMBER = ServedVariable("V", "V")
statuses = st.sampled_from([0, 0x40000000, 0x80000000])
START_NS = 1_767_225_600_000_000_000


def decoded(history: TagHistory, variable: ServedVariable) -> list[tuple[object, int, float]]:
    buffer = Buffer(encode_data_values(history, variable))
    read = [ua.ua_binary.struct_from_binary(ua.DataValue, buffer) for _ in range(len(history))]
    assert len(buffer) == 0
    return [
        (each.Value.Value, each.StatusCode.value if each.StatusCode else 0, each.SourceTimestamp.timestamp())
        for each in read
    ]


@given(st.lists(st.tuples(st.floats(allow_infinity=True), statuses), max_size=30))
def test_numbers_missing_ones_and_statuses_survive(rows: list[tuple[float, int]]) -> None:
    times = START_NS + np.arange(len(rows), dtype=np.int64) * 1_000_000_000
    values = np.array([value for value, _ in rows], dtype=np.float64)
    history = TagHistory(times, values, np.array([status for _, status in rows], dtype=np.uint32))
    expected = [
        (None if math.isnan(value) else value, status, START_NS / 1e9 + second)
        for second, (value, status) in enumerate(rows)
    ]
    assert decoded(history, NUMBER) == expected


@pytest.mark.parametrize(
    ("variable", "values", "expected"),
    [
        pytest.param(ServedVariable("V", "V", integer=True), [1.0, np.nan, -3.0], [1, None, -3], id="integers"),
        pytest.param(
            ServedVariable("V", "V", DataType.BOOLEAN), [0.0, 1.0, np.nan], [False, True, None], id="Booleans"
        ),
    ],
)
def test_integers_and_booleans_have_their_own_type(
    variable: ServedVariable, values: list[float], expected: list[object]
) -> None:
    times = np.full(3, START_NS, dtype=np.int64)
    history = TagHistory(times, np.array(values), np.zeros(3, np.uint32))
    assert [value for value, _, _ in decoded(history, variable)] == expected


@given(st.lists(st.tuples(st.none() | st.text(st.characters(exclude_categories=["Cs"])), statuses), max_size=20))
def test_texts_survive(rows: list[tuple[str | None, int]]) -> None:
    values = np.empty(len(rows), dtype=object)
    values[:] = [value for value, _ in rows]
    times = np.full(len(rows), START_NS, dtype=np.int64)
    history = TagHistory(times, values, np.array([status for _, status in rows], dtype=np.uint32))
    read = decoded(history, ServedVariable("V", "V", DataType.TEXT))
    assert [(value, status) for value, status, _ in read] == rows
