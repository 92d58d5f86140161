"""Operators at the tags of a historian in memory, over a real ledger."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight.delivery import Way, deliver_once
from tagsight.fence import checked_targets, list_digest
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, OperatorAct, TickRecord
from tagsight.operator_watch import AGAIN_S, OperatorWatch, watches_of
from tagsight.plan import Destination, Detail, HistorianPlan, Plan, ResultsPlan
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.series import StoredSeries
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.quality import BAD, BAD_NOT_WRITABLE, GOOD
from tests.plugin.small_site import START, participant, plan_of

PATTERN = "Results/{asset}/{model}/{output}"
MODEL = "P101/Health"
FEEDBACK, OFF, PLUGIN_OFF = f"Results/{MODEL}/Feedback", f"Results/{MODEL}/Off", "Results/TagSight/Plugin/Off"


@dataclass
class Desk:
    """Operators of two historians, `scada` and `other`, of which the first has a model."""

    folder: Path
    clock: SetClock = field(default_factory=lambda: SetClock(START))
    troubles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        model = replace(plan_of("P101", outputs=Detail.BASIC), historian="scada")
        self.plan = Plan(
            ZoneInfo("UTC"),
            {name: HistorianPlan(name, f"memory://{name}") for name in ("scada", "other")},
            {name: ResultsPlan(Destination.WRITE, PATTERN, "Results") for name in ("scada", "other")},
            (model,),
        )
        self.ledger = Ledger.open(self.folder / "ledger.sqlite", self.clock)
        self.ledger.bind(BoundModel(model.key, participant(model).binding))
        self.stores = {name: MemoryStore(name, now_ns=self.now_ns) for name in self.plan.historians}
        self.allowed: dict[str, frozenset[str]] = {}
        for name, store in self.stores.items():
            targets = checked_targets(self.plan, name, {}, participant(model).binding.all_addresses)
            self.allowed[name] = frozenset(target.address for target in targets)
            for target in targets:
                store.add_result(target.address, target.tag.data_type)
            self.ledger.accept_targets(name, list_digest(name, targets), sorted(self.allowed[name]), "olga")
        self.restart()

    def now_ns(self) -> int:
        """By every clock here."""
        return START + round(self.clock.elapsed * SECOND)

    def restart(self) -> None:
        """A TagSight that remembers what is in the ledger."""
        self.links = {
            name: Link(name, MemoryHistorian(store, accepted=self.allowed[name]), self.clock, jitter=lambda: 0.0)
            for name, store in self.stores.items()
        }
        told = self.troubles.append
        watches = watches_of(
            self.plan,
            self.links,
            self.ledger,
            {MODEL: "write:scada"},
            tell=lambda what, why: told(f"{what}: {why}"),
            note=lambda _what, words: self.notes.append(words),
        )
        self.watches = {watch.historian: watch for watch in watches}

    async def look(self, name: str = "scada") -> OperatorWatch:
        """Two seconds later; the service keeps the connection."""
        self.clock.advance(2.0)
        await self.links[name].use(_nothing)
        await self.watches[name].look()
        return self.watches[name]

    def write(self, address: str, value: int, name: str = "scada", status: int = GOOD) -> None:
        """As an operator does."""
        self.clock.advance(0.5)
        self.stores[name].append(address, [self.now_ns()], [value], status)

    def value(self, address: str, name: str = "scada") -> object:
        """What an operator sees."""
        sample = self.stores[name].newest(address)
        return None if sample is None else sample.value

    @property
    def count(self) -> int:
        """Of feedback."""
        return self.ledger.operator_state(MODEL).feedback_count

    def off(self, model: str = MODEL) -> bool:
        """What holds."""
        return self.ledger.operator_state(model).off


async def _nothing(_historian: object) -> None:
    """Only to connect."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.ledger.close()


async def test_feedback_is_stored_for_its_alarm_and_goes_back_to_0(desk: Desk) -> None:
    desk.ledger.record(TickRecord(activations=[Activation(MODEL, START - 60, START)]))
    await desk.look()
    desk.write(FEEDBACK, 2)
    given = desk.now_ns()
    await desk.look()
    (label,) = desk.ledger.labels(MODEL)
    assert (label.announced_ns, label.feedback, label.by, label.time_ns) == (START, 2, "operator via scada", given)
    assert desk.value(FEEDBACK) == 0
    await desk.look()
    assert desk.count == 1
    assert desk.notes == [f"operator via scada: {MODEL}: off None, feedback 2"]
    assert [one.who for one in desk.ledger.audit_entries() if one.what == "operator"] == ["operator via scada"]


