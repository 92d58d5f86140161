"""Aggregates of servers that somebody else wrote, beside our own of the same raw values."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from tagsight.averages import Averaged, read_averages, read_sources
from tagsight.clocks import SetClock
from tagsight.connections import Link
from tagsight.plan import ScorePlan, TrainPlan
from tagsight.scoring_task import StorePlace
from tagsight.training import gather
from tagsight_connectors.aggregates import Aggregate, AggregateConfiguration, Computer, ProcessedHistory, compute
from tagsight_connectors.connection import Connection
from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.reading import read_history
from tests.connectors.opcua.plant_server import (
    SECOND,
    START_NS,
    URI,
    connection,
    free_port,
    plant_server,
    trust_the_server,
)
from tests.end_to_end.plant import keys, model_plan
from tests.interop.conftest import StartHistorian
from tests.interop.foreign import ForeignHistorian, ForeignTag, node_historian

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400)]

MS = 1_000_000
START_MS = 1_700_000_000_000 - 1_700_000_000_000 % 60_000
COUNT, STEP_MS = 3_000, 7_000
MINUTE_NS = 60_000 * MS
WHOLE = Span(START_MS * MS, (START_MS + COUNT * STEP_MS) * MS // MINUTE_NS * MINUTE_NS)
BITS = 0xFFFF001F
"""Severity, code and aggregate bits. Whether the info type is set beside these bits is left out (node-opcua's is 0)."""

WAVE = (100.0 * np.sin(np.arange(COUNT) / 50.0)).tolist()
PLANT = [
    ForeignTag("Plant/Speed", WAVE, start_ms=START_MS, step_ms=STEP_MS, bad=[*range(40, 60), 777, 1_500]),
    ForeignTag("Plant/Rare", WAVE[:70], start_ms=START_MS, step_ms=300_000),
]


@asynccontextmanager
async def connected(told: Connection) -> AsyncIterator[OpcUaHistorian]:
    historian = open_opcua(told)
    await historian.connect()
    try:
        yield historian
    finally:
        await historian.close()


@pytest.fixture(scope="module")
def computing(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignHistorian]:
    with node_historian(node_modules, tmp_path_factory.mktemp("computing"), PLANT, aggregates=True) as foreign:
        yield foreign


async def both(historian: OpcUaHistorian, address: str, aggregate: Aggregate) -> tuple[TagHistory, TagHistory]:
    """The server's aggregate and our own, of the same raw values."""
    theirs = await historian.read_processed([address], WHOLE, aggregate, MINUTE_NS)
    assert theirs.computed_by == {address: Computer.SERVER}
    ours = await historian.read_processed([address], WHOLE, aggregate, MINUTE_NS, own=[address])
    assert ours.computed_by == {address: Computer.TAGSIGHT}
    return theirs.tags[address], ours.tags[address]


def unlike(theirs: TagHistory, ours: TagHistory, bits: int = BITS) -> list[int]:
    """Intervals in which value or status differ."""
    assert theirs.times.tolist() == ours.times.tolist()
    values = ~np.isclose(theirs.values.astype(float), ours.values.astype(float), rtol=1e-12, equal_nan=True)
    status = theirs.status & np.uint32(bits) != ours.status & np.uint32(bits)
    return np.flatnonzero(values | status).tolist()


@pytest.mark.parametrize("path", ["Plant/Speed", "Plant/Rare"])
async def test_averages_and_interpolated_values_of_node_opcua_are_our_own(
    computing: ForeignHistorian, path: str
) -> None:
    """To the last bit of the status: among Bad values, in empty intervals, behind the end of the data."""
    async with connected(computing.connection) as historian:
        for aggregate in (Aggregate.AVERAGE, Aggregate.INTERPOLATIVE):
            theirs, ours = await both(historian, computing.address(path), aggregate)
            assert unlike(theirs, ours) == []
            assert np.isfinite(ours.values).sum() > 60
            assert len(set(ours.status.tolist())) > 1


async def test_counts_and_good_durations_of_node_opcua_are_our_own_where_there_are_values(
    computing: ForeignHistorian,
) -> None:
    async with connected(computing.connection) as historian:
        for aggregate in (Aggregate.COUNT, Aggregate.DURATION_GOOD):
            assert unlike(*await both(historian, computing.address("Plant/Speed"), aggregate)) == []


async def test_minima_and_maxima_of_node_opcua_are_our_own_but_for_the_calculated_bit(
    computing: ForeignHistorian,
) -> None:
    """It leaves it out when any value stands at the start of the interval; by 5.4.3.10 that must be the extreme."""
    async with connected(computing.connection) as historian:
        for aggregate in (Aggregate.MINIMUM, Aggregate.MAXIMUM):
            theirs, ours = await both(historian, computing.address("Plant/Speed"), aggregate)
            assert unlike(theirs, ours, BITS & ~0x01) == []
            for at in (odd := unlike(theirs, ours)):
                assert (theirs.status[at] & 0x01, ours.status[at] & 0x01) == (0, 1)
            assert odd


async def test_node_opcua_knows_nothing_in_an_interval_without_values(computing: ForeignHistorian) -> None:
    """By 5.4.3.21 and 5.4.3.31 the count is 0 there, and a Good value before it makes it Good."""
    async with connected(computing.connection) as historian:
        for aggregate, expected in ((Aggregate.COUNT, 0.0), (Aggregate.DURATION_GOOD, 60_000.0)):
            theirs, ours = await both(historian, computing.address("Plant/Rare"), aggregate)
            assert (theirs.status[1], np.isnan(theirs.values[1])) == (0x809B0000, True)
            assert (ours.status[1], ours.values[1]) == (0x401, expected)


async def test_node_opcua_takes_no_value_before_the_span_as_a_bound(computing: ForeignHistorian) -> None:
    """So what it interpolates begins later than ours (3.1.8 asks it to look one interval back at the least)."""
    speed = computing.address("Plant/Speed")
    span = Span(WHOLE.start_ns + 10 * MINUTE_NS + SECOND, WHOLE.start_ns + 12 * MINUTE_NS + SECOND)
    async with connected(computing.connection) as historian:
        theirs = await historian.read_processed([speed], span, Aggregate.INTERPOLATIVE, MINUTE_NS)
        ours = await historian.read_processed([speed], span, Aggregate.INTERPOLATIVE, MINUTE_NS, own=[speed])
    assert unlike(theirs.tags[speed], ours.tags[speed]) == [0]
    assert theirs.tags[speed].status[0] == 0x809B0000
    assert ours.tags[speed].status[0] == 0x402


async def test_what_node_opcua_does_not_compute_is_computed_here_and_not_asked_for_again(
    computing: ForeignHistorian, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TimeAverage is refused (BadAggregateNotSupported), values at given times too."""
    speed, rare = computing.address("Plant/Speed"), computing.address("Plant/Rare")
    async with connected(computing.connection) as historian:
        for _ in range(2):
            found = await historian.read_processed([speed, rare], WHOLE, Aggregate.TIME_AVERAGE, MINUTE_NS)
            at = await historian.read_at_times([speed], np.array([WHOLE.start_ns + SECOND]))
            assert set(found.computed_by.values()) | set(at.computed_by.values()) == {Computer.TAGSIGHT}
            assert np.isclose(at.tags[speed].values[0], (6 * WAVE[0] + WAVE[1]) / 7)
            monkeypatch.setattr("tagsight_connectors.opcua.client.at_time_details", None)
            monkeypatch.setattr("tagsight_connectors.opcua.client.processed_details", None)
        monkeypatch.undo()
        both_tags = await historian.read_processed([speed, rare], WHOLE, Aggregate.AVERAGE, MINUTE_NS)
    assert set(both_tags.computed_by.values()) == {Computer.SERVER}


async def test_a_long_grid_of_node_opcua_is_asked_for_in_parts(computing: ForeignHistorian) -> None:
    speed = computing.address("Plant/Speed")
    async with connected(computing.connection) as historian:
        whole = await historian.read_processed([speed], WHOLE, Aggregate.AVERAGE, MINUTE_NS)
        historian._processed_size.history_values = 100
        parts = await historian.read_processed([speed], WHOLE, Aggregate.AVERAGE, MINUTE_NS)
    assert parts.computed_by == {speed: Computer.SERVER}
    assert unlike(parts.tags[speed], whole.tags[speed]) == []


async def test_a_model_learns_from_averages_of_node_opcua_and_reads_the_same_live(
    computing: ForeignHistorian, tmp_path: Path
) -> None:
    """`score: {read: averages}`: 60 stored values of a minute do not travel; both reads have the same samples."""
    score = ScorePlan(every_ns=5 * MINUTE_NS, grid_ns=5 * MINUTE_NS, averages=True)
    train = TrainPlan(start_ns=WHOLE.start_ns, end_ns=WHOLE.end_ns)
    plan = model_plan(inputs=("Plant/*",), score=score, train=train)
    link = Link("default", open_opcua(computing.connection), SetClock(WHOLE.end_ns), follow_server_time=False)
    read: list[int] = []
    try:
        _, task = await gather(plan, link, StorePlace(*keys(tmp_path)), "0" * 64, progress=read.append)
        speed = Averaged(computing.address("Plant/Speed"), 5 * MINUTE_NS, Computer.SERVER)
        span = Span(WHOLE.start_ns + 60 * MINUTE_NS, WHOLE.start_ns + 90 * MINUTE_NS)
        live = await link.use(lambda historian: read_sources([speed.source], span, historian, pytest.fail))
    finally:
        await link.close()
    assert task.averaged == {"Speed": "server", "Rare": "server"}
    assert sum(read) < 150  # of 3,000 stored values
    learned, samples = task.history["Speed"], live.tags[speed.source]
    here = (learned.times >= span.start_ns) & (learned.times < span.end_ns)
    assert samples.times.tolist() == learned.times[here].tolist()
    assert samples.values.tolist() == learned.values[here].tolist()
    assert len(samples) == 6


async def test_minutes_of_a_failed_sensor_are_bad_though_node_opcua_gives_them_no_average(
    computing: ForeignHistorian,
) -> None:
    """Its Count tells them from minutes in which nothing was stored."""
    speed, rare = computing.address("Plant/Speed"), computing.address("Plant/Rare")
    span = Span(WHOLE.start_ns + MINUTE_NS, WHOLE.start_ns + 11 * MINUTE_NS)
    async with connected(computing.connection) as historian:
        found, computed_by = await read_averages(historian, [speed, rare], span, MINUTE_NS)
    assert set(computed_by.values()) == {Computer.SERVER}
    assert [status >> 30 for status in found[speed].status.tolist()] == [0, 0, 0, 0, 1, 2, 2, 0, 0, 0]
    assert ((found[rare].times - WHOLE.start_ns) // MINUTE_NS).tolist() == [1, 6]


def ours_of(found: ProcessedHistory, address: str, raw: TagHistory, span: Span, interval_ns: int) -> None:
    """Computed here, from these raw values."""
    assert found.computed_by == {address: Computer.TAGSIGHT}
    expected = compute(raw, span, interval_ns, Aggregate.AVERAGE, AggregateConfiguration())
    assert found.tags[address].values.tolist() == expected.values.tolist()
    assert found.tags[address].status.tolist() == expected.status.tolist()


async def test_the_legacy_server_computes_nothing_and_its_raw_values_are_averaged_here(
    start_legacy_historian: StartHistorian,
) -> None:
    foreign = start_legacy_historian([ForeignTag("Plant/Speed", WAVE[:300], start_ms=START_MS, bad=[7])])
    speed, span = foreign.address("Plant/Speed"), Span(START_MS * MS, START_MS * MS + 5 * MINUTE_NS)
    async with connected(foreign.connection) as historian:
        raw = (await read_history(historian, [speed], span)).tags[speed]
        ours_of(
            await historian.read_processed([speed], span, Aggregate.AVERAGE, MINUTE_NS), speed, raw, span, MINUTE_NS
        )
        at = await historian.read_at_times([speed], raw.times[:3])
    assert at.tags[speed].values.tolist() == WAVE[:3]


async def test_asyncua_computes_nothing_and_its_raw_values_are_averaged_here(tmp_path: Path) -> None:
    port = free_port()
    async with plant_server(port, tmp_path, values=300):
        trust_the_server(tmp_path)
        speed, span = f"nsu={URI};s=P101.Speed", Span(START_NS, START_NS + 300 * SECOND)
        async with connected(connection(port, tmp_path)) as historian:
            raw = (await read_history(historian, [speed], span)).tags[speed]
            found = await historian.read_processed([speed], span, Aggregate.AVERAGE, 30 * SECOND)
    ours_of(found, speed, raw, span, 30 * SECOND)
