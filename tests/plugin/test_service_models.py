"""What the service makes of its models: damaged files, trainings, housekeeping, and what it says of itself."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, RetentionStep, TickRecord
from tagsight.outputs import SCORE_PART
from tagsight.plan import HistorianPlan, Plan, ResultsPlan
from tagsight.results import OutputRow, OutputValue, State
from tagsight.schedule import Calendar
from tagsight.scoring import Scorer
from tagsight.scoring_task import StorePlace
from tagsight.service import Service
from tagsight.training import TrainFailure, TrainOutcome, TrainTask
from tagsight.workers import Task, WorkerFailure, Workers
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.quality import GOOD, Quality, quality_of
from tagsight_connectors.tag import Range, Tag
from tagsight_models.jobs import train
from tagsight_models.model_store import ModelStore
from tagsight_models.trained import Trained
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import frame_of, linear_plant
from tests.plugin.small_site import MINUTE, ROLES, START, Site, card, participant, plan_of

MODEL = replace(plan_of("P101"), train=replace(plan_of("P101").train, last_ns=3_600 * SECOND, every={"hour": "3"}))


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train("health", TrainingData(frame_of(linear_plant(900))), TrainingSettings(), gates=card().gates)


@dataclass
class Computing:
    """The workers' tasks in this process: loading is real, training answers what the test says."""

    place: StorePlace
    outcome: TrainOutcome | WorkerFailure | list[TrainOutcome | TrainFailure] | None = None
    tasks: list[Task] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scorer = Scorer(self.place)

    async def run(self, task: Task, _progress: Callable[[float, str], None] = lambda _f, _t: None) -> Any:
        """The task's result."""
        self.tasks.append(task)
        if task.name == "facts":
            return self.scorer.facts(task.argument[1])
        if isinstance(self.outcome, WorkerFailure):
            raise self.outcome
        return self.outcome

    async def close(self) -> None:
        """Nothing to end."""


@dataclass
class Serving:
    """A service with one model on a historian in memory."""

    folder: Path
    clock: SetClock = field(default_factory=lambda: SetClock(START))
    troubles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    language: str = "en"

    def __post_init__(self) -> None:
        self.data = DataFolder(self.folder)
        self.data.create()
        self.store = MemoryStore("plant", now_ns=self.clock.now_ns)
        for role in ROLES:
            self.store.add(Tag(f"P101/{role}", f"P101/{role}", unit="bar", eu_range=Range(0.0, 100.0)))
            self.store.append(f"P101/{role}", *Site.samples(f"P101/{role}"))
        self.ledger, self.inbox = Ledger.open(self.data.ledger, self.clock), Inbox.open(self.data.inbox)
        self.models = ModelStore(self.data.models, self.data.signing_key)
        self.computing = Computing(StorePlace(self.data.models, self.data.signing_key))
        workers: Any = Workers(self.computing, self.computing, self.computing)  # type: ignore[arg-type]
        plan = Plan(
            ZoneInfo("UTC"),
            {"default": HistorianPlan("default", "memory://p")},
            {"default": ResultsPlan()},
            (MODEL,),
            language=self.language,
        )
        self.link = Link("default", MemoryHistorian(self.store), self.clock)
        self.service = Service(
            plan,
            self.data,
            {"default": self.link},
            self.ledger,
            self.inbox,
            workers,
            self.clock,
            lambda what, why: self.troubles.append(f"{what}: {why}"),
            lambda what, why: self.notes.append(f"{what}: {why}"),
        )

    def bind(self) -> None:
        """As a training does it."""
        self.ledger.bind(BoundModel(MODEL.key, participant(MODEL).binding, detail=True))

    def approve(self, trained: Trained) -> Path:
        """A further version that runs; its folder."""
        version = self.models.add(MODEL.key, trained.model, trained.card)
        self.models.approve(MODEL.key, version, "olga")
        return self.models.folder(MODEL.key) / str(version)

    def audited(self, what: str) -> list[str]:
        """Entries of one kind."""
        return [one.detail for one in self.ledger.audit_entries() if one.what == what]

    def shown(self) -> dict[str, OutputValue]:
        """The newest score row."""
        row = self.ledger.newest_row(MODEL.key, SCORE_PART)
        return {one.output: one for one in row.row.values} if row else {}


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    made = Serving(tmp_path)
    yield made
    made.ledger.close()
    made.inbox.close()


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


