"""A site for tests of the tick: two pumps in memory, a model that is arithmetic, a worker that is this process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.binding import Binding
from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight.ledger.ledger import Ledger
from tagsight.outputs import EXPLANATION_PART, SCORE_PART
from tagsight.plan import AlarmPlan, Detail, Job, ModelPlan, ScorePlan, TrainPlan
from tagsight.recording import Recorder
from tagsight.results import ExplanationResult, OutputValue, Run
from tagsight.scoring import _scored
from tagsight.scoring_task import ModelFacts, ScoredRun, StorePlace
from tagsight.tick import Participant, Ticker, TickOutcome
from tagsight.workers import Task, WorkerFailure
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.tag import Range, Tag
from tagsight_models.card import ModelCard
from tagsight_models.frame import Floats, Role
from tagsight_models.gates import GateLimits, RoleLimits
from tagsight_models.model_store import Loaded
from tagsight_models.scoring_model import Expectation

MINUTE = 60 * SECOND
START = 1_760_000_040 * SECOND // MINUTE * MINUTE
ROLES = ("Flow", "Pressure")
NORMAL = 50.0
BAND = 10.0
UNLEARNED = RoleLimits(max_gap_ns=3 * MINUTE)
LEARNED = RoleLimits(max_gap_ns=3 * MINUTE, flat_steps=10, spike=20.0)
"""What a training would have found in `normal_values`: no jump is larger, and nothing ever stands still."""


class Arithmetic:
    """Scores by how far the last values are from normal: 1.0 where they are off by a band together."""

    def score(self, windows: Floats) -> Floats:
        """Shape (windows,)."""
        return np.asarray(np.abs(windows[:, -1, :] - NORMAL).sum(axis=1) / BAND, dtype=np.float64)

    def results(self, windows: Floats) -> list[dict[str, float | str]]:
        """Nothing beside the score."""
        return [{} for _ in windows]

    def expectation(self, windows: Floats) -> Expectation:
        """Normal, with its band."""
        middle = np.full_like(windows[:, -1, :], NORMAL)
        return Expectation(middle, middle - BAND, middle + BAND)


@dataclass
class OwnProcess:
    """Answers as `tagsight.workers.Worker` does, without a process; fails for the models in `failing`."""

    failing: set[str] = field(default_factory=set)
    trial: bool = False
    explained: int = 0
    limits: RoleLimits = UNLEARNED

    async def run(self, task: Task, _progress: Callable[[float, str], None] = lambda _f, _t: None) -> Any:
        """The task's result."""
        if task.name == "explain":
            return self._explain(task.argument)
        if task.name == "facts":
            return [ModelFacts(name, 1, card(trial=self.trial, limits=self.limits)) for name in task.argument[1]]
        _place, tasks = task.argument
        names = {one.plan.key for one in tasks}
        if names & self.failing:
            raise WorkerFailure(task.name, "its process ended unexpectedly and was replaced")
        return [_scored(one, self._loaded()) for one in tasks]

    async def close(self) -> None:
        """Nothing to end."""

    def _explain(self, argument: Any) -> list[Run]:
        _place, model, runs, _settings = argument
        if model in self.failing:
            raise WorkerFailure("explain", "took longer than 2 s; its process was replaced")
        self.explained += len(runs)
        return [replace(one.run, explanation=_shares(one)) for one in runs]

    def _loaded(self) -> Loaded:
        return Loaded(Arithmetic(), card(trial=self.trial, limits=self.limits), 1)  # type: ignore[arg-type]


def _shares(one: ScoredRun) -> ExplanationResult:
    parts = {role.role: abs(role.actual - role.expected) / BAND for role in one.run.roles}
    return ExplanationResult(0.0, parts, dict.fromkeys(parts, 0.0))


def card(*, trial: bool = False, limits: RoleLimits = UNLEARNED) -> ModelCard:
    """Of a model of two roles, grid and interval one minute, window ten steps; the limits are those of each role."""
    return ModelCard(
        job="health",
        roles=tuple(Role(role) for role in ROLES),
        dropped={},
        grid_ns=MINUTE,
        window_steps=10,
        start_ns=0,
        end_ns=START,
        used_steps=1_000,
        counts={},
        limit_start_ns=0,
        limit_end_ns=START,
        limit={},
        budget={},
        provisional="",
        comparison={},
        trial=trial,
        metrics={},
        seconds=0.0,
        stopped_by_time=False,
        seed=0,
        data_hash="",
        plan_hash="",
        versions={},
        cannot_see=(),
        gates=GateLimits(dict.fromkeys(ROLES, limits)).to_json(),
    )


