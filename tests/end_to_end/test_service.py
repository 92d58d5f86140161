"""The service on a real clock: due times become runs, operators' writes are answered, an orderly stop says so."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagsight.clocks import SECOND, SystemClock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.fitting import compute
from tagsight.heartbeat import HeartbeatFile
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.plan import AlarmPlan, ScorePlan, TrainPlan
from tagsight.scoring_task import StorePlace
from tagsight.service import Service
from tagsight.training import gather
from tagsight.worker_tasks import service_workers
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.serving import ClientWrite
from tests.end_to_end.plant import model_plan, plan, tags, values

HISTORY = 3_000


def _store(now_ns: int) -> MemoryStore:
    """Values once a second: the past, and two minutes of what is still to come."""
    store = MemoryStore("live")
    steps = HISTORY + 120
    times = now_ns // SECOND * SECOND + SECOND * np.arange(1 - HISTORY, steps - HISTORY + 1, dtype=np.int64)
    for tag, series in zip(tags(), values(steps).values(), strict=True):
        store.add(tag)
        store.append(tag.address, times, series)
    return store


async def _until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what the test waits for did not come"
        await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_running_service_scores_explains_answers_operators_and_stops_in_order(tmp_path: Path) -> None:
    clock = SystemClock()
    now = clock.now_ns()
    data = DataFolder(tmp_path / "data")
    data.create()
    model = replace(
        model_plan(),
        train=TrainPlan(start_ns=now - HISTORY * SECOND, end_ns=now, at_most_seconds=30.0),
        score=ScorePlan(every_ns=SECOND, grid_ns=SECOND, window_steps=60, wait_ns=0, late_ns=10 * SECOND),
        alarm=AlarmPlan(on_delay_ns=5 * SECOND, off_delay_ns=5 * SECOND),
    )
    the_plan = plan(model)
    link = Link("default", MemoryHistorian(_store(now)), clock)
    troubles: list[str] = []
    with Ledger.open(data.ledger, clock) as ledger, Inbox.open(data.inbox) as inbox:
        binding, task = await gather(model, link, StorePlace(data.models, data.signing_key), "0" * 64)
        await asyncio.to_thread(compute, task, lambda _share, _words: None)
        ledger.bind(BoundModel(model.key, binding, detail=True))
        service = Service(
            the_plan,
            data,
            {"default": link},
            ledger,
            inbox,
            service_workers(clock),
            clock,
            lambda what, why: troubles.append(f"{what}: {why}"),
        )
        stop = asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        await _until(lambda: ledger.newest_row(model.key, "explanation") is not None)
        inbox.append(ClientWrite(f"{model.key}/Off", 1, "olga", clock.now_ns()))
        await _until(lambda: ledger.operator_state(model.key).off)
        await _until(lambda: _state(ledger, model.key) == 2)
        stop.set()
        await running
        runs = ledger.runs(model.key, 0, clock.now_ns())
        status = HeartbeatFile(data.heartbeat).read()
    assert troubles == []
    dues = [run.due_ns for run in runs]
    assert dues == sorted(set(dues))
    assert all(later - earlier == SECOND for earlier, later in itertools.pairwise(dues))
    assert all(run.score is not None for run in runs)
    assert status is not None
    assert status.heartbeat == 0


def _state(ledger: Ledger, model: str) -> object:
    row = ledger.newest_row(model, "score")
    return {one.output: one.value for one in row.row.values}["State"] if row else None
