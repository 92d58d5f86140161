import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tagsight.clocks import SystemClock
from tagsight.workers import Task, Worker, WorkerFailure
from tests.plugin.worker_tasks import deaf, tasks

LONG = 60.0
SHORT = 0.5


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    made = Worker("test", tasks, SystemClock())
    yield made
    await made.close()


async def test_a_killed_worker_is_replaced_and_the_next_task_succeeds(worker: Worker) -> None:
    first = await worker.run(Task("pid", None, LONG))
    os.kill(first, signal.SIGTERM)
    with pytest.raises(WorkerFailure, match="ended unexpectedly"):
        await worker.run(Task("die", None, LONG))
    second = await worker.run(Task("pid", None, LONG))
    assert second not in {first, os.getpid()}
    assert worker.replaced >= 1


async def test_a_hung_task_ends_by_its_deadline_and_only_its_own(worker: Worker, tmp_path: Path) -> None:
    hung = asyncio.create_task(worker.run(Task("hang", str(tmp_path / "runs"), SHORT)))
    waiting = [asyncio.create_task(worker.run(Task("echo", number, LONG))) for number in range(3)]
    with pytest.raises(WorkerFailure, match=r"took longer than 0\.5 s"):
        await hung
    assert await asyncio.gather(*waiting) == [0, 1, 2]


async def test_a_task_that_reports_progress_without_end_ends_by_its_deadline_too(worker: Worker) -> None:
    with pytest.raises(WorkerFailure, match="took longer than"):
        await worker.run(Task("chatter", None, SHORT))


async def test_a_process_that_takes_no_task_ends_by_the_deadline_however_large_the_task_is() -> None:
    worker = Worker("deaf", deaf, SystemClock())
    with pytest.raises(WorkerFailure, match="took longer than"):
        await worker.run(Task("echo", bytes(10_000_000), SHORT))
    await worker.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be stopped and continued there")
async def test_a_stopped_process_is_replaced_at_the_deadline(worker: Worker) -> None:
    os.kill(await worker.run(Task("pid", None, LONG)), signal.SIGSTOP)
    with pytest.raises(WorkerFailure, match="took longer than"):
        await worker.run(Task("echo", 1, SHORT))
    assert await worker.run(Task("echo", 2, LONG)) == 2


async def test_an_exception_arrives_in_words_with_its_mend_and_the_process_goes_on(worker: Worker) -> None:
    before = await worker.run(Task("pid", None, LONG))
    with pytest.raises(WorkerFailure, match="raise: three is too many") as caught:
        await worker.run(Task("raise", "three is too many", LONG))
    assert caught.value.mend == "Give it another argument."
    assert "worker_tasks.py" in caught.value.detail
    assert await worker.run(Task("pid", None, LONG)) == before


async def test_a_task_that_nobody_knows_is_a_failure(worker: Worker) -> None:
    with pytest.raises(WorkerFailure, match="nothing"):
        await worker.run(Task("nothing", None, LONG))


async def test_progress_arrives_in_order(worker: Worker) -> None:
    heard: list[tuple[float, str]] = []
    assert await worker.run(Task("halves", None, LONG), lambda *said: heard.append(said)) == "done"
    assert heard == [(0.5, "half"), (1.0, "whole")]


async def test_a_task_that_is_given_up_leaves_no_answer_for_the_next_one(worker: Worker, tmp_path: Path) -> None:
    mark = tmp_path / "runs"
    given_up = asyncio.create_task(worker.run(Task("hang", str(mark), LONG)))
    async with asyncio.timeout(LONG):
        while not mark.exists():  # noqa: ASYNC110 - the sign comes from another process
            await asyncio.sleep(0.02)
    given_up.cancel()
    assert await worker.run(Task("echo", "mine", LONG)) == "mine"
    assert given_up.cancelled()


async def test_what_goes_wrong_in_a_worker_stands_in_its_log_with_the_place_where_it_was_not_foreseen(
    tmp_path: Path,
) -> None:
    worker = Worker("scoring", tasks, SystemClock(), logs=tmp_path)
    for task in (Task("raise", "password=h1dden", LONG), Task("nothing", None, LONG)):
        with pytest.raises(WorkerFailure):
            await worker.run(task)
    await worker.close()
    lines = [json.loads(line) for line in (tmp_path / "scoring.log").read_text(encoding="utf-8").splitlines()]
    assert [(line["event"], "exception" in line) for line in lines] == [("raise", False), ("nothing", True)]
    assert "h1dden" not in str(lines)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
async def test_a_worker_leaves_the_end_by_ctrl_c_to_the_service(worker: Worker) -> None:
    before = await worker.run(Task("pid", None, LONG))
    os.kill(before, signal.SIGINT)
    assert await worker.run(Task("pid", None, LONG)) == before
