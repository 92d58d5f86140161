import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from tagsight.clocks import SECOND
from tagsight.errors import StorageError
from tagsight.ledger.records import OperatorAct
from tagsight.results import Run, State
from tagsight_connectors.history import Page, Span
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.quality import BAD_NO_COMMUNICATION, Quality, quality_of
from tests.plugin.small_site import MINUTE, START, Site, participant, plan_of

HOUR = 3_600.0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.ledger.close()


def _said(run: Run) -> tuple[int, float | None, int, str]:
    return run.due_ns, run.score, run.quality, run.reason


async def test_every_due_time_of_every_model_is_scored_once(site: Site) -> None:
    await site.tick()
    await site.minutes(5)
    assert await site.tick() == await site.tick()
    assert site.dues("P101") == site.dues("P102") == [0, 1, 2, 3, 4, 5]
    assert all(run.score is not None and quality_of(run.quality) is Quality.GOOD for run in site.runs())
    assert site.troubles == []


async def test_a_historian_that_is_down_makes_outputs_bad_and_everything_is_scored_when_it_is_back(site: Site) -> None:
    await site.tick()
    await site.minutes(3)
    site.store.faults.down = True
    await site.minutes(20)
    assert site.outputs()["Score"].status == BAD_NO_COMMUNICATION
    assert "no connection" in str(site.outputs()["Reason"].value)
    assert "no connection" in str(site.outputs()["Message"].value)
    site.store.faults.down = False
    await site.minutes(1)
    assert site.dues() == list(range(25))
    assert quality_of(site.outputs()["Score"].status) is Quality.GOOD


async def test_a_historian_that_is_down_at_start_loses_nothing_after_it_came(site: Site) -> None:
    site.store.faults.down = True
    await site.minutes(5)
    assert site.outputs()["Score"].status == BAD_NO_COMMUNICATION
    site.store.faults.down = False
    await site.minutes(3)
    assert site.dues() == [6, 7, 8]
    assert all(run.score is not None for run in site.runs())


async def test_a_connection_lost_between_two_pages_is_made_good_by_the_next_tick(site: Site) -> None:
    await site.tick()
    site.store.page_values = 3
    site.store.faults.lose_after_pages = 5
    await site.minutes(3)
    assert site.dues("P101") == site.dues("P102") == [0, 1, 2, 3]


async def test_a_trouble_is_told_once_and_again_when_it_comes_back(site: Site) -> None:
    site.participants[1] = participant(plan_of("P102"), {"Flow": "P102/Flow", "Pressure": "nowhere"})
    await site.minutes(3)
    assert [what for what, _why in site.troubles] == ["P102/Health"]
    site.participants[1] = participant(plan_of("P102"))
    await site.minutes(1)
    site.participants[1] = participant(plan_of("P102"), {"Flow": "P102/Flow", "Pressure": "nowhere"})
    await site.minutes(1)
    assert len(site.troubles) == 2


async def test_a_model_with_an_unknown_tag_says_so_and_does_not_stop_the_others(site: Site) -> None:
    site.participants[1] = participant(plan_of("P102"), {"Flow": "P102/Flow", "Pressure": "nowhere"})
    await site.minutes(3)
    assert site.dues("P101") == [1, 2, 3]
    assert site.dues("P102") == []
    assert "no tag 'nowhere'" in str(site.outputs("P102")["Reason"].value)
    assert quality_of(site.outputs("P102")["Score"].status) is Quality.BAD


async def test_a_tag_whose_history_may_not_be_read_stops_only_its_own_model(site: Site) -> None:
    site.store.faults.unreadable.add("P102/Flow")
    await site.minutes(3)
    assert site.dues("P101") == [1, 2, 3]
    assert "refused" in str(site.outputs("P102")["Reason"].value)
    site.store.faults.unreadable.clear()
    await site.minutes(1)
    assert site.dues("P102") == [4]


async def test_a_worker_that_fails_for_one_model_scores_the_others(site: Site) -> None:
    await site.tick()
    site.worker.failing = {"P102/Health"}
    await site.minutes(2)
    assert site.runs("P101")[-1].score is not None
    assert site.runs("P102")[-1].score is None
    assert "ended unexpectedly" in site.runs("P102")[-1].reason
    assert quality_of(site.outputs("P102")["Score"].status) is Quality.BAD
    site.worker.failing = set()
    await site.minutes(1)
    assert [run.score is not None for run in site.runs("P102")] == [True] * 4  # the failed ones are young: scored again


