"""The laws of `Historian`, held for every kind: memory, alone and behind the local store, files, OPC UA encrypted."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagsight_connectors.aggregates import Aggregate, Computer, compute, compute_at
from tagsight_connectors.errors import NotConnected, UnknownTag, Unsupported, WriteNotAllowed
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Sample, Span, TagHistory
from tagsight_connectors.quality import (
    BAD,
    BAD_NO_DATA,
    BAD_NODE_ID_UNKNOWN,
    BAD_SENSOR_FAILURE,
    GOOD,
    UNCERTAIN,
    UNCERTAIN_LAST_USABLE,
    Quality,
    quality_of,
)
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import Access, DataType
from tests.contract.places import SECOND, START_NS, FilePlace, LivePlace, MemoryPlace, Place, StoredPlace, opc_ua_place

pytestmark = pytest.mark.asyncio(loop_scope="module")  # an OPC UA server takes a second to start: one for all

KINDS = ["memory", "memory-stored", "file-wide", "file-long", "file-parquet", "opc-ua", "opc-ua-stored", "opc-ua-live"]
WHOLE = Span(START_NS, START_NS + 3600 * SECOND)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    kind = str(request.param)
    if kind == "memory":
        yield MemoryPlace()
    elif kind == "memory-stored":
        with StoredPlace(MemoryPlace()) as stored:
            yield stored
    elif kind == "opc-ua":
        async with opc_ua_place(tmp_path_factory.mktemp("contract")) as served:
            yield served
    elif kind == "opc-ua-live":
        async with opc_ua_place(tmp_path_factory.mktemp("contract")) as served:
            yield LivePlace(served)
    elif kind == "opc-ua-stored":
        async with opc_ua_place(tmp_path_factory.mktemp("contract")) as served:
            with StoredPlace(served) as stored:
                yield stored
    else:
        files = FilePlace(kind.removeprefix("file-"))
        yield files
        files.remove()


def history(seconds: list[int], values: list[float | str | None], status: list[int], *, text: bool) -> TagHistory:
    """Rows in the order in which the plant stored them, sorted stably."""
    order = np.argsort(np.array(seconds, dtype=np.int64), kind="stable")
    typed = np.array(values, dtype=object if text else np.float64)
    times = START_NS + SECOND * np.array(seconds, dtype=np.int64)
    return TagHistory(times[order], typed[order], np.array(status, dtype=np.uint32)[order])


@st.composite
def histories(draw: st.DrawFn, *, text: bool = False) -> TagHistory:
    codes = st.sampled_from([GOOD, GOOD, UNCERTAIN, UNCERTAIN_LAST_USABLE, BAD, BAD_SENSOR_FAILURE])
    words = st.sampled_from(["AUTO", "MAN", 'läuft; "schnell",\nsehr'])
    numbers = st.floats(-1e12, 1e12, allow_nan=False)
    value: st.SearchStrategy[float | str] = words if text else numbers
    rows = draw(st.lists(st.tuples(st.integers(0, 12), value, codes), max_size=25))
    missing: float | None = None if text else float("nan")
    values: list[float | str | None] = [missing if code == BAD_SENSOR_FAILURE else value for _, value, code in rows]
    return history([row[0] for row in rows], values, [row[2] for row in rows], text=text)


NUMBERS = history([0, 1, 1, 2, 3], [0.5, 1.5, 2.5, float("nan"), 4.5], [GOOD, UNCERTAIN, GOOD, BAD, GOOD], text=False)
TEXTS = history([0, 2], ["AUTO", "MAN"], [GOOD, GOOD], text=True)

examples = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def rows(found: TagHistory) -> list[tuple[int, object, int]]:
    """Comparable rows. What a value is worth whose status is Bad is left to the historian."""
    bad = [quality_of(code) is Quality.BAD for code in found.status.tolist()]
    shown = [None if worthless else value for value, worthless in zip(found.values.tolist(), bad, strict=True)]
    return list(zip(found.times.tolist(), shown, found.status.tolist(), strict=True))


def within(stored: TagHistory, span: Span) -> list[tuple[int, object, int]]:
    return [row for row in rows(stored) if span.start_ns <= row[0] < span.end_ns]


@examples
@given(histories(), histories(text=True), st.integers(-1, 13), st.integers(0, 14))
async def test_a_read_is_complete_ordered_and_half_open_with_duplicates_and_status_kept(
    place: Place, numbers: TagHistory, texts: TagHistory, first: int, length: int
) -> None:
    historian = await place.fill(numbers, texts)
    span = Span(START_NS + first * SECOND, START_NS + (first + length) * SECOND)
    speed, mode = place.address("Speed"), place.address("Mode")
    found = (await read_history(historian, [speed, mode], span)).tags
    assert rows(found[speed]) == within(numbers, span)
    assert rows(found[mode]) == within(texts, span)


@examples
@given(histories(), st.integers(0, 13))
async def test_two_halves_of_a_span_are_the_whole(place: Place, numbers: TagHistory, cut: int) -> None:
    historian = await place.fill(numbers, TEXTS)
    speed, middle = place.address("Speed"), START_NS + cut * SECOND
    before = await read_history(historian, [speed], Span(WHOLE.start_ns, middle))
    after = await read_history(historian, [speed], Span(middle, WHOLE.end_ns))
    assert rows(before.tags[speed]) + rows(after.tags[speed]) == rows(numbers)


async def test_a_tag_without_values_in_the_span_yields_no_page(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    pages = [page async for page in historian.read_raw([place.address("Empty"), place.address("Mode")], WHOLE)]
    assert {page.address for page in pages} == {place.address("Mode")}


async def test_an_address_asked_for_twice_is_read_once(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    speed = place.address("Speed")
    assert rows((await read_history(historian, [speed, speed], WHOLE)).tags[speed]) == rows(NUMBERS)


async def test_an_unknown_tag_is_an_error_and_not_an_empty_history(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    with pytest.raises(UnknownTag):
        await read_history(historian, [place.address("Nowhere")], WHOLE)


async def test_pages_of_a_tag_ascend(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    last: dict[str, int] = {}
    async for page in historian.read_raw([place.address("Speed"), place.address("Mode")], WHOLE):
        assert len(page.history)
        assert page.history.times[0] >= last.get(page.address, 0)
        last[page.address] = int(page.history.times[-1])


async def test_leaving_a_read_early_leaves_the_historian_usable(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    pages = historian.read_raw([place.address("Speed")], WHOLE)
    await anext(pages)
    await pages.aclose()  # type: ignore[attr-defined] # the Protocol says AsyncIterator; the law says aclose
    found = await read_history(historian, [place.address("Speed")], WHOLE)
    assert len(found.tags[place.address("Speed")]) == len(NUMBERS)


async def test_browsing_finds_by_pattern_and_by_address_in_a_stable_order(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    found = {tag.address: tag async for tag in historian.browse("*")}
    assert list(found) == [tag.address async for tag in historian.browse()]
    assert found[place.address("Speed")].data_type is DataType.NUMBER
    assert found[place.address("Mode")].data_type is DataType.TEXT
    assert Access.READ_HISTORY in found[place.address("Speed")].access
    assert [tag.path async for tag in historian.browse("M*e")] == ["Mode"]
    assert [tag.path async for tag in historian.browse(place.address("Speed"))] == ["Speed"]
    assert [tag.path async for tag in historian.browse("nothing/like/this")] == []


async def test_current_values_come_in_the_order_asked_and_unknown_ones_are_bad(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    mode, nowhere, speed = await historian.read_current([place.address(name) for name in ("Mode", "Nowhere", "Speed")])
    assert (mode.value, speed.value, speed.time_ns) == ("MAN", 4.5, START_NS + 3 * SECOND)
    assert (nowhere.address, nowhere.status) == (place.address("Nowhere"), BAD_NODE_ID_UNKNOWN)


@examples
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.floats(-1e9, 1e9), st.sampled_from([GOOD, UNCERTAIN])), min_size=1, max_size=10
    ),
    st.integers(0, 10),
)
async def test_writing_again_is_harmless_and_the_last_value_of_a_time_stays(
    place: Place, written: list[tuple[int, float, int]], cut: int
) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    score = place.address("Score")
    samples = [Sample(score, START_NS + second * SECOND, value, status) for second, value, status in written]
    for part in (samples[:cut], samples[cut:], samples[cut:]):
        for sample in part:
            assert [quality_of(one.status) for one in await historian.write([sample])] == [Quality.GOOD]
    expected = {sample.time_ns: (sample.time_ns, sample.value, sample.status) for sample in samples}
    found = (await read_history(historian, [score], WHOLE)).tags[score]
    assert rows(found) == sorted(expected.values())


async def test_texts_are_written_and_read_back(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    label, message = place.address("Label"), 'P101: Druck 3,1 bar statt 4,2 bar; "Bad"'
    (outcome,) = await historian.write([Sample(label, START_NS, message, GOOD)])
    assert (outcome.status, outcome.time_kept) == (GOOD, True)
    assert rows((await read_history(historian, [label], WHOLE)).tags[label]) == [(START_NS, message, GOOD)]


async def test_a_refused_sample_is_an_outcome_in_its_place_and_the_others_are_stored(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    names = [name for name in ("Speed", "Score") if place.address(name) in place.accepted]
    outcomes = await historian.write([Sample(place.address(name), START_NS, 7.0, GOOD) for name in names])
    answered = {name: quality_of(one.status) for name, one in zip(names, outcomes, strict=True)}
    assert answered == {name: Quality.GOOD if name == "Score" else Quality.BAD for name in names}
    speed, score = place.address("Speed"), place.address("Score")
    found = (await read_history(historian, [speed, score], WHOLE)).tags
    assert rows(found[speed]) == rows(NUMBERS)
    assert rows(found[score]) == [(START_NS, 7.0, GOOD)]


async def test_nothing_is_sent_when_one_address_is_not_in_the_accepted_list(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    score = place.address("Score")
    await historian.write([Sample(score, START_NS, 1.0, GOOD)])
    with pytest.raises(WriteNotAllowed):
        await historian.write([Sample(score, START_NS, 2.0, GOOD), Sample(place.address("Mode"), START_NS, "x", GOOD)])
    assert rows((await read_history(historian, [score], WHOLE)).tags[score]) == [(START_NS, 1.0, GOOD)]


async def test_a_second_opener_sees_what_the_first_one_wrote(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    score = place.address("Score")
    await historian.write([Sample(score, START_NS, 1.0, GOOD)])
    other = await place.again()
    await other.connect()
    assert rows((await read_history(other, [score], WHOLE)).tags[score]) == [(START_NS, 1.0, GOOD)]
    await other.close()


async def test_without_a_session_every_call_is_not_connected_until_the_next_connect(place: Place) -> None:
    await place.fill(NUMBERS, TEXTS)
    historian = await place.again()
    await all_not_connected(historian, place.address("Speed"))
    await historian.connect()
    await historian.close()
    await historian.close()
    await all_not_connected(historian, place.address("Speed"))
    await historian.connect()
    assert (await historian.describe()).url
    assert len((await read_history(historian, [place.address("Speed")], WHOLE)).tags[place.address("Speed")]) == 5
    await historian.close()


async def all_not_connected(historian: Historian, address: str) -> None:
    with pytest.raises(NotConnected):
        await historian.describe()
    with pytest.raises(NotConnected):
        await read_history(historian, [address], WHOLE)
    with pytest.raises(NotConnected):
        await historian.read_current([address])
    with pytest.raises(NotConnected):
        _ = [tag async for tag in historian.browse()]


SECONDS = st.integers(1, 9).map(lambda seconds: seconds * SECOND)


def same(found: TagHistory, expected: TagHistory) -> None:
    assert found.times.tolist() == expected.times.tolist()
    assert [hex(code) for code in found.status.tolist()] == [hex(code) for code in expected.status.tolist()]
    assert np.allclose(found.values.astype(np.float64), expected.values.astype(np.float64), equal_nan=True)


@examples
@given(histories(), st.sampled_from(Aggregate), st.integers(-3, 9), SECONDS)
async def test_an_aggregate_is_that_of_the_stored_values_and_says_who_computed_it(
    place: Place, numbers: TagHistory, aggregate: Aggregate, first: int, interval_ns: int
) -> None:
    historian = await place.fill(numbers, TEXTS)
    speed, span = place.address("Speed"), Span(START_NS + first * SECOND, START_NS + 12 * SECOND)
    found = await historian.read_processed([speed], span, aggregate, interval_ns)
    same(found.tags[speed], compute(numbers, span, interval_ns, aggregate))
    assert found.computed_by == {speed: Computer.TAGSIGHT}


@examples
@given(histories(), st.lists(st.integers(-5, 40), max_size=9))
async def test_values_at_given_times_come_in_the_order_of_the_times(
    place: Place, numbers: TagHistory, halves: list[int]
) -> None:
    historian = await place.fill(numbers, TEXTS)
    times = START_NS + np.array(halves, dtype=np.int64) * (SECOND // 2)
    speed, empty = place.address("Speed"), place.address("Empty")
    found = await historian.read_at_times([speed, empty], times)
    same(found.tags[speed], compute_at(numbers, times))
    assert found.tags[empty].times.tolist() == times.tolist()
    assert set(found.tags[empty].status.tolist()) <= {BAD_NO_DATA}


async def test_a_tag_without_values_has_an_aggregate_without_data_for_each_interval(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    empty = place.address("Empty")
    found = await historian.read_processed(
        [empty], Span(START_NS, START_NS + 5 * SECOND), Aggregate.AVERAGE, 2 * SECOND
    )
    assert found.tags[empty].status.tolist() == [BAD_NO_DATA] * 3


async def test_states_are_counted_but_have_no_average(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    mode, span = place.address("Mode"), Span(START_NS, START_NS + 4 * SECOND)
    counted = await historian.read_processed([mode], span, Aggregate.COUNT, 2 * SECOND)
    assert counted.tags[mode].values.tolist() == [1.0, 1.0]
    with pytest.raises(Unsupported):
        await historian.read_processed([mode], span, Aggregate.AVERAGE, 2 * SECOND)


async def test_an_aggregate_of_an_unknown_tag_is_an_error(place: Place) -> None:
    historian = await place.fill(NUMBERS, TEXTS)
    with pytest.raises(UnknownTag):
        await historian.read_processed([place.address("Nowhere")], WHOLE, Aggregate.AVERAGE, SECOND)
    with pytest.raises(UnknownTag):
        await historian.read_at_times([place.address("Nowhere")], np.array([START_NS]))
