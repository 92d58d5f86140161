"""After a long stop: the present is scored at once, the past in slices beside it, and a kill between loses nothing."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagsight.plan import AlarmPlan
from tagsight.planner import SLICE_OF_ALL, SLICE_OF_ONE
from tagsight.results import State
from tagsight.workers import Task
from tagsight_connectors.quality import Quality, quality_of
from tests.plugin.small_site import MINUTE, START, OwnProcess, Site, participant, plan_of

STOP = 100
ASSETS = [f"P{number:03d}" for number in range(60)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.ledger.close()


async def _after_a_stop(site: Site, minutes: int = STOP) -> None:
    await site.tick()
    site.clock.advance(minutes * 60.0)


async def test_after_a_stop_the_first_tick_scores_the_present_of_every_model(site: Site) -> None:
    await _after_a_stop(site)
    assert (await site.ticker.tick(site.participants)).more
    assert site.dues("P101") == site.dues("P102") == [0, STOP]
    assert site.outputs()["LastRun"].value is not None


async def test_the_past_is_worked_off_oldest_first_and_each_due_time_is_scored_once(site: Site) -> None:
    await _after_a_stop(site)
    await site.ticker.tick(site.participants)
    assert (await site.ticker.catch_up(site.participants)).more
    assert site.dues("P101") == [*range(SLICE_OF_ONE + 1), STOP]
    assert not (await site.ticker.catch_up(site.participants)).more
    assert site.dues("P101") == site.dues("P102") == list(range(STOP + 1))
    assert not any(run.revised for run in site.runs())
    assert site.ledger.backlogs() == ()
    assert site.ledger.counters().missed == 0


async def test_a_kill_between_any_two_transactions_leaves_no_due_time_out(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await _after_a_stop(site)
    for step in range(4):
        work: Callable[..., Any] = site.ticker.catch_up if step % 2 else site.ticker.tick
        await work(site.participants)
        site.ledger.close()
        site.clock.advance(60.0)
        site = Site(tmp_path, clock=site.clock)
    await site.tick()
    assert site.dues("P101") == site.dues("P102") == list(range(STOP + 5))
    assert max(site.ledger.watermarks().values()) == START + (STOP + 4) * MINUTE
    site.ledger.close()


async def test_a_second_stop_before_the_first_is_made_good_adds_to_it(site: Site) -> None:
    await _after_a_stop(site)
    await site.ticker.tick(site.participants)
    site.clock.advance(30 * 60.0)
    await site.ticker.tick(site.participants)
    assert [(one.model, one.last_ns) for one in site.ledger.backlogs()] == [
        (f"{asset}/Health", START + last * MINUTE) for last in (STOP - 1, STOP + 29) for asset in ("P101", "P102")
    ]
    await site.tick()
    assert site.dues("P101") == site.dues("P102") == list(range(STOP + 31))


async def test_what_becomes_too_old_while_it_waits_is_counted_as_missed(site: Site) -> None:
    score = replace(plan_of("P101").score, catch_up_ns=90 * MINUTE)
    site.participants = [participant(plan_of(asset, score=score)) for asset in site.assets]
    await _after_a_stop(site, 80)
    await site.ticker.tick(site.participants)
    site.clock.advance(30 * 60.0)
    await site.tick()
    missed = site.ledger.counters().missed
    assert missed == 2 * 19
    assert len(site.dues("P101")) + missed // 2 == 111


async def test_a_model_whose_past_cannot_be_read_does_not_hold_up_the_others(site: Site) -> None:
    await _after_a_stop(site)
    await site.ticker.tick(site.participants)
    site.store.faults.unreadable.add("P101/Flow")
    while (await site.ticker.catch_up(site.participants)).more:
        pass
    assert (len(site.dues("P101")), len(site.dues("P102"))) == (2, STOP + 1)
    assert [what for what, _why in site.troubles] == ["P101/Health"]
    site.store.faults.unreadable.clear()
    await site.minutes(1)
    await site.minutes(1)
    assert site.dues("P101") == list(range(STOP + 3))


async def test_a_connection_lost_while_catching_up_loses_nothing(site: Site) -> None:
    await _after_a_stop(site)
    await site.ticker.tick(site.participants)
    site.store.faults.down = True
    await site.ticker.catch_up(site.participants)
    assert site.dues() == [0, STOP]
    site.store.faults.down = False
    await site.minutes(2)
    assert site.dues() == list(range(STOP + 3))


async def test_an_alarm_of_the_past_is_not_announced_and_one_that_lasts_is(site: Site) -> None:
    over = START + MINUTE * np.arange(20, 40) + 1
    site.store.append("P101/Flow", over, np.full(len(over), 90.0))
    lasts = START + MINUTE * np.arange(STOP - 10, STOP + 10) + 1
    site.store.append("P102/Flow", lasts, np.full(len(lasts), 90.0))
    await _after_a_stop(site)
    await site.tick()
    assert site.ledger.activations(0, 2**62) == ()
    assert max(run.score or 0.0 for run in site.runs("P101")) > 1.0
    await site.minutes(2)
    (announced,) = site.ledger.activations(0, 2**62)
    assert announced.model == "P102/Health"
    assert announced.announced_ns <= START + (STOP + 2) * MINUTE
    assert site.outputs("P102")["State"].value == State.MAINTENANCE_REQUIRED
    assert quality_of(site.outputs("P101")["Score"].status) is Quality.GOOD


async def test_no_delay_of_an_alarm_runs_on_over_what_is_not_scored_yet(tmp_path: Path) -> None:
    site = Site(tmp_path)
    plan = plan_of("P101", alarm=AlarmPlan(on_delay_ns=40 * MINUTE))
    site.participants = [participant(plan)]
    for minute in (0, 30):
        site.store.append("P101/Flow", np.array([START + minute * MINUTE]), np.array([90.0]))
    await site.tick()
    site.clock.advance(30 * 60.0)
    await site.ticker.tick(site.participants)
    site.clock.advance(60.0)
    site.store.append("P101/Flow", START + MINUTE * np.arange(31, 45), np.full(14, 90.0))
    for _ in range(10):
        await site.ticker.tick(site.participants)
        site.clock.advance(60.0)
    assert site.dues()[:2] == [0, 30]
    assert site.ledger.activations(0, 2**62) == ()
    site.ledger.close()


@dataclass
class Slow(OwnProcess):
    """Takes time by the site's own clock: so many runs a second."""

    site: Any = None
    runs_per_s: float = 100.0

    async def run(self, task: Task, _progress: Callable[[float, str], None] = lambda _f, _t: None) -> Any:
        """The task's result, later."""
        if task.name == "score":
            self.site.clock.advance(sum(len(one.due) - len(one.known) for one in task.argument[1]) / self.runs_per_s)
            await asyncio.sleep(0)
        return await super().run(task)


