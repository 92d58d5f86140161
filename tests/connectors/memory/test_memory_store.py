import gc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.history import Sample, Span
from tagsight_connectors.memory import MemoryStore
from tagsight_connectors.quality import BAD_NODE_ID_UNKNOWN, BAD_NOT_WRITABLE, BAD_TYPE_MISMATCH, GOOD
from tagsight_connectors.tag import DataType, Tag

batches = st.lists(st.lists(st.integers(0, 20), max_size=8), max_size=8)


def store_with(address: str = "a", data_type: DataType = DataType.NUMBER) -> MemoryStore:
    store = MemoryStore()
    store.add(Tag(address, address, data_type))
    return store


@given(batches)
def test_appended_values_come_back_sorted_stably_and_all(batches: list[list[int]]) -> None:
    store = store_with()
    expected: list[tuple[int, float]] = []
    for batch in batches:
        values = [float(len(expected) + i) for i in range(len(batch))]
        store.append("a", batch, values)
        expected += zip(batch, values, strict=True)
    history = store.history("a")
    assert list(zip(history.times, history.values, strict=True)) == sorted(expected, key=lambda row: row[0])


def test_what_a_reader_holds_does_not_change_when_more_arrives() -> None:
    store = store_with()
    store.append("a", [1, 2, 3], [1.0, 2.0, 3.0])
    held = store.history("a")
    store.append("a", [0, 4], [0.0, 4.0])
    assert held.times.tolist() == [1, 2, 3]
    assert held.values.tolist() == [1.0, 2.0, 3.0]


def test_the_newest_value_is_the_one_with_the_latest_source_time() -> None:
    store = store_with(data_type=DataType.TEXT)
    store.append("a", [5, 2], ["late", "early"])
    assert store.newest("a") == Sample("a", 5, "late", GOOD)


def test_a_store_of_a_name_is_shared_while_somebody_holds_it_and_then_gone() -> None:
    first = MemoryStore.named("shared")
    first.add(Tag("a", "a"))
    assert MemoryStore.named("shared") is first
    del first
    gc.collect()
    assert MemoryStore.named("shared").tags == ()


def test_a_write_is_refused_for_unknown_read_only_and_wrongly_typed_tags() -> None:
    store = store_with("input")
    store.add_result("score")
    outcomes = store.record(
        [Sample("nowhere", 0, 1.0, GOOD), Sample("input", 0, 1.0, GOOD), Sample("score", 0, "text", GOOD)]
    )
    assert [outcome.status for outcome in outcomes] == [BAD_NODE_ID_UNKNOWN, BAD_NOT_WRITABLE, BAD_TYPE_MISMATCH]
    assert len(store.history("score")) == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(allow_nan=False)), max_size=20))
def test_written_results_have_update_semantics(writes: list[tuple[int, float]]) -> None:
    store = MemoryStore()
    store.add_result("score")
    for time_ns, value in writes:
        store.record([Sample("score", time_ns, value, GOOD)])
    history = store.history("score")
    assert dict(zip(history.times.tolist(), history.values.tolist(), strict=True)) == dict(writes)
    assert np.all(np.diff(history.times) > 0)


def test_the_span_of_a_history_is_half_open() -> None:
    store = store_with()
    store.append("a", [1, 2, 3], [1.0, 2.0, 3.0])
    assert store.history("a", Span(1, 3)).times.tolist() == [1, 2]
