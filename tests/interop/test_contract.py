"""The laws of `Historian` over servers that somebody else wrote: what tests/contract holds our own server to.

One server of each kind for all tests: its histories are given once, each test writes at times of its own.
"""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
import pytest_asyncio

from tagsight_connectors.aggregates import Aggregate, Computer, compute, compute_at
from tagsight_connectors.connection import WriteService
from tagsight_connectors.errors import NotConnected, UnknownTag, WriteNotAllowed
from tagsight_connectors.history import Sample, Span, TagHistory
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.quality import BAD_NO_DATA, BAD_NODE_ID_UNKNOWN, Quality, quality_of
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import Access, DataType
from tests.interop.servers import COUNT, SECOND, START_NS, PlantServer, missing, running_server
from tests.interop.support import SERVERS

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="module")]

WHOLE = Span(START_NS, START_NS + COUNT * SECOND)
LATER = itertools.count(START_NS + (COUNT + 1_000) * SECOND, 100 * SECOND)
"""Where each test writes."""


@dataclass
class Place:
    """A server, and a connected client."""

    server: PlantServer
    historian: OpcUaHistorian

    @property
    def speed(self) -> str:
        return self.server.speed

    @property
    def score(self) -> str:
        return self.server.score

    @property
    def nowhere(self) -> str:
        return f"{self.speed} that is not there"


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=SERVERS)
async def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    name: str = request.param
    if why := missing(name):
        pytest.skip(why)
    modules = request.getfixturevalue("node_modules") if name == "node-opcua" else None
    async with running_server(name, modules, tmp_path_factory.mktemp("contract")) as server:
        way = WriteService.HISTORY_UPDATE if name == "o6" else WriteService.WRITE
        accepted = server.connection.accepted | {f"{server.score} that is not there"}
        historian = open_opcua(replace(server.connection, writes_by=way, accepted=accepted))
        await historian.connect()
        yield Place(server, historian)
        await historian.close()


def rows(found: TagHistory) -> list[tuple[int, float]]:
    return list(zip(found.times.tolist(), found.values.tolist(), strict=True))


def held(first: int, last: int) -> list[tuple[int, float]]:
    """What the plant has between these seconds."""
    return [(START_NS + at * SECOND, float(at)) for at in range(max(first, 0), min(last, COUNT))]


async def read(historian: OpcUaHistorian, address: str, span: Span = WHOLE) -> TagHistory:
    return (await read_history(historian, [address], span)).tags[address]


@pytest.mark.parametrize(("first", "last"), [(0, COUNT), (0, 1), (7, 8), (-50, 3), (COUNT - 2, COUNT + 50), (5, 5)])
async def test_a_read_is_complete_ordered_and_half_open(place: Place, first: int, last: int) -> None:
    span = Span(START_NS + first * SECOND, START_NS + last * SECOND)
    assert rows(await read(place.historian, place.speed, span)) == held(first, last)


@pytest.mark.parametrize("cut", [1, 1_234, COUNT - 1])
async def test_two_halves_of_a_span_are_the_whole(place: Place, cut: int) -> None:
    middle = START_NS + cut * SECOND
    before = await read(place.historian, place.speed, Span(WHOLE.start_ns, middle))
    after = await read(place.historian, place.speed, Span(middle, WHOLE.end_ns))
    assert rows(before) + rows(after) == held(0, COUNT)


@pytest.mark.parametrize("values", [100, 333])
async def test_pages_of_a_tag_ascend_and_are_the_whole(place: Place, values: int) -> None:
    place.historian._size.history_values, usual = values, place.historian._size.history_values
    try:
        pages = [page async for page in place.historian.read_raw([place.speed], WHOLE)]
    finally:
        place.historian._size.history_values = usual
    assert len(pages) > 1
    assert list(itertools.chain(*(rows(page.history) for page in pages))) == held(0, COUNT)


async def test_a_tag_without_values_in_the_span_yields_no_page(place: Place) -> None:
    before = Span(START_NS - 900 * SECOND, START_NS - 100 * SECOND)
    assert [page async for page in place.historian.read_raw([place.speed], before)] == []


async def test_an_address_asked_for_twice_is_read_once(place: Place) -> None:
    found = await read_history(place.historian, [place.speed, place.speed], WHOLE)
    assert rows(found.tags[place.speed]) == held(0, COUNT)


async def test_an_unknown_tag_is_an_error_and_not_an_empty_history(place: Place) -> None:
    with pytest.raises(UnknownTag):
        await read(place.historian, place.nowhere)
    with pytest.raises(UnknownTag):
        await place.historian.read_processed([place.nowhere], WHOLE, Aggregate.AVERAGE, 60 * SECOND)
    with pytest.raises(UnknownTag):
        await place.historian.read_at_times([place.nowhere], np.array([START_NS]))


async def test_leaving_a_read_early_leaves_the_historian_usable(place: Place) -> None:
    pages = place.historian.read_raw([place.speed], WHOLE)
    await anext(pages)
    await pages.aclose()  # type: ignore[attr-defined] # the Protocol says AsyncIterator; the law says aclose
    assert rows(await read(place.historian, place.speed)) == held(0, COUNT)


async def test_browsing_finds_by_pattern_and_by_address_in_a_stable_order(place: Place) -> None:
    found = {tag.address: tag async for tag in place.historian.browse("**")}
    assert list(found) == [tag.address async for tag in place.historian.browse("**")]
    speed = found[place.speed]
    assert (speed.data_type, Access.READ_HISTORY in speed.access) == (DataType.NUMBER, True)
    assert [tag.address async for tag in place.historian.browse(place.speed)] == [place.speed]
    assert place.speed in [tag.address async for tag in place.historian.browse(speed.path)]
    assert [tag async for tag in place.historian.browse("nothing/like/this")] == []