def plan_of(asset: str, **changes: Any) -> ModelPlan:
    """Health of one pump."""
    fields: dict[str, Any] = {
        "train": TrainPlan(),
        "score": ScorePlan(every_ns=MINUTE, grid_ns=MINUTE, window_steps=10, wait_ns=0),
        "alarm": AlarmPlan(on_delay_ns=2 * MINUTE, off_delay_ns=2 * MINUTE),
        "outputs": Detail.DETAIL,
        **changes,
    }
    return ModelPlan(asset, "Health", Job.HEALTH, "default", (f"{asset}/*",), **fields)


def participant(
    plan: ModelPlan, addresses: dict[str, str] | None = None, limits: RoleLimits = UNLEARNED
) -> Participant:
    """Bound to the tags `<asset>/<role>`."""
    named = addresses or {role: f"{plan.asset}/{role}" for role in ROLES}
    binding = Binding(tuple(Role(role, unit="bar") for role in ROLES), named, {}, {})
    return Participant.of(plan, binding, ModelFacts(plan.key, 1, card(limits=limits)))


def normal_values(asset: str, role: str, steps: int) -> Floats:
    """Always the same for the same tag."""
    seed = sum(map(ord, f"{asset}/{role}"))
    return np.asarray(np.random.default_rng(seed).normal(NORMAL, 1.0, steps), dtype=np.float64)


@dataclass
class Site:
    """Everything round a ticker. Time stands at START until `minutes` lets it pass."""

    folder: Path
    assets: Sequence[str] = ("P101", "P102")
    stored: bool = True
    limits: RoleLimits = UNLEARNED
    clock: SetClock = field(default_factory=lambda: SetClock(START))
    worker: OwnProcess = field(default_factory=OwnProcess)
    troubles: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = MemoryStore("site", now_ns=lambda: START + round(self.clock.elapsed * SECOND))
        self.link = Link("default", MemoryHistorian(self.store), self.clock, jitter=lambda: 0.0)
        self.worker.limits = self.limits
        self.participants = [participant(plan_of(asset), limits=self.limits) for asset in self.assets]
        for address in (f"{asset}/{role}" for asset in self.assets for role in ROLES):
            self.store.add(Tag(address, address, unit="bar", eu_range=Range(0.0, 100.0)))
            if self.stored:
                times, values = self.samples(address)
                self.store.append(address, times, values)
        self.ledger = Ledger.open(self.folder / "ledger.sqlite", self.clock)
        recorder = Recorder(self.ledger, ZoneInfo("UTC"))
        place = StorePlace(self.folder, self.folder)
        self.ticker = Ticker(
            self.link,
            self.worker,  # type: ignore[arg-type]
            place,
            self.ledger,
            recorder,
            {},
            lambda what, why: self.troubles.append((what, why)),
        )

    @staticmethod
    def samples(address: str, steps: int = 240) -> tuple[Any, Floats]:
        """Good values, one a minute, from an hour before START."""
        times = START + MINUTE * np.arange(-60, steps - 60, dtype=np.int64)
        return times, normal_values(*address.split("/"), steps)

    async def tick(self) -> TickOutcome:
        """Tick, then catch up until nothing is left."""
        outcome = await self.ticker.tick(self.participants)
        while outcome.more:
            outcome = await self.ticker.catch_up(self.participants)
        return outcome

    async def minutes(self, count: int, before: Callable[[int], object] = lambda _minute: None) -> None:
        """Let time pass, one tick a minute; `before(minute)` is called before each."""
        for minute in range(1, count + 1):
            self.clock.advance(60.0)
            before(minute)
            await self.tick()

    def runs(self, asset: str = "P101") -> list[Run]:
        """Of the model of one pump."""
        return list(self.ledger.runs(f"{asset}/Health", 0, START + 10_000 * MINUTE))

    def dues(self, asset: str = "P101") -> list[int]:
        """Due times of the runs, in minutes after START."""
        return [(run.due_ns - START) // MINUTE for run in self.runs(asset)]

    def outputs(self, asset: str = "P101") -> dict[str, OutputValue]:
        """The newest outputs, by name."""
        rows = [self.ledger.newest_row(f"{asset}/Health", part) for part in (SCORE_PART, EXPLANATION_PART)]
        return {value.output: value for row in rows if row is not None for value in row.row.values}
