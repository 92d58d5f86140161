"""Models whose inputs are averages on their grid: learned and scored from the same samples, none from the future."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.averages import IN_CARD, Averaged, in_words, read_averages, read_sources
from tagsight.clocks import SetClock
from tagsight.configuration import Checked, check_text
from tagsight.fitting import compute
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.plan import ScorePlan
from tagsight.recording import Recorder
from tagsight.rehearsal import rehearse
from tagsight.scoring import Scorer
from tagsight.scoring_task import StorePlace
from tagsight.tick import Participant, Ticker
from tagsight.training import gather
from tagsight.worker_tasks import scoring_tasks
from tagsight.workers import Worker
from tagsight_connectors.aggregates import Computer
from tagsight_connectors.history import History, Span, TagHistory
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.quality import BAD
from tagsight_connectors.tag import Tag
from tests.end_to_end.plant import MINUTE, TRAINED, keys, link, model_plan, tag_history, tags, values
from tests.plugin.small_site import Site

UTC = ZoneInfo("UTC")
GRID = 5 * MINUTE


def checked(score: str) -> Checked:
    model = "{name: Health, asset: P101, inputs: [x], score: " + score + "}"
    text = f"timezone: UTC\nhistorian: {{url: opc.tcp://scada01:4840, user: tagsight}}\nmodels:\n  - {model}\n"
    return check_text(text, Path("tagsight.yaml"))


def test_averages_are_a_setting_that_needs_a_grid() -> None:
    plan = checked("{grid: 1m, read: averages}").plan
    assert plan is not None
    assert plan.models[0].score.averages
    raw = checked("{grid: 1m}").plan
    assert raw is not None
    assert not raw.models[0].score.averages
    (fault,) = checked("{read: averages}").faults
    assert "`averages` without `grid`" in str(fault)


async def plant(times: Sequence[float], numbers: Sequence[float], status: Sequence[float]) -> MemoryHistorian:
    store = MemoryStore()
    store.add(Tag("Speed", "Speed"))
    store.append("Speed", list(times), list(numbers), list(status))
    historian = MemoryHistorian(store)
    await historian.connect()
    return historian


def rows(history: TagHistory) -> list[tuple[int, float | None]]:
    """None: Bad."""
    found = zip(history.times.tolist(), history.values.tolist(), history.status.tolist(), strict=True)
    return [(time, None if status >> 31 else value) for time, value, status in found]


async def test_the_average_of_a_step_is_stamped_with_its_end_and_holds_nothing_from_then_on() -> None:
    historian = await plant([0, 5, 9, 10, 25], [1.0, 2.0, 6.0, 100.0, 7.0], [0, 0, 0, 0, 0])
    found, computed_by = await read_averages(historian, ["Speed"], Span(0, 41), 10)
    assert rows(found["Speed"]) == [(10, 3.0), (20, 100.0), (30, 7.0)]
    assert computed_by == {"Speed": Computer.TAGSIGHT}


async def test_a_sensor_that_failed_and_is_silent_is_bad_and_one_at_rest_keeps_its_average() -> None:
    """Both have no average; a rest has no sample at all."""
    historian = await plant([0, 12, 15, 33, 61], [1.0, 2.0, 3.0, 4.0, 5.0], [0, BAD, 0x40000000, BAD, 0])
    found, _ = await read_averages(historian, ["Speed"], Span(0, 71), 10)
    assert rows(found["Speed"]) == [(10, 1.0), (20, None), (40, None), (70, 5.0)]


@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.floats(-1e6, 1e6), st.sampled_from([0, 0, 0x40000000, BAD])), max_size=40
    ),
    st.integers(0, 110),
    st.integers(0, 60),
)
async def test_a_live_read_finds_the_samples_that_the_training_found(
    stored: list[tuple[int, float, int]], start: int, length: int
) -> None:
    stored.sort(key=lambda row: row[0])
    historian = await plant(*([row[at] for row in stored] for at in range(3)))
    whole, _ = await read_averages(historian, ["Speed"], Span(-50, 200), 10)
    part, _ = await read_averages(historian, ["Speed"], Span(start, start + length), 10)
    assert rows(part["Speed"]) == [row for row in rows(whole["Speed"]) if start <= row[0] < start + length]


@given(st.text(min_size=1), st.integers(1, 10**15), st.sampled_from(Computer))
def test_a_source_says_what_is_read(address: str, grid_ns: int, computer: Computer) -> None:
    averaged = Averaged(address, grid_ns, computer)
    assert Averaged.of(averaged.source) == averaged


async def test_averages_and_stored_values_of_a_tag_are_read_together() -> None:
    historian = await plant([0, 5, 12], [1.0, 3.0, 7.0], [0, 0, 0])
    there, here = Averaged("Speed", 10, Computer.SERVER), Averaged("Speed", 10, Computer.TAGSIGHT)
    told: list[str] = []
    found = await read_sources(["Speed", there.source], Span(0, 21), historian, told.append)
    assert rows(found.tags["Speed"]) == [(0, 1.0), (5, 3.0), (12, 7.0)]
    assert rows(found.tags[there.source]) == [(10, 2.0), (20, 7.0)]
    assert told == ["Speed"]
    again = await read_sources([here.source], Span(0, 21), historian, told.append)
    assert rows(again.tags[here.source]) == [(10, 2.0), (20, 7.0)]
    assert told == ["Speed"]


def test_the_card_says_who_computed() -> None:
    gates = {IN_CARD: {"a": "server", "b": "server", "c": "TagSight"}}
    assert in_words(gates, GRID) == (
        "averages of 300 s, computed by the historian (2) and by TagSight from every stored value (1)"
    )
    assert in_words({}, GRID) == ""


async def test_it_is_told_once_when_the_historian_no_longer_computes_what_the_model_learned_from(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path)
    one = site.participants[0]
    gates = {**one.facts.card.gates, IN_CARD: {"Flow": "server"}}
    facts = replace(one.facts, card=replace(one.facts.card, gates=gates))
    site.participants[:] = [replace(one, facts=facts)]
    await site.minutes(5)
    site.ledger.close()
    assert [what for what, _why in site.troubles] == [one.binding.addresses["Flow"]]
    assert "in training the historian did" in site.troubles[0][1]
    assert site.runs("P101")[-1].score is not None


@pytest.mark.slow
async def test_a_model_of_averages_is_scored_live_as_in_rehearsal(tmp_path: Path) -> None:
    """From values that come minute by minute; a score does not change when later values have come."""
    series = values(3 * 1440 + 300)
    memory = MemoryStore("plant")
    for tag in tags():
        memory.add(tag)
    clock = SetClock(TRAINED)
    historian = MemoryHistorian(memory)
    the_link = link(historian, clock)
    _store(memory, series, 0, 3 * 1440)
    score = ScorePlan(every_ns=GRID, grid_ns=GRID, window_steps=12, wait_ns=0, late_ns=0, averages=True)
    plan, place = model_plan(score=score), StorePlace(*keys(tmp_path))
    binding, task = await gather(plan, the_link, place, "0" * 64)
    assert set(task.averaged.values()) == {Computer.TAGSIGHT.value}
    assert all(np.all(each.times % GRID == 0) for each in task.history.values())
    compute(task, lambda _share, _words: None)
    scorer = Scorer(place)
    (facts,) = scorer.facts([plan.key])
    assert "by TagSight" in in_words(facts.card.gates, facts.card.grid_ns)
    one = Participant.of(plan, binding, facts)
    worker = Worker("scoring", scoring_tasks, clock)
    with Ledger.open(tmp_path / "ledger.sqlite", clock) as ledger:
        ledger.record(TickRecord(watermarks={plan.key: TRAINED}))
        ticker = Ticker(the_link, worker, place, ledger, Recorder(ledger, UTC), {}, _raise)
        for minute in range(0, 300, 7):
            _store(memory, series, 3 * 1440 + minute, 3 * 1440 + minute + 7)
            clock.advance(7 * 60.0)
            await ticker.tick([one])
        live, scores = ledger.scores(plan.key, TRAINED + 1, TRAINED + 300 * MINUTE)
    await worker.close()

    async def read(sources: Sequence[str], span: Span) -> History:
        return await the_link.use(lambda opened: read_sources(sources, span, opened))

    found = await rehearse(one, Span(TRAINED + 1, TRAINED + 300 * MINUTE), read, scorer, UTC)
    assert live.tolist() == found.times.tolist()
    assert np.isfinite(scores).sum() > 50
    assert np.allclose(scores, found.scores, rtol=1e-9, atol=0.0, equal_nan=True)


def _store(memory: MemoryStore, series: dict[str, Any], first: int, last: int) -> None:
    for tag, numbers in zip(tags(), series.values(), strict=True):
        history = tag_history(numbers)
        memory.append(tag.address, history.times[first:last], history.values[first:last], history.status[first:last])


def _raise(what: str, why: str) -> None:
    pytest.fail(f"{what}: {why}")
