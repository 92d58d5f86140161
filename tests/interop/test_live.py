"""Live values by subscription from servers that somebody else wrote: the same as their histories say."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tagsight_connectors.errors import NotConnected
from tagsight_connectors.history import Span
from tagsight_connectors.live_values import Live, LiveValues
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.reading import read_history
from tests.interop.conftest import StartHistorian
from tests.interop.foreign import ForeignHistorian, ForeignTag, free_port
from tests.interop.node_space import node_space

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400)]

MS = 1_000_000
DEADLINE_S = 30.0
SPEED = "Plant/P101/Speed"


@asynccontextmanager
async def watching(foreign: ForeignHistorian, begin_ms: int) -> AsyncIterator[LiveValues]:
    live = LiveValues(open_opcua(foreign.connection), Live.SUBSCRIPTION)
    await live.connect()
    try:
        foreign.live({SPEED: -1.0}, begin_ms)
        await read_history(live, [foreign.address(SPEED)], recent(begin_ms))
        await until(lambda: newest(live, foreign) == begin_ms)
        yield live
    finally:
        await live.close()


def newest(live: LiveValues, foreign: ForeignHistorian) -> int:
    return (live.watched[foreign.address(SPEED)].newest_ns or 0) // MS


def recent(begin_ms: int) -> Span:
    return Span((begin_ms - 60_000) * MS, (begin_ms + 3_600_000) * MS)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - values and failures of a subscription have no common event
            await asyncio.sleep(0.02)


async def both(live: LiveValues, foreign: ForeignHistorian, begin_ms: int) -> list[list[tuple[int, float, int]]]:
    """What subscription and history together say, and what the history alone says."""
    found = []
    for historian in (live, live.source):
        history = (await read_history(historian, [foreign.address(SPEED)], recent(begin_ms))).tags
        one = history[foreign.address(SPEED)]
        found.append(list(zip(one.times.tolist(), one.values.tolist(), one.status.tolist(), strict=True)))
    return found


def plant(begin_ms: int) -> list[ForeignTag]:
    return [ForeignTag(SPEED, [float(at) for at in range(30)], start_ms=begin_ms - 31_000, step_ms=1_000)]


async def test_both_ways_give_the_same_values_over_an_encrypted_connection(start_historian: StartHistorian) -> None:
    begin = int(time.time() - 60) * 1_000
    foreign = start_historian(plant(begin))
    async with watching(foreign, begin) as live:
        for at in range(1, 40):
            foreign.live({SPEED: float(at)}, begin + at * 1_000)
        await until(lambda: newest(live, foreign) == begin + 39_000)
        received, stored = await both(live, foreign, begin)
        assert received == stored
        assert len(received) == 30 + 40
        assert live.trouble == ""


async def test_a_full_queue_is_noticed_and_filled_from_history(
    start_historian: StartHistorian, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagsight_connectors.opcua.subscription.QUEUE", 4)
    begin = int(time.time() - 60) * 1_000
    foreign = start_historian(plant(begin))
    async with watching(foreign, begin) as live:
        for at in range(1, 50):
            foreign.live({SPEED: float(at)}, begin + at * 1_000)
        await until(lambda: newest(live, foreign) == begin + 49_000)
        received, stored = await both(live, foreign, begin)
        assert received == stored
        assert len(received) == 30 + 50


async def test_what_is_told_by_exception_is_not_asked_of_history(node_modules: Path, tmp_path: Path) -> None:
    """And a server that starts again without its history is watched again."""
    begin = int(time.time() - 60) * 1_000
    port = free_port()
    span = Span((begin - 1_000) * MS, (begin + 3_600_000) * MS)
    with node_space(node_modules, tmp_path, "types", port=port) as space:
        live = LiveValues(open_opcua(space.connection), Live.SUBSCRIPTION)
        address = space.address("s=Live")
        await live.connect()
        space.live(0.0, begin)
        await read_history(live, [address], span)
        await until(lambda: live.watched[address].newest_ns == begin * MS)
        for at in range(1, 40):
            space.live(float(at), begin + at * 1_000)
        await until(lambda: live.watched[address].newest_ns == (begin + 39_000) * MS)
        buffer = live.watched[address]
        assert buffer.wanting(Span(begin * MS, span.end_ns)) == []
        assert buffer.part(span).values.tolist() == [float(at) for at in range(40)]
    with pytest.raises(NotConnected):
        await read_history(live, [address], span)
    with node_space(node_modules, tmp_path, "types", port=port) as space:
        await live.connect()
        space.live(100.0, begin + 100_000)
        await read_history(live, [address], span)
        await until(lambda: live.watched[address].newest_ns == (begin + 100_000) * MS)
        space.live(101.0, begin + 101_000)
        await until(lambda: live.watched[address].newest_ns == (begin + 101_000) * MS)
        found = (await read_history(live, [address], span)).tags[address]
        stored = (await read_history(live.source, [address], span)).tags[address]
        assert found.values.tolist()[-2:] == stored.values.tolist() == [100.0, 101.0]
        await live.close()
