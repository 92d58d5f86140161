"""Work that ends by itself."""

import asyncio

import pytest

from tagsight.in_progress import InProgress


async def test_idle_waits_for_all_that_goes_on() -> None:
    work = InProgress()
    with work.begun() as first, work.begun() as second:
        assert (first, second) == (True, True)
        waiting = asyncio.create_task(work.idle())
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5.0)


async def test_what_is_shut_begins_nothing_and_ends_what_goes_on() -> None:
    work = InProgress()
    with work.begun():
        work.shut()
        with work.begun() as may:
            assert not may
        waiting = asyncio.create_task(work.idle())
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5.0)


async def test_work_that_fails_has_ended_too() -> None:
    work = InProgress()
    with pytest.raises(ZeroDivisionError), work.begun():
        _ = 1 / 0
    await asyncio.wait_for(work.idle(), 5.0)
