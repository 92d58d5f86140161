import asyncio

import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight_connectors.errors import NotConnected, UnknownTag
from tagsight_connectors.historian import Description, Historian
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore

NOW = 1_760_000_000 * SECOND
HOUR = 3_600.0


class Plant:
    """A historian in memory, this machine's clock, and the link between them; the server's clock runs by itself."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.clock = SetClock(NOW)
        self.server_ns = lambda: NOW + round((ahead_s + self.clock.elapsed) * SECOND)
        self.store = MemoryStore("links", now_ns=lambda: self.server_ns())  # noqa: PLW0108 - replaced while it runs
        self.historian = MemoryHistorian(self.store)
        self.link = Link("default", self.historian, self.clock, jitter=lambda: 0.0)

    async def use(self) -> bool:
        """Whether it could be used."""
        try:
            await self.link.use(_describe)
        except NotConnected:
            return False
        return True


async def _describe(historian: Historian) -> Description:
    return await historian.describe()


async def _closed(_historian: Historian) -> None:
    raise NotConnected("memory://links", "closed by the server")


async def _unknown(_historian: Historian) -> None:
    raise UnknownTag("nowhere")


async def test_a_server_that_is_down_for_two_minutes_is_tried_few_times_and_found_again_within_thirty_seconds() -> None:
    plant = Plant()
    assert await plant.use()
    plant.store.faults.down = True
    for _ in range(1_200):
        plant.clock.advance(0.1)
        assert not await plant.use()
    assert plant.link.attempts <= 30
    plant.store.faults.down = False
    for _ in range(300):
        plant.clock.advance(0.1)
        await plant.use()
    assert await plant.use()


async def test_a_server_that_accepts_and_then_closes_is_not_hammered() -> None:
    plant = Plant()
    for _ in range(1_200):
        plant.clock.advance(0.1)
        with pytest.raises(NotConnected):
            await plant.link.use(_closed)
    assert plant.link.attempts <= 30


async def test_a_server_that_is_down_for_days_is_still_tried() -> None:
    plant = Plant()
    plant.store.faults.down = True
    for _ in range(2_000):
        plant.clock.advance(31.0)
        assert not await plant.use()
    assert plant.link.attempts == 2_000
    plant.store.faults.down = False
    plant.clock.advance(31.0)
    assert await plant.use()


async def test_during_the_back_off_nobody_waits_and_the_server_is_left_alone() -> None:
    plant = Plant()
    plant.store.faults.down = True
    assert not await plant.use()
    with pytest.raises(NotConnected, match="waiting before the next attempt"):
        await plant.link.use(_describe)
    assert plant.link.attempts == 1
    assert "does not answer" in plant.link.trouble


async def test_many_at_once_open_one_session() -> None:
    plant = Plant()
    release = asyncio.Event()
    plant.store.faults.answer_when = release.wait
    asked = [asyncio.create_task(plant.use()) for _ in range(10)]
    await asyncio.sleep(0)
    release.set()
    assert all(await asyncio.gather(*asked))
    assert plant.link.attempts == 1


async def test_an_error_of_an_old_session_does_not_end_the_new_one() -> None:
    plant = Plant()
    late, started = asyncio.Event(), asyncio.Event()

    async def fails_late(_historian: Historian) -> None:
        started.set()
        await late.wait()
        raise NotConnected("memory://links", "the old session")

    old = asyncio.create_task(plant.link.use(fails_late))
    await started.wait()
    with pytest.raises(NotConnected):
        await plant.link.use(_closed)
    plant.clock.advance(31.0)
    assert await plant.use()
    late.set()
    with pytest.raises(NotConnected):
        await old
    assert plant.link.connected
    assert plant.link.attempts == 2


async def test_an_error_other_than_a_lost_connection_keeps_the_session() -> None:
    plant = Plant()
    with pytest.raises(UnknownTag):
        await plant.link.use(_unknown)
    assert plant.link.connected


async def test_the_historians_time_is_followed_between_looks_and_corrected_every_minute() -> None:
    plant = Plant(ahead_s=90.0)
    await plant.use()
    plant.clock.advance(20.0)
    assert plant.link.now_ns() == NOW + 110 * SECOND
    assert plant.link.clock_difference_s == pytest.approx(90.0)
    plant.server_ns = lambda: NOW + 500 * SECOND
    plant.clock.advance(41.0)
    await plant.use()
    assert plant.link.now_ns() == NOW + 500 * SECOND


@pytest.mark.parametrize("step", [-HOUR, HOUR, -24 * HOUR, 1e9], ids=["back", "forward", "a-day-back", "absurd"])
async def test_a_step_of_this_machines_clock_moves_nothing(step: float) -> None:
    plant = Plant()
    await plant.use()
    plant.clock.step(step)
    plant.clock.advance(10.0)
    assert plant.link.now_ns() == NOW + 10 * SECOND
    plant.store.faults.down = True
    assert not await plant.use()
    plant.store.faults.down = False
    plant.clock.advance(1.0)
    assert await plant.use()


@pytest.mark.parametrize("absurd", [0, -(2**62), 2**62], ids=["epoch", "before", "far-future"])
async def test_an_absurd_server_time_is_not_followed(absurd: int) -> None:
    plant = Plant()
    plant.server_ns = lambda: absurd
    await plant.use()
    assert plant.link.now_ns() == plant.clock.now_ns()


async def test_an_absurd_server_time_is_told_and_found_right_again_within_a_minute() -> None:
    plant = Plant()
    plant.server_ns = lambda: 0
    await plant.use()
    assert "before 2000" in plant.link.clock_trouble
    plant.server_ns = plant.clock.now_ns
    plant.clock.advance(61.0)
    await plant.use()
    assert plant.link.clock_trouble == ""
    assert plant.link.attempts == 1


async def test_a_replay_of_the_past_has_no_trouble_with_the_clock() -> None:
    plant = Plant(ahead_s=400 * 24 * HOUR)
    replay = Link("default", plant.historian, plant.clock, follow_server_time=False)
    await plant.use()
    await replay.use(_describe)
    assert "ahead of this machine's" in plant.link.clock_trouble
    assert replay.clock_trouble == ""
    assert replay.now_ns() == plant.clock.now_ns()