@pytest.mark.slow
async def test_while_a_stop_of_two_hours_is_made_good_the_present_is_at_most_two_intervals_late(tmp_path: Path) -> None:
    """60 models, and a worker that needs 72 s for their two hours: at every moment it works or waits for a tick."""
    site = Site(tmp_path, assets=ASSETS, worker=(worker := Slow()))
    worker.site = site
    await site.tick()
    site.clock.advance(120 * 60.0)
    began = site.clock.now_ns()
    lags: dict[int, float] = {}
    more = True
    while more or len(lags) < 3:
        outcome = await site.ticker.tick(site.participants)
        newest = site.ledger.newest_run(f"{ASSETS[-1]}/Health")
        assert newest is not None
        lags.setdefault(newest.due_ns, (site.clock.now_ns() - newest.due_ns) / 1e9)
        more = outcome.more and (await site.ticker.catch_up(site.participants)).more
        if not more:
            site.clock.advance(60.0)
    assert (site.clock.now_ns() - began) / 1e9 > 72
    assert len(site.dues(ASSETS[-1])) > 120
    assert max(lags.values()) <= 120
    assert max(lags.values()) <= 60 + SLICE_OF_ALL / worker.runs_per_s + len(ASSETS) / worker.runs_per_s + 1
    site.ledger.close()
