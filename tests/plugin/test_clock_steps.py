"""This machine's clock steps while the service runs: ticks are planned anew, nothing is lost or scored twice.

The clock that steps is the injected one and the one that APScheduler reads; real time goes on, as on a machine whose
administrator sets the clock.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tagsight.clocks import SECOND, ClockWatch, SetClock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.plan import HistorianPlan, Plan, ResultsPlan, ScorePlan
from tagsight.scoring import _scored
from tagsight.scoring_task import ModelFacts
from tagsight.service import Service
from tagsight.workers import Task, Workers
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.tag import Range, Tag
from tagsight_models.card import ModelCard
from tagsight_models.model_store import Loaded
from tests.plugin.small_site import NORMAL, ROLES, Arithmetic, OwnProcess, card, participant, plan_of

HOUR = 3_600.0
DAY = 24 * HOUR
EVERY = SECOND // 5
BEFORE, AFTER = 200, 300
"""Values of each tag, in scoring intervals."""


@dataclass
class SteppedClock:
    """The clocks of this machine, and what an administrator did to one of them."""

    stepped_ns: int = 0

    def now_ns(self) -> int:
        """UTC, ns since 1970."""
        return time.time_ns() + self.stepped_ns

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()

    def step(self, seconds: float) -> None:
        """Set the wall clock."""
        self.stepped_ns += round(seconds * SECOND)


def _fast_card() -> ModelCard:
    return replace(card(), grid_ns=EVERY)


@dataclass
class FastProcess(OwnProcess):
    """The model of the small site on the grid of the fast interval."""

    async def run(self, task: Task, _progress: Callable[[float, str], None] = lambda _f, _t: None) -> Any:
        """The task's result."""
        if task.name == "facts":
            return [ModelFacts(name, 1, _fast_card()) for name in task.argument[1]]
        if task.name == "score":
            loaded = Loaded(Arithmetic(), _fast_card(), 1)  # type: ignore[arg-type]
            return [_scored(one, loaded) for one in task.argument[1]]
        return await super().run(task)


@dataclass
class Machine:
    """A service that scores one pump five times a second, on a machine whose clock can be set."""

    folder: Path
    clock: SteppedClock = field(default_factory=SteppedClock)
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        store = MemoryStore("plant", now_ns=time.time_ns)
        now = time.time_ns() // EVERY * EVERY
        times = now + EVERY * np.arange(-BEFORE, AFTER, dtype=np.int64)
        for role in ROLES:
            store.add(Tag(f"P101/{role}", f"P101/{role}", unit="bar", eu_range=Range(0.0, 100.0)))
            store.append(f"P101/{role}", times, NORMAL + np.sin(np.arange(len(times))))
        self.model = plan_of("P101", score=ScorePlan(every_ns=EVERY, grid_ns=EVERY, window_steps=10, wait_ns=0))
        plan = Plan(
            ZoneInfo("UTC"),
            {"default": HistorianPlan("default", "memory://plant")},
            {"default": ResultsPlan()},
            (self.model,),
        )
        data = DataFolder(self.folder)
        data.create()
        self.ledger, self.inbox = Ledger.open(data.ledger, self.clock), Inbox.open(data.inbox)
        self.ledger.bind(BoundModel(self.model.key, participant(self.model).binding, detail=False))
        process: Any = FastProcess()
        self.service = Service(
            plan,
            data,
            {"default": Link("default", MemoryHistorian(store), self.clock)},
            self.ledger,
            self.inbox,
            Workers(process, process, process),
            self.clock,
            lambda what, why: self.troubles.append(f"{what}: {why}"),
        )

    def dues(self) -> list[int]:
        """Of all runs, in intervals."""
        return [run.due_ns // EVERY for run in self.ledger.runs(self.model.key, 0, 2**62)]

    async def more_runs(self, count: int) -> None:
        """Wait until so many more due times were scored."""
        wanted = len(self.dues()) + count
        async with asyncio.timeout(20.0):
            while len(self.dues()) < wanted:  # noqa: ASYNC110 - what the service did is seen in its ledger
                await asyncio.sleep(0.02)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = Machine(tmp_path)

    class Wall(datetime):
        """What APScheduler takes for the time of day."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(made.clock.now_ns() / SECOND, tz=tz or UTC)

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Wall)
    monkeypatch.setattr("tagsight.service.WATCH_S", 0.05)  # only so that the test is short
    yield made
    made.ledger.close()
    made.inbox.close()


async def test_after_a_step_of_the_clock_every_due_time_is_scored_and_none_twice(machine: Machine) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(machine.service.run(stop))
    await machine.more_runs(2)
    steps = (-HOUR, HOUR, -DAY, DAY, HOUR)
    for step in steps:
        machine.clock.step(step)
        await machine.more_runs(3)
    stop.set()
    await running
    dues = machine.dues()
    assert {later - earlier for earlier, later in itertools.pairwise(dues)} == {1}
    assert not any(run.revised for run in machine.ledger.runs(machine.model.key, 0, 2**62))
    assert machine.ledger.counters().missed == 0
    told = [float(one.split(" by ")[1].split(" s;")[0]) for one in machine.troubles if "planned anew" in one]
    assert told == [pytest.approx(step, abs=2.0) for step in steps]


@pytest.mark.parametrize("step", [-DAY, -HOUR, -2.1, 2.1, HOUR, DAY])
def test_a_step_of_the_wall_clock_is_noticed_once(step: float) -> None:
    clock = SetClock(10**18)
    watch = ClockWatch(clock)
    clock.advance(1.0)
    assert watch.stepped() == 0.0
    clock.advance(1.0)
    clock.step(step)
    assert watch.stepped() == pytest.approx(step)
    clock.advance(1.0)
    assert watch.stepped() == 0.0


@pytest.mark.parametrize("slew", [-1.9, 1.9])
def test_a_clock_that_is_slewed_has_not_stepped(slew: float) -> None:
    clock = SetClock(10**18)
    watch = ClockWatch(clock)
    for _ in range(100):
        clock.advance(1.0)
        clock.step(slew)
        assert watch.stepped() == 0.0
