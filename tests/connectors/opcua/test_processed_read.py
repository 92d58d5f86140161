"""Aggregates of servers with every bad habit that we know; the requests as asyncua understands them."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary

from tagsight_connectors.aggregates import Aggregate, AggregateConfiguration
from tagsight_connectors.errors import AccessRefused, MalformedData, NotConnected, Unsupported
from tagsight_connectors.history import Span, TagHistory, Times
from tagsight_connectors.opcua.decoding import NodeAnswer
from tagsight_connectors.opcua.error_mapping import NoAnswer, TooLarge
from tagsight_connectors.opcua.history_read import HistoryNode
from tagsight_connectors.opcua.processed_details import FUNCTIONS, at_time_details, processed_details
from tagsight_connectors.opcua.processed_read import ProcessedReader, ServerAggregates
from tagsight_connectors.opcua.request_size import RequestSize

BAD_AGGREGATE_NOT_SUPPORTED, BAD_USER_ACCESS_DENIED, BAD_NO_DATA = 0x80D50000, 0x801F0000, 0x809B0000
BAD_CONTINUATION_POINT_INVALID = 0x804A0000
GRID = np.arange(10) * 1_000

Answer = Callable[[HistoryNode, Times], NodeAnswer]


def rows(times: Times) -> TagHistory:
    """The value is the time."""
    return TagHistory(times, times.astype(np.float64), np.full(len(times), 0x401, dtype=np.uint32))


@dataclass
class Computing:
    """A service whose answers a test dictates; the details of a request are its times."""

    answer: Answer
    url: str = "opc.tcp://test"
    asked: list[tuple[list[str], list[int]]] = field(default_factory=list)

    async def history_details(self, nodes: Sequence[HistoryNode], details: Times) -> Sequence[NodeAnswer]:
        self.asked.append(([node.address for node in nodes], details.tolist()))
        return [self.answer(node, details) for node in nodes]

    async def release(self, nodes: Sequence[HistoryNode]) -> None:
        del nodes


def reader(
    computing: Computing, size: RequestSize | None = None, known: ServerAggregates | None = None
) -> ProcessedReader:
    def details(times: Times, _nodes: int) -> Any:
        return times

    return ProcessedReader(computing, size or RequestSize(), known or ServerAggregates(), Aggregate.AVERAGE, details)


async def test_tags_share_requests_and_each_has_a_value_for_each_interval() -> None:
    computing = Computing(lambda _node, times: NodeAnswer(0, None, rows(times)))
    found = await reader(computing).read(["a", "b"], GRID)
    assert {address: each.values.tolist() for address, each in found.items()} == dict.fromkeys("ab", GRID.tolist())
    assert computing.asked == [(["a", "b"], GRID.tolist())]


async def test_intervals_that_a_server_leaves_out_have_no_data() -> None:
    found = await reader(Computing(lambda _node, times: NodeAnswer(0, None, rows(times[::2])))).read(["a"], GRID)
    assert found["a"].times.tolist() == GRID.tolist()
    assert found["a"].status.tolist() == [0x401, BAD_NO_DATA] * 5


async def test_a_long_grid_is_asked_for_in_parts() -> None:
    computing = Computing(lambda _node, times: NodeAnswer(0, None, rows(times)))
    found = await reader(computing, RequestSize(history_values=8)).read(["a", "b"], GRID)
    assert found["b"].values.tolist() == GRID.tolist()
    assert [len(times) for _, times in computing.asked] == [4, 4, 2]


async def test_continuation_points_are_followed_and_a_lost_one_is_asked_for_again_from_there() -> None:
    lost = iter([True])

    def answer(node: HistoryNode, times: Times) -> NodeAnswer:
        if node.point == b"second" and next(lost, False):
            return NodeAnswer(BAD_CONTINUATION_POINT_INVALID, None)
        if node.point:
            return NodeAnswer(0, None, rows(GRID[4:]))
        return NodeAnswer(0, None if times[0] else b"second", rows(times if times[0] else times[:4]))

    found = await reader(Computing(answer)).read(["a"], GRID)
    assert found["a"].values.tolist() == GRID.tolist()


async def test_a_tag_that_is_refused_is_left_out_and_not_asked_again_and_the_others_are_read() -> None:
    def answer(node: HistoryNode, times: Times) -> NodeAnswer:
        return (
            NodeAnswer(BAD_AGGREGATE_NOT_SUPPORTED, None) if node.address == "b" else NodeAnswer(0, None, rows(times))
        )

    computing, known = Computing(answer), ServerAggregates()
    for _ in range(2):
        assert list(await reader(computing, known=known).read(["a", "b", "c"], GRID)) == ["a", "c"]
    assert [addresses for addresses, _ in computing.asked] == [["a", "b", "c"], ["a", "c"]]


@pytest.mark.parametrize(
    "error", [Unsupported("HistoryRead"), MalformedData("answer", "bytes")], ids=["refused", "odd"]
)
async def test_a_server_that_refuses_the_service_is_not_asked_for_any_tag_again(error: Exception) -> None:
    def answer(_node: HistoryNode, _times: Times) -> NodeAnswer:
        raise error

    computing, known = Computing(answer), ServerAggregates()
    assert await reader(computing, known=known).read(["a", "b"], GRID) == {}
    assert await reader(computing, known=known).read(["c"], GRID) == {}
    assert len(computing.asked) == 1


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(rows(GRID + 1), id="stamped-elsewhere"),
        pytest.param(rows(GRID[:0]), id="good-without-values"),
        pytest.param(TagHistory(GRID, np.full(10, "1", dtype=object), np.zeros(10, dtype=np.uint32)), id="text"),
    ],
)
async def test_what_does_not_answer_the_question_is_not_taken(history: TagHistory) -> None:
    known = ServerAggregates()
    assert await reader(Computing(lambda *_: NodeAnswer(0, None, history)), known=known).read(["a"], GRID) == {}
    assert not known.may_ask(Aggregate.AVERAGE, "a")
    assert known.may_ask(Aggregate.MINIMUM, "a")


async def test_what_is_too_large_is_asked_for_in_halves() -> None:
    def answer(_node: HistoryNode, times: Times) -> NodeAnswer:
        if len(times) > 300 or len(computing.asked[-1][0]) > 3:
            raise TooLarge
        return NodeAnswer(0, None, rows(times))

    computing, grid, size = Computing(answer), np.arange(1_000) * 1_000, RequestSize(history_values=4_000)
    found = await reader(computing, size).read(["a", "b", "c", "d", "e"], grid)
    assert {address: each.values.tolist() for address, each in found.items()} == dict.fromkeys("abcde", grid.tolist())


async def test_a_server_that_never_answers_is_left_to_raw_reads() -> None:
    def answer(_node: HistoryNode, _times: Times) -> NodeAnswer:
        raise NoAnswer("opc.tcp://test", "no answer in time")

    computing = Computing(answer)
    assert await reader(computing).read(["a"], GRID) == {}
    assert len(computing.asked) == 4


async def test_a_server_that_repeats_its_pages_without_end_is_left_to_raw_reads() -> None:
    computing = Computing(lambda *_: NodeAnswer(0, b"same", rows(GRID[:3])))
    assert await reader(computing).read(["a"], GRID) == {}
    assert len(computing.asked) < 10


@pytest.mark.parametrize(
    ("status", "kind"), [(BAD_USER_ACCESS_DENIED, AccessRefused), (0x80AE0000, NotConnected)], ids=["access", "lost"]
)
async def test_other_errors_are_raised(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await reader(Computing(lambda *_: NodeAnswer(status, None))).read(["a"], GRID)


@pytest.mark.parametrize("aggregate", list(Aggregate))
def test_the_request_says_what_is_wanted(aggregate: Aggregate) -> None:
    configuration = AggregateConfiguration(
        treat_uncertain_as_bad=False, percent_data_bad=30, percent_data_good=70, sloped_extrapolation=True
    )
    sent = processed_details(Span(10**18, 10**18 + 10**9), aggregate, 1_500_000, configuration, 2)
    details = struct_from_binary(ua.ReadProcessedDetails, Buffer(sent.Body))
    assert sent.TypeId.Identifier == ua.ObjectIds.ReadProcessedDetails_Encoding_DefaultBinary
    assert details.EndTime - details.StartTime == dt.timedelta(seconds=1)
    assert details.ProcessingInterval == 1.5
    assert details.AggregateType == [ua.NodeId(FUNCTIONS[aggregate])] * 2
    assert details.AggregateConfiguration == ua.AggregateConfiguration(
        UseServerCapabilitiesDefaults=False,
        TreatUncertainAsBad=False,
        PercentDataBad=30,
        PercentDataGood=70,
        UseSlopedExtrapolation=True,
    )


def test_the_request_for_given_times_holds_them() -> None:
    times = np.array([10**18, 10**18 + 7_000])
    details = struct_from_binary(ua.ReadAtTimeDetails, Buffer(at_time_details(times).Body))
    first = dt.datetime(2001, 9, 9, 1, 46, 40, tzinfo=dt.UTC)
    assert [time.replace(tzinfo=dt.UTC) for time in details.ReqTimes] == [first, first + dt.timedelta(microseconds=7)]
    assert details.UseSimpleBounds is False
