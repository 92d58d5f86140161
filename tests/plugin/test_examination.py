from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.conditions import parse
from tagsight.examination import Examination
from tagsight.fence import Target
from tagsight.output_tags import OutputTag
from tagsight.plan import Destination, Job, ModelPlan, ResultsPlan, ScorePlan, TrainPlan
from tagsight_connectors.aggregates import Computer
from tagsight_connectors.memory import MemoryHistorian, MemoryStore
from tagsight_connectors.tag import Access, DataType, Tag

NOW = 1_800_000_000 * SECOND
DAY = 86_400 * SECOND
RESULTS = ResultsPlan(Destination.WRITE, "TagSight/{asset}/{model}/{output}", "TagSight/")
MODEL = ModelPlan(
    "P101", "Health", Job.HEALTH, "default", ("Plant/*",), TrainPlan(last_ns=4 * DAY), ScorePlan(60 * SECOND)
)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore("plant", now_ns=lambda: NOW)
    for name, every in (("Flow", 60), ("Pressure", 30)):
        store.add(Tag(f"Plant/{name}", f"Plant/{name}"))
        times = np.arange(NOW - 5 * DAY, NOW, every * SECOND)
        store.append(f"Plant/{name}", times, np.ones(len(times)))
    store.add(Tag("Plant/Mode", "Plant/Mode", DataType.TEXT))
    store.add_result("TagSight/P101/Health/Score")
    return store


def examination(
    store: MemoryStore, pause: Callable[[], Awaitable[None]] | None = None, looks: int = 0, values: int = 1_000_000
) -> Examination:
    async def at_once() -> None:
        pass

    clock = SetClock(wall_ns=NOW)
    return Examination("default", "memory://plant", MemoryHistorian(store), clock, pause or at_once, looks, values)


async def test_a_model_is_examined_tag_by_tag(store: MemoryStore) -> None:
    examined = examination(store)
    facts = await examined.connect()
    assert facts.description is not None
    model = replace(MODEL, running=parse("[Plant/Flow] > 10"))
    found = await examined.model(model, RESULTS, NOW)
    assert found.matched == {"Plant/*": 3, "Plant/Flow": 1}
    assert {one.tag.path: (one.sampling.count, one.sampling.gap_ns(0.5)) for one in found.tags} == {
        "Plant/Flow": (5760, 60 * SECOND),
        "Plant/Pressure": (11520, 30 * SECOND),
    }
    assert found.tags[0].roles == ("Flow", "Plant/Flow")
    assert found.binding is not None
    assert found.binding.skipped == (("Plant/Mode", "its values are text"),)


async def test_averages_are_asked_for_where_the_model_reads_them(store: MemoryStore) -> None:
    examined = examination(store)
    await examined.connect()
    model = replace(MODEL, score=ScorePlan(60 * SECOND, grid_ns=60 * SECOND, averages=True))
    found = await examined.model(model, RESULTS, NOW)
    assert found.computed_by == {"Flow": Computer.TAGSIGHT, "Pressure": Computer.TAGSIGHT}
    assert (await examined.model(MODEL, RESULTS, NOW)).computed_by == {}


async def test_of_a_long_history_the_newest_part_is_looked_at_and_its_beginning_still_known(store: MemoryStore) -> None:
    examined = examination(store, values=1_000)
    await examined.connect()
    found = await examined.model(MODEL, RESULTS, NOW)
    assert found.looked_at.end_ns == NOW
    assert all(360 <= one.sampling.count <= 1_000 for one in found.tags)
    assert [one.begins_ns for one in found.tags] == [NOW - 4 * DAY, NOW - 4 * DAY]


async def test_the_arrival_delay_is_what_new_values_took(store: MemoryStore) -> None:
    clock = SetClock(wall_ns=NOW)
    store.now_ns = clock.now_ns

    async def second() -> None:
        clock.advance(10)
        store.append("Plant/Flow", [clock.now_ns() - 3 * SECOND], [1.0])

    examined = examination(store, second, looks=3)
    await examined.connect()
    flow, pressure = (await examined.model(MODEL, RESULTS, NOW)).tags
    assert flow.delays_ns == (3 * SECOND,) * 3
    assert pressure.delays_ns == ()
    assert flow.newest_ns == NOW + 27 * SECOND


async def test_a_pattern_without_tags_is_a_fact_and_not_an_exception(store: MemoryStore) -> None:
    examined = examination(store)
    await examined.connect()
    found = await examined.model(replace(MODEL, inputs=("Nowhere/*",)), RESULTS, NOW)
    assert "Nowhere/*" in str(found.failure)


async def test_results_of_our_own_are_never_inputs(store: MemoryStore) -> None:
    examined = examination(store)
    await examined.connect()
    found = await examined.model(replace(MODEL, inputs=("**",)), RESULTS, NOW)
    assert {one.tag.path for one in found.tags} == {"Plant/Flow", "Plant/Pressure"}


async def test_history_that_cannot_be_read_is_a_fact_of_its_tag(store: MemoryStore) -> None:
    store.faults.unreadable.add("Plant/Flow")
    examined = examination(store)
    await examined.connect()
    flow, pressure = (await examined.model(MODEL, RESULTS, NOW)).tags
    assert "may not read" in str(flow.failure)
    assert pressure.sampling.count


async def test_a_historian_that_is_down_is_a_fact(store: MemoryStore) -> None:
    store.faults.down = True
    facts = await examination(store).connect()
    assert "does not answer" in str(facts.failure)


async def test_targets_are_looked_for_and_nothing_is_written(store: MemoryStore) -> None:
    examined = examination(store)
    await examined.connect()
    targets = [Target(f"TagSight/P101/Health/{name}", "P101/Health", OutputTag(name)) for name in ("Score", "Limit")]
    score, limit = await examined.targets(targets)
    assert score.found is not None
    assert Access.WRITE in score.found.access
    assert limit.found is None
    assert store.writes == []


async def test_tags_that_operators_write_are_known_as_such(store: MemoryStore) -> None:
    examined = examination(store)
    await examined.connect()
    targets = [Target(f"TagSight/P101/Health/{name}", "P101/Health", OutputTag(name)) for name in ("Score", "Off")]
    assert [facts.by_operators for facts in await examined.targets(targets)] == [False, True]
