"""What one historian, or one loop of the service, cannot do to the others. The running service: tests/end_to_end."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.fence import checked_targets, list_digest
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, DeliveryState, TickRecord
from tagsight.outputs import operator_row
from tagsight.plan import Destination, HistorianPlan, ModelPlan, Plan, ReportPlan, ResultsPlan
from tagsight.results import OutputRow, OutputValue, State
from tagsight.schedule import Calendar, Every
from tagsight.service import Service, destinations_of
from tagsight.workers import Workers
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.quality import Quality, quality_of
from tagsight_connectors.tag import Access, Tag
from tagsight_models.card import ModelCard
from tests.plugin.small_site import MINUTE, START, OwnProcess, participant, plan_of

PATTERN = "Results/{asset}/{model}/{output}"
MODELS = {
    "first": replace(plan_of("P101"), historian="first"),
    "second": replace(plan_of("P102"), historian="second"),
}


@dataclass
class Two:
    """A service on two historians that take results as writes."""

    folder: Path
    clock: SetClock = field(default_factory=lambda: SetClock(START))
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = Plan(
            ZoneInfo("UTC"),
            {name: HistorianPlan(name, f"memory://{name}") for name in MODELS},
            {name: ResultsPlan(Destination.WRITE, PATTERN, "Results") for name in MODELS},
            tuple(MODELS.values()),
        )
        data = DataFolder(self.folder)
        data.create()
        self.ledger, self.inbox = Ledger.open(data.ledger, self.clock), Inbox.open(data.inbox)
        self.stores = {name: MemoryStore(name) for name in MODELS}
        links = {}
        for name, model in MODELS.items():
            binding = participant(model).binding
            self.ledger.bind(BoundModel(model.key, binding, detail=False))
            targets = checked_targets(plan, name, {model.key: binding.roles}, binding.all_addresses)
            addresses = [target.address for target in targets]
            self.ledger.accept_targets(name, list_digest(name, targets), addresses, "olga")
            for target in targets:
                kind, access = target.tag.data_type, Access.READ | Access.WRITE
                self.stores[name].add(Tag(target.address, target.address, data_type=kind, access=access))
            links[name] = Link(name, MemoryHistorian(self.stores[name], accepted=frozenset(addresses)), self.clock)
        self.service = Service(
            plan,
            data,
            links,
            self.ledger,
            self.inbox,
            Workers(OwnProcess(), OwnProcess(), OwnProcess()),  # type: ignore[arg-type]
            self.clock,
            lambda what, why: self.troubles.append(f"{what}: {why}"),
        )
        rows = [operator_row(model.key, START, off=False, feedback_count=1) for model in MODELS.values()]
        self.ledger.record(TickRecord(rows=rows, destinations=destinations_of(plan)))

    async def deliver(self) -> None:
        """To both, as the service does it."""
        for name in MODELS:
            with suppress(HistorianError):
                await self.service._outbox.deliver(name)

    def pending(self, name: str) -> int:
        """Deliveries that a historian has not confirmed."""
        return self.ledger.deliveries_in(DeliveryState.PENDING, f"write:{name}")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    made = Two(tmp_path)
    yield made
    made.ledger.close()
    made.inbox.close()


async def test_a_historian_that_is_down_does_not_keep_another_ones_results(two: Two) -> None:
    two.stores["first"].faults.down = True
    await two.deliver()
    assert (two.pending("first"), two.pending("second")) == (1, 0)
    two.stores["first"].faults.down = False
    two.clock.advance(31.0)
    await two.deliver()
    assert two.pending("first") == 0


async def test_a_historian_that_never_answers_holds_up_its_own_loops_alone(two: Two) -> None:
    silent = asyncio.Event()
    two.stores["first"].faults.answer_when = silent.wait
    stop = asyncio.Event()
    running = asyncio.create_task(two.service.run(stop))
    await _until(lambda: not two.pending("second") and bool(_heartbeats(two, "second")))
    assert two.pending("first") == 1
    assert two.service.state.status is not None
    assert two.service.state.status.state == State.FAILURE
    assert "first" in two.service.state.status.message
    silent.set()
    stop.set()
    await running


async def _until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(30.0):
        while not done():  # noqa: ASYNC110 - what the loops of a service have done is seen by looking
            await asyncio.sleep(0.01)


def _heartbeats(two: Two, name: str) -> list[float]:
    return two.stores[name].history("Results/TagSight/Plugin/Heartbeat").values.tolist()


async def test_an_orderly_stop_leaves_heartbeat_0_and_every_result_bad_in_the_historian(two: Two) -> None:
    model = MODELS["second"].key
    score = OutputRow(model, START, "score", (OutputValue("Score", 0.3, 0), OutputValue("Reason", "", 0)))
    two.ledger.record(TickRecord(rows=[score], destinations={model: "write:second"}))
    stop = asyncio.Event()
    running = asyncio.create_task(two.service.run(stop))
    await _until(lambda: not two.pending("second") and bool(_heartbeats(two, "second")))
    two.clock.advance(60.0)
    stop.set()
    await running
    assert _heartbeats(two, "second")[-1] == 0.0
    written = two.stores["second"].history(f"Results/{model}/Score")
    assert (written.values.tolist(), quality_of(int(written.status[-1]))) == ([0.3, 0.3], Quality.BAD)
    assert two.stores["second"].history(f"Results/{model}/Reason").values[-1] == "TagSight stopped"


async def test_a_historian_that_refuses_source_times_gets_the_newest_results_only_and_that_is_told_once(
    two: Two,
) -> None:
    two.stores["first"].faults.no_source_times = True
    await two.deliver()
    model = MODELS["first"].key
    for minute in (1, 2, 3):
        row = operator_row(model, START + minute * MINUTE, off=False, feedback_count=1 + minute)
        two.ledger.record(TickRecord(rows=[row], destinations={model: "write:first"}))
    await two.deliver()
    assert two.pending("first") == 0
    assert two.ledger.counters().not_recovered == 2
    assert sum("refuses source times" in trouble for trouble in two.troubles) == 1
    assert any("2 results of the past" in trouble for trouble in two.troubles)


async def test_a_model_is_asked_for_by_one_job_alone_even_where_its_grid_is_coarser(two: Two) -> None:
    one = participant(MODELS["first"])
    two.service.participants = {one.plan.key: replace(one, facts=replace(one.facts, card=_coarse(one.facts.card)))}
    asking = [job.every_ns for job in _ticks(two) if two.service._of_interval("first", job.every_ns)]
    assert asking == [MINUTE]


async def test_a_tick_waits_for_a_historian_whose_clock_is_behind(two: Two) -> None:
    for name, behind_s in (("first", 7), ("second", -40)):
        two.stores[name].now_ns = lambda behind_s=behind_s: two.clock.now_ns() - behind_s * SECOND  # type: ignore[misc]
    await two.deliver()
    assert two.service._behind_s("first", MINUTE) == pytest.approx(7.0)
    assert two.service._behind_s("first", 10 * SECOND) == pytest.approx(5.0)
    assert two.service._behind_s("second", MINUTE) == 0.0


async def test_an_alarm_is_noted_in_the_log_when_it_is_announced_and_when_it_clears(two: Two) -> None:
    noted: list[str] = []
    two.service.note = lambda what, message: noted.append(f"{what}: {message}")
    announced = Activation("P101/Health", START, START + MINUTE)
    two.service._note_alarms([announced, replace(announced, cleared_ns=START + 9 * MINUTE)])
    assert [line.split(",")[0] for line in noted] == ["alarm: P101/Health", "alarm cleared: P101/Health"]


def _ticks(two: Two) -> list[Every]:
    return [job for job in two.service._jobs() if isinstance(job, Every) and job.name.startswith("score ")]


def test_a_tick_comes_after_its_due_time_and_wait_by_more_than_a_clock_is_uncertain(two: Two) -> None:
    one = participant(MODELS["first"])
    two.service.participants = {one.plan.key: one}
    assert [0.1 * SECOND < job.offset_ns < 2 * SECOND for job in _ticks(two)] == [True]


def test_a_model_whose_values_take_long_to_arrive_is_scored_later_and_does_not_delay_the_others(two: Two) -> None:
    quick, slow = (replace(participant(model), plan=_patient(model)) for model in MODELS.values())
    slow = replace(slow, binding=replace(slow.binding, wait_ns=25 * SECOND))
    two.service.participants = {one.plan.key: one for one in (quick, slow)}
    assert [job.offset_ns // SECOND for job in _ticks(two)] == [5, 25]
    set_by_hand = replace(slow, plan=replace(slow.plan, score=replace(slow.plan.score, wait_ns=7 * SECOND)))
    assert (quick.rhythm.wait_ns, slow.rhythm.wait_ns, set_by_hand.rhythm.wait_ns) == (
        5 * SECOND,
        25 * SECOND,
        7 * SECOND,
    )


def _patient(model: ModelPlan) -> ModelPlan:
    """Without a wait that was set."""
    return replace(model, score=replace(model.score, wait_ns=None))


def _coarse(card: ModelCard) -> ModelCard:
    return replace(card, grid_ns=5 * MINUTE)


async def test_a_service_that_hands_over_leaves_heartbeat_and_results_as_they_are(two: Two) -> None:
    model = MODELS["second"].key
    score = OutputRow(model, START, "score", (OutputValue("Score", 0.3, 0), OutputValue("Reason", "", 0)))
    two.ledger.record(TickRecord(rows=[score], destinations={model: "write:second"}))
    successor = asyncio.Event()
    running = asyncio.create_task(two.service.run(asyncio.Event(), successor))
    await _until(lambda: not two.pending("second") and bool(_heartbeats(two, "second")))
    successor.set()
    assert await asyncio.wait_for(running, 30.0) is True
    assert _heartbeats(two, "second")[-1] > 0.0
    assert two.stores["second"].history(f"Results/{model}/Score").values.tolist() == [0.3]
    assert all(link.connected for link in two.service.links.values())
    before = two.service.state.status
    assert before is not None
    after = Service(
        two.service.plan, two.service.data, two.service.links, two.ledger, two.inbox, two.service.workers, two.clock,
        lambda _what, _why: None,
    )  # fmt: skip
    after.state.beat()
    assert after.state.status is not None
    assert after.state.status.heartbeat == before.heartbeat + 1


async def test_a_service_hands_over_only_when_its_training_has_ended(two: Two) -> None:
    ended, successor = asyncio.Event(), asyncio.Event()

    async def train(_models: Sequence[ModelPlan]) -> None:
        await ended.wait()

    two.service.train_together = train  # type: ignore[method-assign,assignment]
    running = asyncio.create_task(two.service.run(asyncio.Event(), successor))
    training = asyncio.create_task(two.service._train_and_forget([MODELS["first"]]))
    await _until(lambda: bool(_heartbeats(two, "second")))
    successor.set()
    done, _ = await asyncio.wait([running], timeout=0.2)
    assert not done
    ended.set()
    await asyncio.wait_for(running, 30.0)
    assert training.done()


async def test_a_stop_ends_a_service_that_waits_for_its_training(two: Two) -> None:
    stop, successor = asyncio.Event(), asyncio.Event()
    successor.set()

    async def train(_model: ModelPlan) -> None:
        await asyncio.Event().wait()

    two.service.train = train  # type: ignore[method-assign,assignment]
    training = asyncio.create_task(two.service._train_and_forget([MODELS["first"]]))
    await asyncio.sleep(0)
    running = asyncio.create_task(two.service.run(stop, successor))
    await _until(lambda: bool(_heartbeats(two, "second")))
    stop.set()
    assert await asyncio.wait_for(running, 30.0) is False
    assert _heartbeats(two, "second")[-1] == 0.0
    training.cancel()


async def test_reports_are_written_by_the_calendar_and_one_that_cannot_be_is_told(two: Two, tmp_path: Path) -> None:
    every = ({"hour": "6", "minute": "0"}, {"hour": "14", "minute": "0"})
    two.service.plan = replace(two.service.plan, report=ReportPlan(every, 480 * MINUTE, str(tmp_path / "told")))
    first, second = (job for job in two.service._jobs() if isinstance(job, Calendar))
    assert (first.fields, second.fields) == every
    await first.work()
    assert len(list((tmp_path / "told").glob("tagsight-*.html"))) == 1
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    two.service.plan = replace(two.service.plan, report=ReportPlan(every, MINUTE, str(tmp_path / "taken" / "no")))
    await second.work()
    assert [trouble for trouble in two.troubles if trouble.startswith("shift report: ")]
