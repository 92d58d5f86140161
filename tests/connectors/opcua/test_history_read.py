"""Paging against servers with every bad habit that we know."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.errors import AccessRefused, IncompleteRead, NotConnected, UnknownTag, Unsupported
from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.opcua import history_read
from tagsight_connectors.opcua.decoding import NodeAnswer
from tagsight_connectors.opcua.error_mapping import NoAnswer, TooLarge
from tagsight_connectors.opcua.history_read import HistoryNode, HistoryReader
from tagsight_connectors.opcua.paging import BAD_CONTINUATION_POINT_INVALID, BAD_NO_CONTINUATION_POINTS
from tagsight_connectors.opcua.request_size import RequestSize
from tagsight_connectors.opcua.wire import ns_of_ticks, ticks_of_ns

BAD_TIMEOUT = 0x800A0000
BAD_NODE_ID_UNKNOWN, BAD_USER_ACCESS_DENIED, GOOD_NO_DATA, BAD_NO_DATA = 0x80340000, 0x801F0000, 0x00A50000, 0x809B0000
TICK = 100


def rows(first: int, last: int, at: int | None = None) -> TagHistory:
    """Values first..last-1, one a tick (or all at one time)."""
    values = np.arange(first, last, dtype=np.float64)
    times = (np.arange(first, last) if at is None else np.full(last - first, at)) * TICK
    return TagHistory(times.astype(np.int64), values, np.zeros(last - first, dtype=np.uint32))


@dataclass
class Plant:
    """A HistoryRead service whose pages a test dictates: (address, point, start, number of values) -> answer."""

    answer: Callable[[HistoryNode, Span, int], NodeAnswer]
    asked: list[tuple[Sequence[HistoryNode], Span, int]] = field(default_factory=list)
    released: list[bytes] = field(default_factory=list)

    async def history_read(self, nodes: Sequence[HistoryNode], span: Span, at_most: int) -> Sequence[NodeAnswer]:
        self.asked.append((nodes, span, at_most))
        return [self.answer(node, span, at_most) for node in nodes]

    async def release(self, nodes: Sequence[HistoryNode]) -> None:
        self.released += [node.point for node in nodes]


def stored(
    count: int, page: int = 10, *, point: Callable[[int], bytes] = lambda at: str(at).encode()
) -> Callable[[HistoryNode, Span, int], NodeAnswer]:
    """A well-behaved server with values 0..count-1."""

    def answer(node: HistoryNode, span: Span, at_most: int) -> NodeAnswer:
        first = int(node.point) if node.point else span.start_ns // TICK
        last = min(first + min(page, at_most), count, -(-span.end_ns // TICK))
        return NodeAnswer(0, point(last) if last < min(count, span.end_ns // TICK) else None, rows(first, last))

    return answer


async def everything(plant: Plant, addresses: Sequence[str] = ("a",), until: int = 1_000, **options: object) -> dict:
    found: dict[str, list[TagHistory]] = {address: [] for address in addresses}
    async with aclosing(reader(plant, **options).read(addresses, Span(0, until * TICK))) as pages:
        async for page in pages:
            found[page.address].append(page.history)
    return {
        address: np.concatenate([part.values for part in parts]).tolist() if parts else []
        for address, parts in found.items()
    }


def reader(plant: Plant, size: RequestSize | None = None, missing: Sequence[str] = ()) -> HistoryReader:
    async def check_existence(addresses: Sequence[str]) -> None:
        for address in addresses:
            if address in missing:
                raise UnknownTag(address)

    return HistoryReader(plant, size or RequestSize(), "opc.tcp://test", check_existence)


async def test_pages_are_followed_to_the_end() -> None:
    assert await everything(Plant(stored(95))) == {"a": list(range(95))}


@given(count=st.integers(0, 60), page=st.integers(1, 15), tags=st.integers(1, 5), nodes=st.integers(1, 3))
async def test_whatever_the_sizes_nothing_is_lost_or_doubled(count: int, page: int, tags: int, nodes: int) -> None:
    addresses = [f"tag {number}" for number in range(tags)]
    plant = Plant(stored(count, page))
    found = await everything(plant, addresses, size=RequestSize(history_nodes=nodes))
    assert all(values == list(range(count)) for values in found.values())
    assert all(len(asked) <= nodes for asked, _, _ in plant.asked)


async def test_the_same_continuation_point_every_time_is_allowed() -> None:
    position = {"at": 0}

    def answer(node: HistoryNode, _span: Span, _at_most: int) -> NodeAnswer:
        first = position["at"]
        position["at"] += 10
        return NodeAnswer(0, b"same" if first < 90 else None, rows(first, first + 10))

    assert (await everything(Plant(answer)))["a"] == list(range(100))


async def test_the_same_page_for_ever_is_an_incomplete_read_that_says_from_where() -> None:
    plant = Plant(lambda *_: NodeAnswer(0, b"same", rows(0, 10)))
    with pytest.raises(IncompleteRead) as error:
        await everything(plant)
    assert (error.value.from_ns, error.value.until_ns) == (9 * TICK, 1_000 * TICK)
    assert len(plant.asked) < 10
    assert plant.released == [b"same"]


async def test_empty_pages_for_ever_are_an_incomplete_read() -> None:
    plant = Plant(lambda *_: NodeAnswer(0, b"more", rows(0, 0)))
    with pytest.raises(IncompleteRead):
        await everything(plant)


async def test_new_values_of_one_time_for_ever_are_an_incomplete_read() -> None:
    given = iter(range(0, 10_000, 10))

    def answer(*_: object) -> NodeAnswer:
        first = next(given)
        return NodeAnswer(0, b"more", rows(first, first + 10, at=5))

    with pytest.raises(IncompleteRead, match="one time"):
        await everything(Plant(answer))


async def test_a_page_that_repeats_the_end_of_the_one_before_adds_only_what_is_new() -> None:
    def answer(node: HistoryNode, span: Span, _at_most: int) -> NodeAnswer:
        first = int(node.point) if node.point else 0
        return NodeAnswer(0, str(first + 8).encode() if first < 80 else None, rows(first, first + 10))

    assert (await everything(Plant(answer)))["a"] == list(range(90))


async def test_stored_duplicates_of_one_time_are_kept_also_across_pages() -> None:
    pages = {b"": (rows(0, 4, at=7), b"1"), b"1": (rows(4, 8, at=7), None)}
    plant = Plant(lambda node, *_: NodeAnswer(0, pages[node.point][1], pages[node.point][0]))
    assert (await everything(plant))["a"] == list(range(8))


async def test_a_full_page_without_a_continuation_point_is_asked_again_from_its_end() -> None:
    """asyncua's and the legacy server leave the point out when the number of values asked for cut the answer."""

    def answer(_node: HistoryNode, span: Span, at_most: int) -> NodeAnswer:
        first = span.start_ns // TICK
        return NodeAnswer(0, None, rows(first, min(first + at_most, 500)))

    plant = Plant(answer)
    assert (await everything(plant, size=RequestSize(history_values=100)))["a"] == list(range(500))


