"""Any way of paging reads the same values as one look at all of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.history import TagHistory
from tagsight_connectors.opcua.history_cursor import cursor_for, read_page
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.serving import ServedVariable

VARIABLE = ServedVariable("V", "V")
TICK = 100

ticks = st.lists(st.integers(0, 60), max_size=40).map(sorted)
"""Times in units of 100 ns; equal ones happen, as historians have them."""


def source_of(times: list[int]) -> MemorySource:
    count = len(times)
    stored = np.array(times, dtype=np.int64) * TICK
    history = TagHistory(stored, np.arange(count, dtype=np.float64), np.zeros(count, np.uint32))
    return MemorySource([VARIABLE], {"V": history})


@given(ticks, st.integers(0, 70), st.integers(0, 70), st.integers(1, 7))
def test_pages_together_are_the_domain_once_and_in_order(times: list[int], start: int, end: int, size: int) -> None:
    source, read = source_of(times), []
    cursor = cursor_for(VARIABLE, start * TICK, end * TICK, 0, bounds=False)
    while cursor is not None:
        page, cursor = read_page(source, cursor, size)
        assert len(page) <= size
        read += page.values.tolist()
    expected = [number for number, time in enumerate(times) if start <= time < end or time == start]
    if end < start:
        expected = [number for number, time in enumerate(times) if end < time <= start][::-1]
    assert read == expected


@given(ticks, st.integers(0, 70), st.integers(1, 10), st.integers(1, 4))
def test_the_newest_before_a_time_are_found(times: list[int], end: int, wanted: int, size: int) -> None:
    source, read = source_of(times), []
    cursor = cursor_for(VARIABLE, None, end * TICK, wanted, bounds=False)
    while cursor is not None:
        page, cursor = read_page(source, cursor, size)
        read += page.values.tolist()
    assert read == [number for number, time in enumerate(times) if time <= end][::-1][:wanted]


def test_a_request_without_two_of_start_end_and_number_has_no_domain() -> None:
    assert cursor_for(VARIABLE, None, None, 5, bounds=False) is None
    assert cursor_for(VARIABLE, 0, None, 0, bounds=False) is None
