"""From the outbox to a historian's tags, over a real ledger and a historian in memory."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.clocks import SECOND, SetClock
from tagsight.delivery import (
    MOST_ATTEMPTS,
    AnswersMissing,
    Batch,
    DeliveryReport,
    Way,
    deliver_once,
    plan_batch,
    samples_of,
    settlements_of,
    status_samples,
)
from tagsight.heartbeat import PluginStatus
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import DeliveryState, StoredRow, TickRecord
from tagsight.results import OutputRow, OutputValue
from tagsight_connectors.errors import NotConnected, WriteNotAllowed
from tagsight_connectors.history import WriteOutcome
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.quality import BAD, BAD_NO_COMMUNICATION, BAD_NOT_WRITABLE, GOOD, UNCERTAIN

PATTERN = "Results/{asset}/{model}/{output}"
MODELS = [f"P{number}/H" for number in range(5)]
ADDRESSES = [f"Results/{model}/{output}" for model in MODELS for output in ("Score", "Alarm")]
WAY = Way("h", PATTERN, frozenset(ADDRESSES))


@dataclass
class Plant:
    ledger: Ledger
    store: MemoryStore
    historian: MemoryHistorian

    def tick(self, second: int, models: list[str] | None = None) -> None:
        rows = [score_row(model, second) for model in models or MODELS]
        self.ledger.record(TickRecord(rows=rows, destinations=dict.fromkeys(MODELS, "write:h")))

    async def deliver(self, limit: int = 200) -> DeliveryReport:
        return await deliver_once(self.ledger, self.historian, WAY, limit)

    async def deliver_all(self) -> None:
        """As the host does: reconnect, ask again."""
        for _ in range(10_000):
            try:
                if not (await self.deliver(20)).more and not self.ledger.counters().buffered:
                    return
            except NotConnected:
                self.store.faults.down = False
                await self.historian.connect()
        pytest.fail("the outbox never became empty")

    def stored(self, address: str) -> list[int]:
        return [time_ns // SECOND for time_ns in self.store.history(address).times.tolist()]


def score_row(model: str, second: int) -> OutputRow:
    values = (OutputValue("Score", second / 7, GOOD), OutputValue("Alarm", second % 2, GOOD))
    return OutputRow(model, second * SECOND, "score", values)


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[Plant]:
    store = MemoryStore("plant")
    for address in ADDRESSES:
        store.add_result(address)
    historian = MemoryHistorian(store, accepted=WAY.accepted)
    await historian.connect()
    with Ledger.open(tmp_path / "ledger.sqlite", SetClock(10**18)) as ledger:
        yield Plant(ledger, store, historian)


async def test_what_was_recorded_stands_in_the_historian_with_its_source_time_and_leaves_the_outbox(
    plant: Plant,
) -> None:
    plant.tick(60)
    assert await plant.deliver() == DeliveryReport(written=5)
    assert plant.stored("Results/P3/H/Score") == [60]
    assert plant.ledger.counters().buffered == 0
    assert await plant.deliver() == DeliveryReport()


async def test_a_sink_that_dies_again_and_again_has_each_value_exactly_once(plant: Plant) -> None:
    random = Random(3)
    for second in range(120):
        plant.tick(second)
        if second % 6 == 0:
            plant.store.faults.down = True
        if random.random() < 0.2:
            plant.store.faults.lost_responses = 1
        try:
            await plant.deliver(random.randint(1, 30))
        except NotConnected:
            if random.random() < 0.5:
                plant.store.faults.down = False
                await plant.historian.connect()
    await plant.deliver_all()
    assert all(plant.stored(address) == list(range(120)) for address in ADDRESSES)


async def test_a_lost_response_is_sent_again_and_leaves_no_duplicate(plant: Plant) -> None:
    plant.tick(1)
    plant.store.faults.lost_responses = 1
    with pytest.raises(NotConnected):
        await plant.deliver()
    assert plant.ledger.counters().buffered == 5
    await plant.historian.connect()
    await plant.deliver()
    assert len(plant.store.writes) == 2
    assert Counter(plant.stored("Results/P0/H/Score")) == {1: 1}
    assert plant.ledger.counters().buffered == 0


async def test_refused_tags_are_quarantined_and_do_not_hold_up_good_ones(plant: Plant) -> None:
    plant.store.faults.refused_writes = {"Results/P2/H/Alarm": BAD_NOT_WRITABLE}
    plant.tick(1)
    report = await plant.deliver()
    assert (report.written, report.quarantined) == (4, 1)
    assert plant.stored("Results/P2/H/Score") == [1]
    refused = plant.ledger.quarantined()[0].refused
    assert [(one.address, one.status) for one in refused] == [("Results/P2/H/Alarm", BAD_NOT_WRITABLE)]
    plant.store.faults.refused_writes.clear()
    plant.ledger.resend("write:h", "anna")
    await plant.deliver()
    assert plant.stored("Results/P2/H/Alarm") == [1]
    assert plant.ledger.counters().quarantined == 0


async def test_what_cannot_be_taken_now_waits_and_is_quarantined_after_many_attempts(plant: Plant) -> None:
    plant.store.faults.refused_writes = {"Results/P2/H/Alarm": BAD_NO_COMMUNICATION}
    plant.tick(1)
    for _ in range(MOST_ATTEMPTS - 1):
        await plant.deliver()
        assert plant.ledger.counters().buffered == 1
    await plant.deliver()
    assert plant.ledger.counters().quarantined == 1


async def test_the_present_is_written_first_and_stays_the_last_value_while_the_backlog_follows(plant: Plant) -> None:
    for second in range(30):
        plant.tick(second, MODELS[:1])
    await plant.deliver(4)
    scores = [one.time_ns // SECOND for one in plant.store.writes[-1].samples if one.address.endswith("Score")]
    assert scores == [0, 1, 2, 29]
    await plant.deliver(4)
    scores = [one.time_ns // SECOND for one in plant.store.writes[-1].samples if one.address.endswith("Score")]
    assert scores == [3, 4, 5, 6, 29]


async def test_a_revised_past_is_written_and_the_present_again_after_it(plant: Plant) -> None:
    for second in (1, 2):
        plant.tick(second, MODELS[:1])
    await plant.deliver()
    plant.tick(1, MODELS[:1])
    await plant.deliver()
    assert [one.time_ns // SECOND for one in plant.store.writes[-1].samples] == [1, 1, 2, 2]
    assert plant.stored("Results/P0/H/Score") == [1, 2]


async def test_nothing_is_sent_while_the_list_is_not_accepted(plant: Plant) -> None:
    plant.tick(1)
    report = await deliver_once(plant.ledger, plant.historian, Way("h", PATTERN, frozenset()))
    assert report == DeliveryReport(waiting=5)
    assert plant.store.writes == []


async def test_a_value_outside_the_accepted_list_is_quarantined_and_never_sent(plant: Plant) -> None:
    plant.tick(1, MODELS[:1])
    way = Way("h", PATTERN, frozenset({"Results/P0/H/Score"}))
    assert (await deliver_once(plant.ledger, plant.historian, way)).quarantined == 1
    assert [one.address for one in plant.store.writes[0].samples] == ["Results/P0/H/Score"]


async def test_the_connector_holds_the_fence_too(plant: Plant) -> None:
    plant.tick(1, MODELS[:1])
    unguarded = MemoryHistorian(plant.store)
    await unguarded.connect()
    with pytest.raises(WriteNotAllowed):
        await deliver_once(plant.ledger, unguarded, WAY)
    assert plant.ledger.counters().buffered == 1


async def test_values_stored_under_the_servers_own_time_are_counted(plant: Plant) -> None:
    plant.store.faults.no_source_times = True
    plant.tick(1, MODELS[:2])
    assert (await plant.deliver()).times_lost == 4


@pytest.mark.parametrize("part", ["score", "operator"])
def test_what_operators_write_never_comes_from_the_outbox(part: str) -> None:
    values = (OutputValue("Score", 0.5, GOOD), OutputValue("Off", 0, GOOD), OutputValue("Feedback", 0, GOOD))
    assert [one.address for one in samples_of(OutputRow("P0/H", 1, part, values), PATTERN)] == ["Results/P0/H/Score"]


def test_an_orderly_stop_writes_heartbeat_0_and_bad() -> None:
    samples = {one.address: one for one in status_samples(PluginStatus(0, 5), PATTERN, stopped=True)}
    heartbeat = samples["Results/TagSight/Plugin/Heartbeat"]
    assert (heartbeat.value, heartbeat.status, heartbeat.time_ns) == (0, BAD, 5)
    assert "Results/TagSight/Plugin/Off" not in samples


@pytest.mark.parametrize("status", [BAD, UNCERTAIN])
def test_only_good_confirms(status: int) -> None:
    batch = plan_batch([(StoredRow(1, score_row("P0/H", 1)), 0)], [], WAY)
    outcomes = [WriteOutcome("Results/P0/H/Score", GOOD), WriteOutcome("Results/P0/H/Alarm", status)]
    assert settlements_of(batch, outcomes, "write:h")[0].state is DeliveryState.QUARANTINED


def test_missing_answers_confirm_nothing() -> None:
    batch = plan_batch([(StoredRow(1, score_row("P0/H", 1)), 0)], [], WAY)
    with pytest.raises(AnswersMissing):
        settlements_of(batch, [], "write:h")


ROWS = st.lists(st.tuples(st.sampled_from(MODELS), st.integers(0, 50)), unique=True, max_size=30)


@given(pending=ROWS, newest=st.integers(51, 60))
def test_in_every_batch_each_tag_ascends_and_ends_with_its_newest_value(
    pending: list[tuple[str, int]], newest: int
) -> None:
    rows = [(StoredRow(number, score_row(*one)), 0) for number, one in enumerate(pending, 1)]
    models = {model for model, _ in pending}
    present = [StoredRow(1_000 + number, score_row(model, newest)) for number, model in enumerate(models)]
    batch: Batch = plan_batch(rows, present, WAY)
    for address in ADDRESSES:
        times = [one.sample.time_ns for one in batch.values if one.sample.address == address]
        assert times == sorted(times)
        assert not times or times[-1] == newest * SECOND
    assert {one.settles for one in batch.values} - {None} == set(batch.rows)


async def test_a_historian_that_refuses_source_times_gets_the_present_only_and_the_past_is_counted(
    plant: Plant,
) -> None:
    for second in range(5):
        plant.tick(second, ["P0/H"])
    way = replace(WAY, source_times=False)
    report = await deliver_once(plant.ledger, plant.historian, way)
    assert (report.written, report.not_recovered, report.more) == (1, 4, False)
    assert plant.ledger.counters().not_recovered == 4
    assert plant.ledger.deliveries_in(DeliveryState.NOT_RECOVERED) == 4
    assert plant.stored("Results/P0/H/Score") == [4]
    assert plant.ledger.counters().buffered == 0
