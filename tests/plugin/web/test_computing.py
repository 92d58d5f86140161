"""What pages let compute: one thing at a time."""

import asyncio

import pytest

from tagsight.clocks import SystemClock
from tagsight.errors import NotAllowed
from tagsight.web.computing import Computing
from tagsight.workers import Task, Worker, WorkerFailure
from tests.plugin.worker_tasks import tasks


async def test_a_second_job_is_refused_with_what_runs_and_who_started_it_and_the_first_goes_on() -> None:
    computing = Computing(SystemClock())
    computing._worker = Worker("test", tasks, SystemClock())
    first = asyncio.create_task(computing.run("training of P101/Health", "emil", Task("echo", 3, 60.0)))
    await asyncio.sleep(0)
    assert computing.current is not None
    with pytest.raises(NotAllowed, match="training of P101/Health runs already, started by emil"):
        await computing.run("rehearsal", "ada", Task("echo", 3, 60.0))
    await first
    assert computing.current is None
    await computing._worker.close()


async def test_a_job_that_fails_leaves_room_for_the_next() -> None:
    computing = Computing(SystemClock())
    computing._worker = Worker("test", tasks, SystemClock())
    with pytest.raises(WorkerFailure):
        await computing.run("training", "emil", Task("raise", "no", 60.0))
    assert computing.current is None
    await computing._worker.close()