async def test_a_point_that_is_a_time_is_not_followed_because_it_may_leave_a_value_out() -> None:
    """The legacy server's is the time of the second value that did not fit into the answer."""

    def answer(node: HistoryNode, span: Span, at_most: int) -> NodeAnswer:
        first = (ns_of_ticks(int.from_bytes(node.point, "little")) if node.point else span.start_ns) // TICK
        last = min(first + at_most, 500)
        return NodeAnswer(
            0, ticks_of_ns((last + 1) * TICK).to_bytes(8, "little") if last < 500 else None, rows(first, last)
        )

    plant = Plant(answer)
    found = await everything(plant, ["a", "b"], size=RequestSize(history_values=200))
    assert found == {"a": list(range(500)), "b": list(range(500))}
    assert not plant.released


async def test_a_point_of_eight_bytes_that_is_no_time_of_the_span_is_followed() -> None:
    plant = Plant(stored(95, point=lambda at: f"{at:08}".encode()))
    assert (await everything(plant))["a"] == list(range(95))
    assert [nodes[0].point for nodes, _, _ in plant.asked[:2]] == [b"", b"00000010"]


async def test_more_values_of_one_time_than_a_page_holds_are_an_incomplete_read() -> None:
    plant = Plant(lambda _node, _span, at_most: NodeAnswer(0, None, rows(0, at_most, at=3)))
    with pytest.raises(IncompleteRead, match="one time"):
        await everything(plant, size=RequestSize(history_values=100))


