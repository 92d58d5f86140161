"""The historian's memory keeps what was stored, in order of time."""

from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.history import Sample, Span
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.serving import ServedVariable
from tests.connectors.opcua.served_plant import SPEED, START_NS, speed_history

EVER = Span(-(2**62), 2**62)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-5, 5)), max_size=200))
def test_values_come_back_in_order_of_time_the_newest_of_a_time_wins(rows: list[tuple[int, int]]) -> None:
    source = MemorySource([ServedVariable("V", "V")])
    for time, value in rows:
        source.append([Sample("V", time, float(value), 0)])
    stored, more = source.history("V", EVER, 1_000, 0)
    assert dict(zip(stored.times.tolist(), stored.values.tolist(), strict=True)) == dict(sorted(dict(rows).items()))
    assert stored.times.tolist() == sorted(dict(rows))
    assert not more


def test_the_arrays_that_were_given_are_never_changed() -> None:
    given_history = speed_history(10)
    source = MemorySource([SPEED], {SPEED.identifier: given_history})
    source.append([Sample(SPEED.identifier, START_NS, 77.0, 0)])
    assert given_history.times[0] == START_NS
    assert given_history.values[1] == 1.0
    assert len(given_history) == 10
    assert source.history(SPEED.identifier, EVER, 1, 0)[0].values.tolist() == [77.0]


def test_changes_are_told_once() -> None:
    source = MemorySource([SPEED], {SPEED.identifier: speed_history(10)})
    first = source.changes(0)
    assert [sample.value for sample in first.samples] == [9.0]
    assert source.changes(first.position).samples == []
    source.append([Sample(SPEED.identifier, START_NS + 10**12, 3.0, 0)])
    assert [sample.value for sample in source.changes(first.position).samples] == [3.0]


def test_a_span_is_half_open_and_paged() -> None:
    source = MemorySource([SPEED], {SPEED.identifier: speed_history(10)})
    second = 1_000_000_000
    page, more = source.history(SPEED.identifier, Span(START_NS + second, START_NS + 5 * second), 2, 1)
    assert page.values.tolist() == [2.0, 3.0]
    assert more