async def test_current_values_come_in_the_order_asked_and_unknown_ones_are_bad(place: Place) -> None:
    nowhere, speed = await place.historian.read_current([place.nowhere, place.speed])
    assert (nowhere.address, nowhere.status) == (place.nowhere, BAD_NODE_ID_UNKNOWN)
    assert speed.address == place.speed
    assert quality_of(speed.status) is Quality.GOOD


async def test_writing_again_is_harmless_and_the_newest_value_is_shown(place: Place) -> None:
    at = next(LATER)
    samples = [Sample(place.score, at + second * SECOND, 0.5 + second, 0) for second in range(5)]
    for part in (samples, samples[-1:]):
        outcomes = await place.historian.write(part)
        assert [(quality_of(one.status), one.time_kept) for one in outcomes] == [(Quality.GOOD, True)] * len(part)
    written = {sample.time_ns: sample.value for sample in samples}
    await kept(place, Span(at, at + 100 * SECOND), written)


async def test_a_refused_sample_is_an_outcome_in_its_place_and_the_others_are_stored(place: Place) -> None:
    at = next(LATER)
    addresses = [f"{place.score} that is not there", place.score]
    refused, stored = await place.historian.write([Sample(address, at, 7.25, 0) for address in addresses])
    assert (quality_of(refused.status), quality_of(stored.status)) == (Quality.BAD, Quality.GOOD)
    await kept(place, Span(at, at + SECOND), {at: 7.25})


async def test_nothing_is_sent_when_one_address_is_not_in_the_accepted_list(place: Place) -> None:
    at = next(LATER)
    with pytest.raises(WriteNotAllowed):
        await place.historian.write([Sample(place.score, at, 2.0, 0), Sample(f"{place.score} of others", at, 2.0, 0)])
    assert len(await read(place.historian, place.score, Span(at, at + SECOND))) == 0


async def kept(place: Place, span: Span, written: dict[int, float | str | None]) -> None:
    """A second opener sees it in the history, or, where this server keeps none of it, as the current value."""
    other = open_opcua(place.server.connection)
    await other.connect()
    found = dict(rows(await read(other, place.score, span)))
    (current,) = await other.read_current([place.score])
    await other.close()
    if found or place.historian._connection.writes_by is WriteService.HISTORY_UPDATE:
        assert found == written
    else:
        assert (current.time_ns, current.value) == max(written.items())


async def test_without_a_session_every_call_is_not_connected_until_the_next_connect(place: Place) -> None:
    historian = open_opcua(place.server.connection)
    await all_not_connected(historian, place.speed)
    await historian.connect()
    await historian.close()
    await historian.close()
    await all_not_connected(historian, place.speed)
    await historian.connect()
    assert (await historian.describe()).url
    assert len(await read(historian, place.speed)) == COUNT
    await historian.close()


async def all_not_connected(historian: OpcUaHistorian, address: str) -> None:
    with pytest.raises(NotConnected):
        await historian.describe()
    with pytest.raises(NotConnected):
        await read(historian, address)
    with pytest.raises(NotConnected):
        await historian.read_current([address])
    with pytest.raises(NotConnected):
        _ = [tag async for tag in historian.browse()]


@pytest.mark.parametrize("aggregate", list(Aggregate), ids=lambda each: each.value)
async def test_an_aggregate_is_that_of_the_stored_values_and_says_who_computed_it(
    place: Place, aggregate: Aggregate
) -> None:
    """Of Good values (asyncua's server has one in a hundred that is not); where servers differ else, test_processed."""
    span, stored = Span(START_NS + 110 * SECOND, START_NS + 190 * SECOND), np.arange(COUNT)
    history = TagHistory(START_NS + stored * SECOND, stored.astype(np.float64), np.zeros(COUNT, dtype=np.uint32))
    found = await place.historian.read_processed([place.speed], span, aggregate, 20 * SECOND)
    expected = compute(history, span, 20 * SECOND, aggregate)
    assert found.tags[place.speed].times.tolist() == expected.times.tolist()
    assert np.allclose(found.tags[place.speed].values.astype(float), expected.values.astype(float))
    assert {quality_of(code) for code in found.tags[place.speed].status.tolist()} == {Quality.GOOD}
    assert found.computed_by[place.speed] in {Computer.SERVER, Computer.TAGSIGHT}


async def test_values_at_given_times_come_in_the_order_of_the_times(place: Place) -> None:
    times = START_NS + np.array([90, 3, 4, 3, 1_000], dtype=np.int64) * SECOND + SECOND // 2
    stored = np.arange(COUNT)
    history = TagHistory(START_NS + stored * SECOND, stored.astype(np.float64), np.zeros(COUNT, dtype=np.uint32))
    found = (await place.historian.read_at_times([place.speed], times)).tags[place.speed]
    assert found.times.tolist() == times.tolist()
    assert np.allclose(found.values.astype(float), compute_at(history, times).values.astype(float))


async def test_intervals_without_values_have_no_average(place: Place) -> None:
    span = Span(START_NS - 90 * SECOND, START_NS - 30 * SECOND)
    found = await place.historian.read_processed([place.speed], span, Aggregate.AVERAGE, 20 * SECOND)
    assert found.tags[place.speed].status.tolist() == [BAD_NO_DATA] * 3