@pytest.mark.parametrize(
    "status", [BAD_CONTINUATION_POINT_INVALID, BAD_NO_CONTINUATION_POINTS], ids=["expired", "none"]
)
async def test_an_expired_point_is_replaced_by_the_last_time(status: int) -> None:
    good = stored(60)
    refused: list[bytes] = []

    def answer(node: HistoryNode, span: Span, at_most: int) -> NodeAnswer:
        if node.point and node.point not in refused:
            refused.append(node.point)
            return NodeAnswer(status, None)
        return good(node, span, at_most)

    assert (await everything(Plant(answer)))["a"] == list(range(60))


async def test_a_server_that_refuses_all_its_points_is_read_by_time_as_long_as_it_advances() -> None:
    good = stored(60)

    def answer(node: HistoryNode, span: Span, at_most: int) -> NodeAnswer:
        return NodeAnswer(BAD_CONTINUATION_POINT_INVALID, None) if node.point else good(node, span, at_most)

    assert (await everything(Plant(answer)))["a"] == list(range(60))


async def test_a_server_that_never_gives_a_page_is_an_incomplete_read() -> None:
    plant = Plant(lambda *_: NodeAnswer(BAD_NO_CONTINUATION_POINTS, None))
    with pytest.raises(IncompleteRead):
        await everything(plant)


async def test_values_outside_the_span_are_cut_off_and_end_the_read() -> None:
    plant = Plant(lambda *_: NodeAnswer(0, b"more", rows(-3, 20)))
    assert (await everything(plant, until=10))["a"] == list(range(10))
    assert plant.released == [b"more"]


async def test_an_unsorted_page_is_sorted_and_loses_nothing() -> None:
    page = rows(0, 10)
    shuffled = TagHistory(page.times[::-1].copy(), page.values[::-1].copy(), page.status)
    assert (await everything(Plant(lambda *_: NodeAnswer(0, None, shuffled))))["a"] == list(range(10))


async def test_older_values_than_those_before_are_an_incomplete_read() -> None:
    pages = {b"": (rows(50, 60), b"1"), b"1": (rows(0, 10), None)}
    plant = Plant(lambda node, *_: NodeAnswer(0, pages[node.point][1], pages[node.point][0]))
    with pytest.raises(IncompleteRead, match="older"):
        await everything(plant)


@pytest.mark.parametrize("status", [0, GOOD_NO_DATA, BAD_NO_DATA], ids=["good", "good-no-data", "bad-no-data"])
async def test_a_tag_without_values_yields_no_page(status: int) -> None:
    assert await everything(Plant(lambda *_: NodeAnswer(status, None))) == {"a": []}


async def test_no_values_of_a_tag_that_is_not_there_are_an_error() -> None:
    with pytest.raises(UnknownTag):
        await everything(Plant(lambda *_: NodeAnswer(0, None)), ["a", "b"], missing=["b"])


@pytest.mark.parametrize(
    ("status", "error"),
    [(BAD_NODE_ID_UNKNOWN, UnknownTag), (BAD_USER_ACCESS_DENIED, AccessRefused), (0x80710000, Unsupported)],
    ids=["unknown", "denied", "no-history"],
)
async def test_a_bad_answer_for_one_tag_names_it(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"\bb\b"):
        await everything(Plant(lambda node, *_: NodeAnswer(status if node.address == "b" else 0, None)), ["a", "b"])