async def test_the_count_of_feedback_is_delivered_and_nothing_from_the_outbox_meets_an_operators_tag(
    desk: Desk,
) -> None:
    desk.write(FEEDBACK, 1)
    await desk.look()
    desk.write(FEEDBACK, 3)
    way = Way("scada", PATTERN, desk.allowed["scada"])
    await desk.links["scada"].use(lambda historian: deliver_once(desk.ledger, historian, way))
    assert (desk.value(f"Results/{MODEL}/FeedbackCount"), desk.value(FEEDBACK)) == (1, 3)
    await desk.look()
    assert (desk.count, desk.value(FEEDBACK)) == (2, 0)


async def test_feedback_whose_answer_is_lost_counts_once_and_is_answered_after_a_restart(desk: Desk) -> None:
    desk.write(FEEDBACK, 1)
    await desk.links["scada"].use(_nothing)
    desk.stores["scada"].faults.refused_writes = {FEEDBACK: 0x80310000}
    desk.stores["scada"].faults.lost_responses = 1
    await desk.look()
    assert (desk.count, desk.value(FEEDBACK)) == (1, 1)
    desk.stores["scada"].faults.refused_writes.clear()
    desk.restart()
    await desk.look()
    assert (desk.count, desk.value(FEEDBACK)) == (1, 0)
    desk.write(FEEDBACK, 1)
    await desk.look()
    assert desk.count == 2


async def test_a_tag_that_refuses_the_answer_is_told_once_and_asked_again_after_a_minute(desk: Desk) -> None:
    desk.stores["scada"].faults.refused_writes = {FEEDBACK: BAD_NOT_WRITABLE}
    desk.write(FEEDBACK, 1)
    for _ in range(5):
        await desk.look()
    assert (desk.count, len(desk.stores["scada"].writes), len(desk.troubles)) == (1, 1, 1)
    assert FEEDBACK in desk.troubles[0]
    desk.stores["scada"].faults.refused_writes.clear()
    desk.clock.advance(AGAIN_S)
    await desk.look()
    assert (desk.count, desk.value(FEEDBACK)) == (1, 0)


async def test_off_is_heard_survives_a_restart_and_is_heard_again(desk: Desk) -> None:
    desk.write(OFF, 0)
    await desk.look()
    desk.write(OFF, 1)
    await desk.look()
    assert desk.off()
    desk.restart()
    await desk.look()
    assert desk.off()
    desk.write(OFF, 0)
    await desk.look()
    assert not desk.off()
    assert desk.stores["scada"].writes == []


async def test_off_that_was_written_while_tagsight_was_stopped_is_heard_at_the_start(desk: Desk) -> None:
    desk.write(OFF, 1)
    await desk.look()
    desk.write(OFF, 0)
    desk.restart()
    await desk.look()
    assert not desk.off()


async def test_a_tag_without_a_good_value_switches_nothing(desk: Desk) -> None:
    desk.write(OFF, 1)
    await desk.look()
    desk.write(OFF, 0, status=BAD)
    desk.write(FEEDBACK, 1, status=BAD)
    await desk.look()
    assert (desk.off(), desk.count) == (True, 0)


async def test_a_new_tag_at_its_initial_0_does_not_switch_on_what_an_operator_had_switched_off(desk: Desk) -> None:
    desk.ledger.act([OperatorAct("inbox", MODEL, "otto", START, off=True)])
    desk.write(OFF, 0)
    await desk.look()
    assert (desk.off(), desk.value(OFF)) == (True, 1)
    desk.write(OFF, 0)
    await desk.look()
    assert not desk.off()


async def test_what_was_switched_elsewhere_shows_also_in_a_tag_whose_source_time_moves_by_itself(desk: Desk) -> None:
    for _ in range(2):
        desk.write(OFF, 1)
        await desk.look()
    desk.ledger.act([OperatorAct("inbox", MODEL, "otto", desk.now_ns(), off=False)])
    desk.write(OFF, 1)
    await desk.look()
    assert (desk.off(), desk.value(OFF)) == (False, 0)


