"""HistoryRead of our server: pages, directions, bounds, qualities."""

import datetime as dt

import pytest
from asyncua import ua

from tagsight_connectors.opcua.limits import SERVER_CONTINUATION_POINTS
from tests.connectors.opcua.served_plant import START, Plant, read_history, values_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
NO_TIME = dt.datetime(1601, 1, 1, tzinfo=dt.UTC)


def at(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


async def test_a_whole_history_comes_with_values_times_and_qualities(plant: Plant) -> None:
    async with plant.client() as client:
        (result,) = await read_history(client, [await plant.node(client, "Plant/P101/Speed")])
        data = result.HistoryData.DataValues
        assert len(data) == 1_000
        assert result.ContinuationPoint is None
        assert [data[i].Value.Value for i in (1, 10, 100)] == [1.0, 10.0, None]
        assert [data[i].StatusCode.value for i in (1, 10, 100)] == [0, 0x40000000, 0x80000000]
        assert data[999].SourceTimestamp == at(999)


async def test_pages_follow_each_other_without_loss_or_double(plant: Plant) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        times, point = [], None
        while True:
            (result,) = await read_history(client, [speed], points=[point], NumValuesPerNode=300)
            times += [value.SourceTimestamp for value in result.HistoryData.DataValues]
            point = result.ContinuationPoint
            if point is None:
                break
        assert times == [at(second) for second in range(1_000)]


async def test_backwards_pages_are_the_mirror_of_forward_ones(plant: Plant) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        times, point = [], None
        while True:
            wanted = {"StartTime": at(999), "EndTime": at(-1), "NumValuesPerNode": 300}
            (result,) = await read_history(client, [speed], points=[point], **wanted)
            times += [value.SourceTimestamp for value in result.HistoryData.DataValues]
            point = result.ContinuationPoint
            if point is None:
                break
        assert times == [at(second) for second in reversed(range(1_000))]


@pytest.mark.parametrize(
    ("start", "end", "count", "expected"),
    [
        pytest.param(at(10), at(13), 0, [10, 11, 12], id="start belongs to it, end does not"),
        pytest.param(at(13), at(10), 0, [13, 12, 11], id="backwards the same"),
        pytest.param(at(5), at(5), 0, [5], id="one moment"),
        pytest.param(at(997), NO_TIME, 5, [997, 998, 999], id="from a start, at most five"),
        pytest.param(NO_TIME, at(3), 3, [3, 2, 1], id="the three before an end"),
        pytest.param(at(5_000), at(6_000), 0, [], id="nothing there"),
    ],
)
async def test_the_domain_is_that_of_the_specification(
    plant: Plant, start: dt.datetime, end: dt.datetime, count: int, expected: list[int]
) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        (result,) = await read_history(client, [speed], StartTime=start, EndTime=end, NumValuesPerNode=count)
        assert values_of(result) == [float(value) for value in expected]
        assert result.ContinuationPoint is None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param(at(10.5), at(12.5), [10, 11, 12, 13], id="forwards"),
        pytest.param(at(12.5), at(10.5), [13, 12, 11, 10], id="backwards"),
        pytest.param(at(11), at(13), [11, 12, 13], id="values on the ends are their own bounds"),
        pytest.param(at(998.5), at(1_005), [998, 999, None], id="no value after the end"),
    ],
)
async def test_bounding_values_are_returned_when_asked_for(
    plant: Plant, start: dt.datetime, end: dt.datetime, expected: list[float | None]
) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        (result,) = await read_history(client, [speed], StartTime=start, EndTime=end, ReturnBounds=True)
        assert values_of(result) == expected


async def test_a_missing_bound_says_so(plant: Plant) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        wanted = {"StartTime": at(-10), "EndTime": at(2), "ReturnBounds": True}
        (result,) = await read_history(client, [speed], **wanted)
        assert result.HistoryData.DataValues[0].StatusCode.value == ua.StatusCodes.BadBoundNotFound


async def test_unknown_nodes_and_used_points_are_errors_of_their_own(plant: Plant) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        unknown = await plant.node(client, "Plant/Nothing")
        first, missing = await read_history(client, [speed, unknown], NumValuesPerNode=10)
        assert missing.StatusCode.value == ua.StatusCodes.BadNodeIdUnknown
        await read_history(client, [speed], points=[first.ContinuationPoint])
        (again,) = await read_history(client, [speed], points=[first.ContinuationPoint])
        assert again.StatusCode.value == ua.StatusCodes.BadContinuationPointInvalid


async def test_a_released_continuation_point_is_gone(plant: Plant) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        (first,) = await read_history(client, [speed], NumValuesPerNode=10)
        await read_history(client, [speed], points=[first.ContinuationPoint], release=True)
        (again,) = await read_history(client, [speed], points=[first.ContinuationPoint])
        assert again.StatusCode.value == ua.StatusCodes.BadContinuationPointInvalid


async def test_continuation_points_are_limited_and_the_oldest_goes(plant: Plant) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        (oldest,) = await read_history(client, [speed], NumValuesPerNode=10)
        for _ in range(SERVER_CONTINUATION_POINTS // 100):
            await read_history(client, [speed] * 100, NumValuesPerNode=10)
        (result,) = await read_history(client, [speed], points=[oldest.ContinuationPoint])
        assert result.StatusCode.value == ua.StatusCodes.BadContinuationPointInvalid


async def test_asyncuas_own_history_read_understands_our_answer(plant: Plant) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        values = await speed.read_raw_history(at(1), at(50))
        assert [value.Value.Value for value in values] == [float(value) for value in range(1, 51)]  # it asks for bounds
