"""10,000 values to a historian that loses every tenth answer, and some requests too: each arrives, none contradicts.

The sink here keeps every arriving write by itself: it does not hide a second one by updating the first.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight.fence import checked_targets, list_digest
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.opening import accepted_now
from tagsight.outbox import Outbox
from tagsight.plan import Destination, HistorianPlan, Plan, ResultsPlan
from tagsight.results import OutputRow, OutputValue
from tagsight.service import destinations_of
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.quality import GOOD, UNCERTAIN
from tagsight_models.frame import Role
from tests.plugin.small_site import START, participant, plan_of

PATTERN = "Results/{asset}/{model}/{output}"
MODELS = tuple(plan_of(f"P{number}") for number in range(20))
TICKS = 250
OUTPUTS = ("Score", "Alarm")

Key = tuple[str, int]
Said = tuple[float | str | None, int]


@dataclass
class Owed:
    """An outbox, its historian, what was recorded and what arrived."""

    ledger: Ledger
    clock: SetClock
    random: Random = field(default_factory=lambda: Random(11))
    recorded: dict[Key, list[Said]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = Plan(
            ZoneInfo("UTC"),
            {"default": HistorianPlan("default", "memory://sink")},
            {"default": ResultsPlan(Destination.WRITE, PATTERN, "Results")},
            MODELS,
        )
        self.destinations = destinations_of(plan)
        bindings = {model.key: participant(model).binding for model in MODELS}
        for key, binding in bindings.items():
            self.ledger.bind(BoundModel(key, binding, detail=False))
        reads = [address for one in bindings.values() for address in one.all_addresses]
        targets = checked_targets(plan, "default", {key: one.roles for key, one in bindings.items()}, reads)
        accepted = [target.address for target in targets]
        self.ledger.accept_targets("default", list_digest("default", targets), accepted, "olga")
        self.sink = MemoryStore("sink", now_ns=self.clock.now_ns)
        for address in accepted:
            self.sink.add_result(address)
        link = Link("default", MemoryHistorian(self.sink, accepted=frozenset(accepted)), self.clock)
        self.outbox = Outbox(plan, {"default": link}, self.ledger, lambda _what, why: self.troubles.append(why))

    def record(self, tick: int, models: Sequence[str], status: int = GOOD) -> None:
        """Results of one due time; recorded again: revised."""
        rows = []
        for model in models:
            said: dict[str, float] = {"Score": self.random.random(), "Alarm": float(self.random.randint(0, 1))}
            due_ns = START + tick * 60 * SECOND
            values = tuple(OutputValue(output, value, status) for output, value in said.items())
            rows.append(OutputRow(model, due_ns, "score", values))
            for output, value in said.items():
                self.recorded.setdefault((f"Results/{model}/{output}", due_ns), []).append((value, status))
        self.ledger.record(TickRecord(rows=rows, destinations=self.destinations))

    async def deliver(self) -> None:
        """As the service does: what is lost is tried again a little later."""
        self.clock.advance(31.0)
        with suppress(HistorianError):
            await self.outbox.deliver("default")

    async def deliver_all(self) -> None:
        """Until nothing is owed."""
        for _ in range(1_000):
            await self.deliver()
            if not self.ledger.counters().buffered:
                return
        pytest.fail("the outbox never became empty")

    def arrived(self) -> dict[Key, list[Said]]:
        """Every write that reached the sink, in order, by tag and time."""
        found: dict[Key, list[Said]] = {}
        for call in self.sink.writes:
            for one in call.samples:
                found.setdefault((one.address, one.time_ns), []).append((one.value, one.status))
        return found


@pytest.fixture
async def owed(tmp_path: Path) -> AsyncIterator[Owed]:
    clock = SetClock(START)
    with Ledger.open(tmp_path / "ledger.sqlite", clock) as ledger:
        yield Owed(ledger, clock)


KEYS = [model.key for model in MODELS]


async def test_with_every_tenth_answer_lost_each_value_arrives_and_no_repetition_says_something_else(
    owed: Owed,
) -> None:
    lost = 0
    for tick in range(TICKS):
        owed.record(tick, KEYS)
        faults = owed.sink.faults
        if owed.random.random() < 0.1:
            faults.lost_responses, lost = 1, lost + 1
        faults.down = owed.random.random() < 0.05
        await owed.deliver()
        faults.down = False
    await owed.deliver_all()
    arrived = owed.arrived()
    assert lost > TICKS / 20
    assert len(arrived) == len(owed.recorded) == TICKS * len(KEYS) * len(OUTPUTS) == 10_000
    assert {key: set(said) for key, said in arrived.items()} == {key: set(said) for key, said in owed.recorded.items()}
    assert sum(map(len, arrived.values())) > 10_000  # some were sent twice, or nothing was shown here
    assert owed.ledger.counters().quarantined == owed.ledger.counters().not_recovered == 0


async def test_with_no_answer_lost_each_value_arrives_exactly_once(owed: Owed) -> None:
    for tick in range(30):
        owed.record(tick, KEYS)
        await owed.deliver()
    assert owed.arrived() == owed.recorded
    assert owed.troubles == []


async def test_a_result_revised_while_its_answer_is_lost_ends_as_it_was_revised(owed: Owed) -> None:
    for tick in range(60):
        owed.record(tick, KEYS[:3])
        owed.sink.faults.lost_responses = int(owed.random.random() < 0.3)
        await owed.deliver()
        if tick % 4 == 3:
            owed.record(tick - owed.random.randint(0, 3), KEYS[:3], UNCERTAIN)
    await owed.deliver_all()
    arrived = owed.arrived()
    assert arrived.keys() == owed.recorded.keys()
    for key, said in owed.recorded.items():
        assert arrived[key][-1] == said[-1], key
        assert [one for one in said if one in arrived[key]] == list(dict.fromkeys(arrived[key])), key


async def test_the_accepted_list_is_judged_once_and_again_when_what_it_rests_on_changes(
    owed: Owed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With thousands of addresses the judgement takes seconds, in which nothing else runs."""
    judged: list[str] = []

    def counted(plan: Plan, historian: str, ledger: Ledger) -> frozenset[str]:
        judged.append(historian)
        return accepted_now(plan, historian, ledger)

    monkeypatch.setattr("tagsight.outbox.accepted_now", counted)
    for tick in range(10):
        owed.record(tick, KEYS[:1])
        await owed.deliver()
    assert judged == ["default"]
    binding = participant(MODELS[0]).binding
    owed.ledger.bind(BoundModel(KEYS[0], replace(binding, roles=(*binding.roles, Role("Speed"))), detail=True))
    owed.record(10, KEYS[:1])
    await owed.deliver()
    assert judged == ["default", "default"]
    assert owed.ledger.counters().buffered == 1  # one tag more: the list is not the accepted one any longer