async def test_sentences_have_the_language_of_the_plan_and_the_descriptions_of_the_historian(
    tmp_path: Path, trained: Trained
) -> None:
    serving = Serving(tmp_path, language="de")
    with closing(serving.ledger), closing(serving.inbox):
        binding = replace(participant(MODEL).binding, descriptions={"Flow": "Durchfluss"})
        serving.ledger.bind(BoundModel(MODEL.key, binding))
        serving.approve(trained)
        await serving.service.refresh()
        recorder = serving.service._tickers["default"].recorder
        assert recorder.language == "de"
        assert recorder.descriptions[MODEL.key] == {"Flow": "Durchfluss"}


async def test_a_damaged_version_is_audited_once_and_the_one_before_it_runs_on(
    serving: Serving, trained: Trained
) -> None:
    serving.bind()
    serving.approve(trained)
    newest = serving.approve(trained)
    await serving.service.refresh()
    assert serving.service.participants[MODEL.key].facts.version == 2
    _flip(newest / "weights.safetensors")
    for _minute in range(5):
        serving.clock.advance(60.0)
        await serving.service._housekeeping()
    assert serving.service.participants[MODEL.key].facts.version == 1
    assert len(serving.audited("model refused")) == 1
    assert "P101/Health" in serving.audited("model refused")[0]
    assert len(serving.troubles) == 1


async def test_a_model_of_which_no_version_loads_looks_bad_and_not_as_it_was_last(
    serving: Serving, trained: Trained
) -> None:
    serving.bind()
    only = serving.approve(trained)
    await serving.service.refresh()
    values = (OutputValue("Score", 0.2, GOOD), OutputValue("State", 0, GOOD))
    serving.ledger.record(TickRecord(rows=[OutputRow(MODEL.key, START, SCORE_PART, values)]))
    _flip(only / "weights.safetensors")
    serving.clock.advance(120.0)
    for _minute in range(3):
        await serving.service._housekeeping()
    assert serving.service.participants == {}
    assert quality_of(serving.shown()["Score"].status) is Quality.BAD
    assert "not loaded" in str(serving.shown()["Reason"].value)
    assert len(serving.audited("model refused")) == len(serving.troubles) == 1
    serving.approve(trained)
    await serving.service.refresh()
    assert serving.service.participants[MODEL.key].facts.version == 2


async def test_a_model_that_was_never_trained_is_no_trouble(serving: Serving) -> None:
    serving.bind()
    await serving.service._housekeeping()
    assert (serving.service.participants, serving.troubles, serving.shown()) == ({}, [], {})


async def test_a_facts_task_that_fails_leaves_the_models_that_are_known(serving: Serving) -> None:
    serving.bind()
    known = participant(MODEL)
    serving.service.participants = {MODEL.key: known}

    async def fails(_task: Task) -> Any:
        raise WorkerFailure("facts", "took longer than 120 s; its process was replaced")

    serving.computing.run = fails  # type: ignore[method-assign, assignment]
    await serving.service.refresh()
    assert serving.service.participants == {MODEL.key: known}
    assert "took longer" in serving.troubles[0]


async def test_a_training_by_the_calendar_binds_audits_and_takes_the_new_version_in(
    serving: Serving, trained: Trained
) -> None:
    (job,) = [one for one in serving.service._jobs() if isinstance(one, Calendar)]
    assert (job.name, job.fields) == ("train P101/Health", {"hour": "3"})
    serving.approve(trained)
    serving.computing.outcome = TrainOutcome(MODEL.key, 1, approved=True, trial=False, words="")
    await job.work()
    (task,) = [one for one in serving.computing.tasks if one.name == "train"]
    assert isinstance(task.argument, TrainTask)
    assert {role: len(values) for role, values in task.argument.history.items()} == {"Flow": 60, "Pressure": 60}
    assert serving.audited("trained") == ["P101/Health version 1, approved True"]
    assert serving.notes == ["trained: P101/Health version 1, approved True"]
    bound = serving.ledger.binding(MODEL.key)
    assert bound is not None
    assert bound.binding is not None
    assert serving.service.participants[MODEL.key].facts.version == 1