async def test_a_failure_in_the_middle_says_from_where_values_are_missing() -> None:
    plant = Plant(lambda node, *_: NodeAnswer(BAD_USER_ACCESS_DENIED if node.point else 0, b"1", rows(0, 10)))
    with pytest.raises(IncompleteRead) as error:
        await everything(plant)
    assert error.value.from_ns == 9 * TICK


async def test_a_restart_in_the_middle_is_not_connected_and_releases_nothing() -> None:
    good = stored(60)

    def answer(node: HistoryNode, span: Span, at_most: int) -> NodeAnswer:
        if node.point:
            raise NotConnected("opc.tcp://test", "BadSessionIdInvalid")
        return good(node, span, at_most)

    plant = Plant(answer)
    with pytest.raises(NotConnected):
        await everything(plant)
    assert not plant.released


@pytest.mark.parametrize("refusal", [TooLarge(), NoAnswer("u", "late")], ids=["too-large", "no-answer"])
async def test_what_a_server_finds_too_large_is_asked_in_halves_and_remembered(refusal: Exception) -> None:
    good = stored(3_000, page=10_000)
    size = RequestSize()

    class Small(Plant):
        async def history_read(self, nodes: Sequence[HistoryNode], span: Span, at_most: int) -> Sequence[NodeAnswer]:
            if len(nodes) * at_most > 2_000:
                raise refusal
            return await super().history_read(nodes, span, at_most)

    found = await everything(Small(good), ["a", "b", "c"], until=3_000, size=size)
    assert all(values == list(range(3_000)) for values in found.values())
    assert size.history_values <= 2_000 * 2


HOUR = 3_600 * 10**9