async def test_a_ledger_that_is_full_takes_nothing_by_halves(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.tick()

    def full(_record: object) -> NoReturn:
        raise StorageError(what="the ledger cannot be written: no space left", mend="Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(site.ledger, "record", full)
        for _ in range(3):
            site.clock.advance(60.0)
            with pytest.raises(StorageError):
                await site.tick()
    assert site.dues() == [0]
    await site.minutes(1)
    assert site.dues("P101") == site.dues("P102") == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("step", [-HOUR, HOUR, -24 * HOUR], ids=["hour-back", "hour-forward", "day-back"])
async def test_a_step_of_this_machines_clock_loses_no_due_time_and_scores_none_twice(site: Site, step: float) -> None:
    await site.tick()
    await site.minutes(5)
    site.clock.step(step)
    await site.minutes(5)
    site.store.faults.down = True
    await site.minutes(1)
    site.store.faults.down = False
    await site.minutes(2)
    assert site.dues() == list(range(14))
    assert not any(run.revised for run in site.runs())


async def test_a_service_that_starts_again_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = Site(tmp_path)
    await first.tick()
    await first.minutes(3)
    first.ledger.close()
    again = Site(tmp_path, clock=first.clock)
    await again.minutes(10)
    assert again.dues() == list(range(14))
    again.ledger.close()


async def test_what_is_older_than_a_day_is_counted_as_missed(site: Site) -> None:
    await site.tick()
    site.clock.advance(25 * HOUR)
    await site.tick()
    assert site.ledger.counters().missed == 2 * 59  # of each model, and the one at the edge is still scored


async def test_late_doubled_out_of_order_and_absurd_samples_give_what_a_clean_offline_run_gives(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "clean").mkdir()
    live, clean = Site(tmp_path / "live", stored=False), Site(tmp_path / "clean")
    rng = np.random.default_rng(5)
    arrivals: dict[int, list[tuple[str, int, float]]] = {}
    for address in (f"{asset}/{role}" for asset in live.assets for role in ("Flow", "Pressure")):
        for time, value in zip(*Site.samples(address), strict=True):
            minute = max(0, (int(time) - START) // MINUTE)
            late = int(rng.integers(1, 12)) if rng.random() < 0.05 else 0
            sample = (address, int(time), float(value))
            arrivals.setdefault(minute + late, []).append(sample)
            if rng.random() < 0.01:
                arrivals.setdefault(minute + late + 1, []).append(sample)

    def arrive(minute: int) -> None:
        for address, time, value in reversed(arrivals.get(minute, [])):
            live.store.append(address, np.array([time]), np.array([value]))

    for absurd in (2**63 - 1, -(2**63), START + 400 * 1440 * MINUTE):
        live.store.append("P101/Flow", np.array([absurd]), np.array([1e9]))
    arrive(0)
    await live.tick()
    await live.minutes(100, arrive)
    await clean.tick()
    clean.clock.advance(100 * 60.0)
    await clean.tick()
    settled = START + 85 * MINUTE
    for asset in live.assets:
        lived = [_said(run) for run in live.runs(asset) if START + 10 * MINUTE < run.due_ns <= settled]
        assert lived == [_said(run) for run in clean.runs(asset) if START + 10 * MINUTE < run.due_ns <= settled]
    assert any(run.revised for run in live.runs())
    assert max(live.ledger.watermarks().values()) == START + 100 * MINUTE
    live.ledger.close()
    clean.ledger.close()


@pytest.mark.parametrize("step", [-HOUR, HOUR, -24 * HOUR], ids=["hour-back", "hour-forward", "day-back"])
async def test_while_the_clocks_disagree_scores_are_uncertain_and_say_why(site: Site, step: float) -> None:
    await site.minutes(2)
    site.clock.step(step)
    await site.minutes(2)
    site.clock.step(-step)
    await site.minutes(2)
    runs = site.runs()
    assert [quality_of(run.quality) for run in runs] == [
        *2 * [Quality.GOOD],
        *2 * [Quality.UNCERTAIN],
        *2 * [Quality.GOOD],
    ]
    assert all("one of them is wrong" in run.reason for run in runs[2:4])
    assert all(run.score is not None for run in runs)
    assert [what for what, _why in site.troubles] == ["clock of default"]


async def test_a_step_of_the_historians_clock_makes_scores_uncertain_for_ten_minutes(site: Site) -> None:
    await site.minutes(2)
    running = site.store.now_ns
    site.store.now_ns = lambda: running() + 3 * MINUTE
    await site.minutes(14)
    doubted = [(run.due_ns - START) // MINUTE for run in site.runs() if "stepped by +180 s" in run.reason]
    assert doubted == list(range(3, 16))
    assert quality_of(site.outputs()["Score"].status) is Quality.GOOD
    assert site.dues() == list(range(1, 20))


async def test_a_bad_run_stays_bad_while_the_clocks_disagree(site: Site) -> None:
    site.clock.advance(175 * 60.0)
    site.clock.step(HOUR)
    await site.minutes(10)
    assert quality_of(site.runs()[-1].quality) is Quality.BAD
    assert site.runs()[-1].score is None


class Coarse(MemoryHistorian):
    """Cuts the end of a read to what its clock resolves, as historians do."""

    resolves_ns = 1

    def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        """Whatever lies before the cut end."""
        return super().read_raw(addresses, Span(span.start_ns, span.end_ns // self.resolves_ns * self.resolves_ns))


@pytest.mark.parametrize("resolves_ns", [1_000, 1_000_000, SECOND], ids=["microseconds", "milliseconds", "seconds"])
async def test_the_value_of_the_due_time_itself_is_scored_however_coarse_the_historians_clock_is(
    tmp_path: Path, resolves_ns: int
) -> None:
    site = Site(tmp_path)
    site.link.historian = Coarse(site.store)
    site.link.historian.resolves_ns = resolves_ns
    await site.minutes(3)
    for run in site.runs():
        times, values = Site.samples("P101/Flow")
        assert run.roles[0].actual == values[times == run.due_ns]
    assert site.dues() == [1, 2, 3]
    assert not any(run.revised for run in site.runs())
    site.ledger.close()


async def test_a_tag_that_falls_silent_is_not_scored_and_names_itself(site: Site) -> None:
    await site.tick()
    site.clock.advance(170 * 60.0)
    await site.minutes(20)
    assert site.runs()[-1].score is None
    assert "Flow" in site.runs()[-1].reason
    assert quality_of(site.outputs()["Score"].status) is Quality.BAD


async def test_an_alarm_is_announced_after_its_delay_held_while_nothing_can_be_scored_and_silent_when_off(
    site: Site,
) -> None:
    for minute in range(1, 180):
        site.store.append("P101/Flow", np.array([START + minute * MINUTE + 1]), np.array([90.0]))
    await site.minutes(3)
    assert site.outputs()["State"].value == State.OUT_OF_SPECIFICATION
    await site.minutes(1)
    assert (site.outputs()["State"].value, site.outputs()["Alarm"].value) == (State.MAINTENANCE_REQUIRED, 1)
    site.store.faults.down = True
    await site.minutes(1)
    assert (site.outputs()["State"].value, site.outputs()["Alarm"].value) == (State.MAINTENANCE_REQUIRED, 1)
    assert site.outputs()["Score"].status == BAD_NO_COMMUNICATION
    for number, model in enumerate(("P101/Health", "TagSight")):
        _switch(site, model, number, off=True)
        await site.minutes(1)
        assert (site.outputs()["State"].value, site.outputs()["Alarm"].value) == (State.FUNCTION_CHECK, 0)
        _switch(site, model, 10 + number, off=False)
    site.store.faults.down = False
    _switch(site, "TagSight", 20, off=True)
    await site.minutes(1)
    assert (site.outputs()["State"].value, site.outputs()["Alarm"].value) == (State.FUNCTION_CHECK, 0)
    assert site.runs()[-1].score is not None


def _switch(site: Site, model: str, number: int, *, off: bool) -> None:
    act = OperatorAct(f"entry {number}", model, "olga", site.clock.now_ns(), off=off)
    site.ledger.act([act], lambda _act, _state: None, {})


async def test_two_ticks_at_once_leave_each_run_once(site: Site) -> None:
    await site.tick()
    site.clock.advance(60.0)
    await asyncio.gather(site.ticker.tick(site.participants), site.ticker.tick(site.participants))
    assert site.dues() == [0, 1]
    assert not any(run.revised for run in site.runs())


async def test_a_model_on_trial_scores_and_never_alarms(site: Site) -> None:
    site.worker.trial = True
    site.store.append("P101/Flow", START + MINUTE * np.arange(1, 60) + 1, np.full(59, 90.0))
    await site.minutes(6)
    assert site.runs()[-1].score is not None
    assert (site.outputs()["State"].value, site.outputs()["Alarm"].value) == (State.FUNCTION_CHECK, 0)
    assert site.ledger.activations(0, START + 100 * MINUTE) == ()


async def test_a_coarser_grid_makes_a_model_due_less_often(site: Site) -> None:
    one = site.participants[0]
    coarse = replace(one.facts, card=replace(one.facts.card, grid_ns=5 * MINUTE))
    site.participants[0] = replace(one, facts=coarse)
    site.participants[1] = participant(plan_of("P102"))
    await site.minutes(12)
    assert all(run.due_ns % (5 * MINUTE) == 0 for run in site.runs("P101"))
    assert len(site.runs("P102")) == 12