async def test_a_tag_that_was_corrected_is_its_operators_from_then_on_also_while_tagsight_is_stopped(
    desk: Desk,
) -> None:
    desk.ledger.act([OperatorAct("inbox", MODEL, "otto", START, off=True)])
    desk.write(OFF, 0)
    await desk.look()
    assert desk.value(OFF) == 1
    desk.write(OFF, 0)
    desk.restart()
    await desk.look()
    assert not desk.off()


async def test_a_historian_that_shows_a_write_late_does_not_switch_meanwhile(desk: Desk) -> None:
    desk.ledger.act([OperatorAct("inbox", MODEL, "otto", START, off=True)])
    desk.write(OFF, 0)
    written = desk.now_ns()
    await desk.look()
    desk.stores["scada"]._series[OFF] = StoredSeries(text=False)
    desk.stores["scada"].append(OFF, [written], [0])
    await desk.look()
    assert (desk.off(), len(desk.stores["scada"].writes)) == (True, 1)


async def test_feedback_by_an_hmi_whose_clock_is_behind_is_given_after_the_last_look(desk: Desk) -> None:
    await desk.look()
    looked = desk.now_ns()
    desk.stores["scada"].append(FEEDBACK, [looked - 3_600 * SECOND], [1])
    await desk.look()
    assert [label.time_ns for label in desk.ledger.labels(MODEL)] == [looked]


async def test_the_off_of_the_whole_plugin_shows_in_every_historian(desk: Desk) -> None:
    for name in desk.stores:
        desk.write(PLUGIN_OFF, 0, name)
        await desk.look(name)
    desk.write(PLUGIN_OFF, 1, "other")
    await desk.look("other")
    await desk.look("scada")
    assert (desk.off("TagSight"), desk.value(PLUGIN_OFF), desk.off()) == (True, 1, False)
    desk.write(PLUGIN_OFF, 0, "scada")
    await desk.look("scada")
    await desk.look("other")
    assert (desk.off("TagSight"), desk.value(PLUGIN_OFF, "other")) == (False, 0)


async def test_nothing_is_written_while_the_list_is_not_accepted_but_operators_are_heard(desk: Desk) -> None:
    desk.ledger.accept_targets("scada", "0" * 64, [], "olga")
    desk.write(FEEDBACK, 1)
    desk.write(OFF, 1)
    await desk.look()
    await desk.look()
    assert (desk.count, desk.off(), desk.stores["scada"].writes) == (1, True, [])
    assert len(desk.troubles) == 1


async def test_a_historian_that_is_down_is_not_asked(desk: Desk) -> None:
    watch = await desk.look()
    desk.write(OFF, 1)
    desk.stores["scada"].faults.down = True
    await watch.look()
    attempts = desk.links["scada"].attempts
    await watch.look()
    assert (desk.links["scada"].attempts, len(desk.troubles), desk.off()) == (attempts, 1, False)
    desk.stores["scada"].faults.down = False
    desk.clock.advance(31.0)
    await desk.look()
    assert desk.off()


async def test_tags_that_are_missing_are_told_once(desk: Desk) -> None:
    store = desk.stores["scada"] = MemoryStore("scada", now_ns=desk.now_ns)
    store.add_result(OFF)
    desk.restart()
    await desk.look()
    await desk.look()
    (trouble,) = desk.troubles
    assert FEEDBACK in trouble
    assert "2 tags" in trouble


async def test_without_source_times_a_0_that_has_no_effect_is_not_written_again_and_again(desk: Desk) -> None:
    store = desk.stores["scada"]
    store.append(FEEDBACK, [0], [1])
    for _ in range(5):
        await desk.look()
        store._series[FEEDBACK] = StoredSeries(text=False)
        store.append(FEEDBACK, [0], [1])
    assert (desk.count, len(store.writes)) == (1, 1)


async def test_a_historian_without_source_times_has_its_operators_heard_too(desk: Desk) -> None:
    store = desk.stores["scada"]
    for value in (1, 2):
        store.append(FEEDBACK, [0], [value])
        await desk.look()
        assert desk.value(FEEDBACK) == 0
        store._series[FEEDBACK] = StoredSeries(text=False)  # or TagSight's 0, which has a time, stays the newest
    assert desk.count == 2