def hourly(span: Span) -> TagHistory:
    """One value each half hour, also at the end of the span."""
    times = np.arange(-(-span.start_ns // (HOUR // 2)), span.end_ns // (HOUR // 2) + 1, dtype=np.int64)
    return TagHistory(times * (HOUR // 2), times.astype(np.float64), np.zeros(len(times), dtype=np.uint32))


@pytest.mark.parametrize("refused", [NoAnswer("opc.tcp://test", "no answer"), BAD_TIMEOUT], ids=["request", "node"])
@pytest.mark.parametrize("longest", [1, 3, 20])
async def test_a_server_that_does_not_answer_about_a_long_time_is_asked_part_after_part(
    refused: Exception | int, longest: int
) -> None:
    """However few values are asked for; ends of the parts come twice and count once."""

    def answer(_node: HistoryNode, span: Span, at_most: int) -> NodeAnswer:
        if span.end_ns - span.start_ns > longest * HOUR:
            if isinstance(refused, Exception):
                raise refused
            return NodeAnswer(refused, None)
        assert at_most >= 100
        return NodeAnswer(0, None, hourly(span))

    plant, size = Plant(answer), RequestSize()
    read = HistoryReader(plant, size, "opc.tcp://test", reader(plant).check_existence)
    found = await joined(read, ["a", "b"], Span(0, 100 * HOUR))
    assert all(values == list(range(200)) for values in found.values())
    assert longest * HOUR // 2 <= size.history_range_ns <= longest * HOUR
    asked = len(plant.asked)
    await joined(read, ["a"], Span(0, 100 * HOUR))
    assert all(one.end_ns - one.start_ns <= longest * HOUR for _, one, _ in plant.asked[asked:])


async def test_points_of_a_part_are_released_before_the_next_part() -> None:
    def answer(_node: HistoryNode, span: Span, _at_most: int) -> NodeAnswer:
        return NodeAnswer(0, f"of {span.start_ns // HOUR}".encode(), hourly(span))

    plant = Plant(answer)
    size = RequestSize(history_range_ns=10 * HOUR)
    read = HistoryReader(plant, size, "opc.tcp://test", reader(plant).check_existence)
    assert (await joined(read, ["a"], Span(0, 30 * HOUR)))["a"] == list(range(60))
    assert plant.released == [b"of 0", b"of 10", b"of 20"]


async def joined(read: HistoryReader, addresses: Sequence[str], span: Span) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {address: [] for address in addresses}
    async with aclosing(read.read(addresses, span)) as pages:
        async for page in pages:
            found[page.address] += page.history.values.tolist()
    return found


async def test_a_slow_moment_does_not_cut_short_reads_shorter() -> None:
    size = RequestSize()
    assert not size.halve_range(HOUR)
    assert size == RequestSize()


async def test_a_server_that_finds_everything_too_large_is_an_error() -> None:
    def answer(*_: object) -> NodeAnswer:
        raise TooLarge(cause="BadResponseTooLarge")

    with pytest.raises(TooLarge):
        await everything(Plant(answer))


async def test_leaving_early_releases_the_points_also_of_answers_on_their_way() -> None:
    plant = Plant(stored(100))
    async with aclosing(reader(plant).read(["a", "b"], Span(0, 1_000 * TICK))) as pages:
        async for _ in pages:
            break
    assert plant.released == [b"20", b"10"]
    assert [nodes[0].address for nodes, _, _ in plant.asked] == ["a", "b", "a"]


@dataclass
class Busy(Plant):
    """Answers later, and counts what it is asked meanwhile."""

    underway: int = 0
    most: int = 0

    async def history_read(self, nodes: Sequence[HistoryNode], span: Span, at_most: int) -> Sequence[NodeAnswer]:
        self.underway += len(nodes)
        self.most = max(self.most, self.underway)
        for _ in range(3):
            await asyncio.sleep(0)
        self.underway -= len(nodes)
        return await super().history_read(nodes, span, at_most)


@given(nodes=st.integers(1, 7), requests=st.integers(1, 3), tags=st.integers(1, 9))
async def test_requests_overlap_and_share_the_nodes_that_are_allowed(nodes: int, requests: int, tags: int) -> None:
    plant, size = Busy(stored(35)), RequestSize(history_nodes=nodes, history_requests=requests)
    addresses = [f"tag {number}" for number in range(tags)]
    found = await everything(plant, addresses, size=size)
    assert all(values == list(range(35)) for values in found.values())
    assert min(tags, requests, nodes) <= plant.most <= nodes


async def test_the_next_page_is_asked_before_the_reader_works_on_this_one() -> None:
    plant = Busy(stored(30))
    async with aclosing(reader(plant).read(["a"], Span(0, 1_000 * TICK))) as pages:
        await anext(pages)
        assert plant.underway == 1
        assert [len(page.history) async for page in pages] == [10, 10]


async def test_once_a_server_found_a_request_too_large_there_is_one_at_a_time() -> None:
    refusals = iter([TooLarge()])
    good = stored(60)

    def answer(node: HistoryNode, span: Span, at_most: int) -> NodeAnswer:
        for refusal in refusals:
            raise refusal
        return good(node, span, at_most)

    plant, size = Busy(answer), RequestSize()
    assert all(values == list(range(60)) for values in (await everything(plant, ["a", "b"], size=size)).values())
    assert (size.overlapping, size.history_values) == (1, 50_000)


async def test_a_reader_that_leaves_does_not_wait_for_ever_for_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_read, "ARRIVAL_S", 0.0)

    class Stuck(Plant):
        async def history_read(self, nodes: Sequence[HistoryNode], span: Span, at_most: int) -> Sequence[NodeAnswer]:
            if nodes[0].point:
                await asyncio.Event().wait()
            return await super().history_read(nodes, span, at_most)

    plant = Stuck(stored(100))
    async with aclosing(reader(plant).read(["a"], Span(0, 1_000 * TICK))) as pages:
        await anext(pages)
    assert plant.released == [b"10"]


async def test_an_empty_span_asks_for_nothing_but_whether_the_tag_is_there() -> None:
    plant = Plant(stored(100))
    assert await everything(plant, until=0) == {"a": []}
    assert not plant.asked
    with pytest.raises(UnknownTag):
        await everything(plant, until=0, missing=["a"])


async def test_arrays_are_not_read() -> None:
    with pytest.raises(Unsupported, match="arrays"):
        await everything(Plant(lambda *_: NodeAnswer(0, None, unreadable="its values are arrays")))
