import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tagsight.clocks import SECOND
from tagsight.schedule import Calendar, Every, Schedule, _trigger

BERLIN = ZoneInfo("Europe/Berlin")
SOON = SECOND // 50
HOUR = 3_600 * SECOND


@dataclass
class Heard:
    """Troubles as told, and a way to wait for one."""

    troubles: list[tuple[str, str]] = field(default_factory=list)
    _any: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, job: str, what: str) -> None:
        self.troubles.append((job, what))
        self._any.set()

    async def first(self) -> tuple[str, str]:
        async with asyncio.timeout(30.0):
            await self._any.wait()
        return self.troubles[0]


@dataclass
class Counted:
    """Work that counts its calls and tells when it was called `wanted` times."""

    wanted: int = 1
    calls: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        self.calls += 1
        if self.calls >= self.wanted:
            self.enough.set()

    async def wait(self) -> None:
        async with asyncio.timeout(30.0):
            await self.enough.wait()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def started(heard: Heard) -> AsyncIterator[Callable[..., Schedule]]:
    made: list[Schedule] = []

    def start(*jobs: Every | Calendar) -> Schedule:
        schedule = Schedule(jobs, heard)
        schedule.start()
        made.append(schedule)
        return schedule

    yield start
    for schedule in made:
        schedule.stop()
    await asyncio.sleep(0)  # it shuts down at the next turn of the loop


def _times(job: Every | Calendar, now: datetime, count: int) -> list[datetime]:
    trigger, found, before = _trigger(job), [], None
    for _ in range(count):
        before = trigger.get_next_fire_time(before, now if before is None else before + timedelta(microseconds=1))
        found.append(before)
    return found


async def _never() -> None:
    raise AssertionError


async def test_jobs_of_several_intervals_run_each_at_its_own(started: Callable[..., Schedule], heard: Heard) -> None:
    fast, slow, hourly = Counted(4), Counted(2), Counted()
    started(
        Every("fast", SOON, fast.work), Every("slow", 3 * SOON, slow.work), Every("hourly", 100 * HOUR, hourly.work)
    )
    await asyncio.gather(fast.wait(), slow.wait())
    assert fast.calls > slow.calls
    assert hourly.calls == 0
    assert heard.troubles == []


async def test_a_changed_plan_of_jobs_starts_the_new_ends_the_gone_and_leaves_the_others(
    started: Callable[..., Schedule], heard: Heard
) -> None:
    kept, gone, new = Counted(), Counted(), Counted(2)
    stays = Every("kept", 100 * HOUR, kept.work)
    schedule = started(stays, Every("gone", SOON, gone.work))
    await gone.wait()
    schedule.replan((stays, Every("new", SOON, new.work)))
    before = gone.calls
    await new.wait()
    assert (gone.calls, kept.calls) == (before, 0)
    assert heard.troubles == []


def test_ticks_fall_on_multiples_of_the_interval_plus_the_wait() -> None:
    now = datetime(2026, 3, 29, 0, 59, 58, tzinfo=UTC)
    found = _times(Every("score", 300 * SECOND, _never, 7 * SECOND), now, 3)
    assert [f"{time:%H:%M:%S}" for time in found] == ["01:00:07", "01:05:07", "01:10:07"]


def _until(release: asyncio.Event) -> Callable[[], Awaitable[None]]:
    async def wait() -> None:
        await release.wait()

    return wait


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        pytest.param(datetime(2026, 3, 29, 0, 30, tzinfo=BERLIN), [0.5, 24, 24], id="into-summer-time"),
        pytest.param(datetime(2026, 10, 25, 0, 30, tzinfo=BERLIN), [0.5, 26, 24], id="out-of-summer-time"),
    ],
)
def test_a_calendar_keeps_the_local_time_of_day_through_summer_time(now: datetime, hours: list[float]) -> None:
    job = Calendar("train", {"hour": "1", "minute": "0"}, BERLIN, _never)
    found = _times(job, now, 3)
    assert {time.astimezone(BERLIN).strftime("%H:%M") for time in found} == {"01:00"}
    steps = [now.astimezone(UTC), *(time.astimezone(UTC) for time in found)]
    assert (steps[1] - steps[0]).total_seconds() == hours[0] * 3_600
    assert len({time.astimezone(BERLIN).date() for time in found}) == 3


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_ticks_do_not_know_summer_time(zone: str) -> None:
    for month in (3, 4, 10, 11):
        now = datetime(2026, month, 1, tzinfo=ZoneInfo(zone))
        found = _times(Every("score", HOUR, _never), now, 24 * 31)
        assert {later - earlier for earlier, later in itertools.pairwise(found)} == {timedelta(hours=1)}


async def test_a_failed_job_is_told_and_comes_again(started: Callable[..., Schedule], heard: Heard) -> None:
    counted = Counted(3)

    async def fails() -> None:
        await counted.work()
        raise ValueError("the disk is on fire")

    started(Every("score", SOON, fails))
    job, what = await heard.first()
    assert job == "score"
    assert "the disk is on fire" in what
    await counted.wait()


async def test_a_job_that_is_still_running_is_told_and_not_started_twice(
    started: Callable[..., Schedule], heard: Heard
) -> None:
    release, counted = asyncio.Event(), Counted()

    async def hangs() -> None:
        await counted.work()
        await release.wait()

    started(Every("score", SOON, hangs))
    assert await heard.first() == ("score", "still running")
    assert counted.calls == 1
    release.set()


async def test_a_hung_job_holds_up_no_other(started: Callable[..., Schedule]) -> None:
    release, others = asyncio.Event(), [Counted(2) for _ in range(50)]
    started(Every("hung", SOON, _until(release)), *(Every(f"job {n}", SOON, one.work) for n, one in enumerate(others)))
    await asyncio.gather(*(one.wait() for one in others))
    release.set()


async def test_planning_anew_lets_a_job_that_runs_come_to_its_end(
    started: Callable[..., Schedule], heard: Heard
) -> None:
    begun, release, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await release.wait()
        ended.set()

    schedule = started(Every("train", SOON, work))
    async with asyncio.timeout(30.0):
        await begun.wait()
        schedule.restart()
        release.set()
        await ended.wait()
    assert all(what == "still running" for _job, what in heard.troubles)


async def test_after_planning_anew_jobs_run_on(started: Callable[..., Schedule]) -> None:
    counted = Counted(3)
    schedule = started(Every("score", SOON, counted.work))
    schedule.restart()
    await counted.wait()


async def test_after_a_stop_nothing_runs_and_nothing_is_told(started: Callable[..., Schedule], heard: Heard) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    schedule = started(Every("score", SOON, work))
    async with asyncio.timeout(30.0):
        await begun.wait()
    schedule.stop()
    heard.troubles.clear()
    await asyncio.sleep(0)
    assert heard.troubles == []