async def test_models_that_are_alike_are_one_task_and_one_that_fails_is_told(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [replace(MODEL, name=name) for name in ("Health", "Second", "Third")]
    monkeypatch.setattr(serving.service, "plan", replace(serving.service.plan, models=tuple(models)))
    (job,) = [one for one in serving.service._jobs() if isinstance(one, Calendar)]
    assert job.name == "train P101/Health and 2 like it"
    done = [TrainOutcome(model.key, 1, approved=True, trial=False, words="") for model in models]
    serving.computing.outcome = [done[0], TrainFailure(models[1].key, "too little data"), done[2]]
    await job.work()
    (task,) = [one for one in serving.computing.tasks if one.name == "train together"]
    assert [one.plan.key for one in task.argument] == [model.key for model in models]
    assert serving.audited("trained") == [f"P101/{name} version 1, approved True" for name in ("Health", "Third")]
    assert serving.troubles == ["training P101/Second: too little data"]
    assert serving.ledger.binding("P101/Third") is not None


async def test_a_worker_that_fails_with_several_models_is_asked_for_one_by_one(serving: Serving) -> None:
    models = [replace(MODEL, name=name) for name in ("Health", "Second")]
    serving.computing.outcome = WorkerFailure("train", "out of memory")
    assert await serving.service.train_together(models) == []
    assert [one.name for one in serving.computing.tasks] == ["train together", "train", "train"]
    assert [one.split(":")[0] for one in serving.troubles] == ["training P101/Health", "training P101/Second"]


@pytest.mark.parametrize("what", ["worker", "historian", "tags"])
async def test_a_training_that_cannot_be_done_is_told_and_changes_nothing(serving: Serving, what: str) -> None:
    words = {"worker": "out of memory", "historian": "does not answer", "tags": "no tag has history"}
    serving.computing.outcome = WorkerFailure("train", "out of memory")
    serving.store.faults.down = what == "historian"
    if what == "tags":
        serving.clock.advance(400 * 86_400.0)
    assert await serving.service.train(MODEL) is None
    assert len(serving.troubles) == 1
    assert serving.troubles[0].startswith("training P101/Health: ")
    assert words[what] in serving.troubles[0]
    assert serving.ledger.binding(MODEL.key) is None
    assert serving.audited("trained") == []


async def test_deliveries_that_are_given_up_for_room_are_told_also_in_the_last_step(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = iter([RetentionStep(10, 3, more=True), RetentionStep(10, 4, more=False)])
    monkeypatch.setattr(serving.ledger, "retain", lambda _limits: next(steps))
    await serving.service._housekeeping()
    assert [one.split(" ")[1] for one in serving.troubles] == ["3", "4"]
    assert list(steps) == []


def _beat(serving: Serving) -> Any:
    serving.service.state.beat()
    status = serving.service.state.status
    assert status is not None
    assert serving.service.state.file.read() == status
    return status


async def _nothing(_historian: object) -> None:
    """Only connect."""


async def test_alarms_of_the_last_day_are_counted_and_older_ones_are_not(serving: Serving) -> None:
    alarms = [Activation(MODEL.key, START + hour * 60 * MINUTE, START + hour * 60 * MINUTE) for hour in range(10)]
    serving.ledger.record(TickRecord(activations=alarms))
    serving.clock.advance(12 * 3_600.0)
    assert _beat(serving).alarms_per_day == 10
    serving.clock.advance(16 * 3_600.0 + 1)
    assert _beat(serving).alarms_per_day == 5


async def test_what_was_missed_given_up_or_waits_stands_in_the_heartbeat(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = OutputRow(MODEL.key, START, SCORE_PART, (OutputValue("Score", 0.2, GOOD),))
    serving.ledger.record(TickRecord(rows=[row], destinations={MODEL.key: "write:default"}, missed=7))
    assert (_beat(serving).missed, _beat(serving).buffered, _beat(serving).not_recovered) == (7, 1, 0)
    counters = replace(serving.ledger.counters(), not_recovered=5)
    monkeypatch.setattr(serving.ledger, "counters", lambda: counters)
    assert _beat(serving).not_recovered == 5


async def test_a_historian_that_is_down_is_a_failure_and_one_whose_clock_is_off_is_out_of_specification(
    serving: Serving,
) -> None:
    before = _beat(serving)
    assert (before.state, "not connected yet" in before.message) == (State.FAILURE, True)
    await serving.link.use(_nothing)
    assert (_beat(serving).state, _beat(serving).message) == (State.NORMAL, "")
    serving.clock.step(3_600.0)
    doubted = _beat(serving)
    assert doubted.state == State.OUT_OF_SPECIFICATION
    assert "default: the historian's clock is 60 min behind" in doubted.message


async def test_the_heartbeat_counts_up_and_an_orderly_stop_is_0(serving: Serving) -> None:
    assert [_beat(serving).heartbeat for _ in range(3)] == [1, 2, 3]
    serving.service.state.stop()
    assert serving.service.state.status is not None
    assert serving.service.state.status.heartbeat == 0
