"""Gaps are filled in pieces and end as filled or, explicitly, as not recovered."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tagsight_connectors.errors import AccessRefused, IncompleteRead, NotConnected
from tagsight_connectors.history import Span
from tagsight_connectors.reading import read_history
from tagsight_connectors.store.backfill import Backfilled, backfill_step
from tagsight_connectors.store.days import DAY_NS
from tagsight_connectors.store.gaps import GapState
from tagsight_connectors.store.history_store import StoreBounds
from tests.connectors.store.stored_plant import HOSTILE, HOUR, MODE, SPEED, START, TAGS, StoredPlant

ROOT = Path(__file__).parents[3]
SECOND = 1_000_000_000
REFILL = 30 * DAY_NS


@pytest_asyncio.fixture
async def plant(tmp_path: Path) -> AsyncIterator[StoredPlant]:
    made = await StoredPlant(tmp_path / "store").connect()
    yield made
    made.store.close()


async def fill(plant: StoredPlant, refill_ns: int = REFILL) -> list[Backfilled]:
    done = [await backfill_step(plant.stored, TAGS, refill_ns)]
    while done[-1].more:
        done.append(await backfill_step(plant.stored, TAGS, refill_ns))
    return done


def note(plant: StoredPlant, address: str, start_ns: int, length_ns: int) -> None:
    plant.store.gaps.note(plant.key(address), Span(start_ns, start_ns + length_ns), "link down", plant.now_ns)


async def test_a_step_asks_for_a_day_of_few_tags_so_that_ticks_come_between(
    plant: StoredPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagsight_connectors.store.limits.TAGS_AT_ONCE", 2)
    plant.store.gaps.note(plant.key(""), Span(START, START + 3 * DAY_NS), "link down", plant.now_ns)
    done = await fill(plant)
    assert [step.asked for step in done] == [2, 1, 2, 1, 2, 1, 0]
    assert max(span.end_ns - span.start_ns for _, span in plant.historian.asked) == DAY_NS


async def test_a_filled_gap_is_stored_and_not_asked_again(plant: StoredPlant) -> None:
    note(plant, SPEED, START + HOUR, 2 * DAY_NS)
    (gap,) = (await fill(plant))[-1].filled
    assert (gap.tag.address, gap.cause) == (SPEED, "link down")
    plant.historian.asked.clear()
    given_by_store, held = await plant.both(Span(START, START + 3 * DAY_NS), [SPEED])
    assert given_by_store == held
    assert plant.historian.asked == []
    assert plant.store.gaps.totals().filled == 1


async def test_a_gap_in_a_day_that_is_not_over_stays_open_until_it_is(plant: StoredPlant) -> None:
    note(plant, SPEED, plant.now_ns - HOUR, SECOND)
    assert (await fill(plant))[-1].filled == ()
    plant.now_ns += DAY_NS
    assert len((await fill(plant))[-1].filled) == 1


async def test_a_gap_that_goes_on_waits_for_its_end(plant: StoredPlant) -> None:
    plant.store.gaps.begin("plant", START, "link down", plant.now_ns)
    plant.store.gaps.begin("plant", START + HOUR, "link still down", plant.now_ns)
    assert await fill(plant) == [Backfilled()]
    plant.store.gaps.end("plant", START + DAY_NS)
    (gap,) = (await fill(plant))[-1].filled
    assert (gap.start_ns, gap.end_ns, gap.cause) == (START, START + DAY_NS, "link down")
    held = plant.store.held([plant.key(address) for address in TAGS], range(START // DAY_NS, START // DAY_NS + 1))
    assert all(held.values())


async def test_a_gap_beyond_the_limit_is_not_recovered_and_says_why(plant: StoredPlant) -> None:
    plant.historian.refuse[SPEED] = IncompleteRead(SPEED, START, START + DAY_NS, "no such archive")
    note(plant, SPEED, START, HOUR)
    await fill(plant)
    plant.now_ns += 31 * DAY_NS
    (gap,) = (await fill(plant))[0].not_recovered
    assert gap.tag.address == SPEED
    (settled,) = plant.store.gaps.newest(GapState.NOT_RECOVERED)
    assert settled.cause.startswith("not filled within 30 days: ")
    assert "no such archive" in settled.cause
    assert plant.store.gaps.totals().not_recovered == 1
    assert (await fill(plant)) == [Backfilled()]


async def test_a_tag_that_fails_waits_apart_and_the_others_are_filled(plant: StoredPlant) -> None:
    plant.historian.refuse[MODE] = AccessRefused("history", "not for you")
    plant.store.gaps.begin("plant", START, "TagSight was not running", plant.now_ns)
    plant.store.gaps.end("plant", START + 2 * DAY_NS)
    (common,) = (await fill(plant))[-1].filled
    assert common.tag.address == ""
    (own,) = plant.store.gaps.open_gaps("plant")
    assert (own.tag.address, own.attempts) == (MODE, 1)
    assert "not for you" in own.cause
    plant.historian.refuse.clear()
    assert await fill(plant) == [Backfilled()]  # not its turn yet
    plant.now_ns += HOUR
    assert len((await fill(plant))[-1].filled) == 1


async def test_without_a_connection_nothing_is_lost(plant: StoredPlant) -> None:
    note(plant, SPEED, START, 3 * DAY_NS)
    plant.memory.faults.lose_after_pages = 3
    with pytest.raises(NotConnected):
        await fill(plant)
    await plant.stored.connect()
    assert len((await fill(plant))[-1].filled) == 1


async def test_a_full_store_gives_a_gap_up_explicitly(tmp_path: Path) -> None:
    plant = await StoredPlant(tmp_path, bounds=StoreBounds(at_most_bytes=5_000)).connect()
    note(plant, SPEED, START, 3 * DAY_NS)
    plant.store.gaps.note(plant.key(HOSTILE), Span(START, START + DAY_NS), "link down", plant.now_ns)
    done = await fill(plant)
    assert [gap.tag.address for step in done for gap in step.not_recovered] or done[-1].filled
    plant.store.close()


async def test_a_gap_within_an_open_one_is_known_already(plant: StoredPlant) -> None:
    note(plant, SPEED, START, DAY_NS)
    note(plant, SPEED, START + HOUR, HOUR)
    note(plant, SPEED, START + HOUR, DAY_NS)
    assert len(plant.store.gaps.open_gaps("plant")) == 2


async def test_with_too_many_open_gaps_the_newest_of_a_tag_grows(
    plant: StoredPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagsight_connectors.store.limits.GAPS", 2)
    for hour in (0, 2, 4, 6):
        note(plant, SPEED, START + hour * HOUR, HOUR)
    gaps = plant.store.gaps.open_gaps("plant")
    assert [(gap.start_ns - START, (gap.end_ns or 0) - START) for gap in gaps] == [(0, HOUR), (2 * HOUR, 7 * HOUR)]


TWELVE = [  # hours from the start, seconds long, tag ("": all); overlapping, from 1 s to 5 days
    (1, 1, SPEED),
    (1, 3600, SPEED),
    (1.5, 3600, MODE),
    (2, 86_400, SPEED),
    (10, 2 * 86_400, ""),
    (20, 86_400, MODE),
    (24, 60, HOSTILE),
    (30, 5 * 86_400, SPEED),
    (47, 20 * 3600, ""),
    (47.5, 10, MODE),
    (100, 36 * 3600, HOSTILE),
]


@pytest.mark.slow
@pytest.mark.faults
def test_twelve_overlapping_gaps_are_all_filled_though_the_backfill_is_killed_again_and_again(tmp_path: Path) -> None:
    kills, ended = 0, None
    while ended is None:
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name("killed_backfill.py"), tmp_path, str(3 + 5 * kills)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=False,
            timeout=100,
        )
        if done.returncode == -signal.SIGKILL:
            kills += 1
        else:
            assert done.returncode == 0, done.stderr
            ended = json.loads(done.stdout)
    assert kills >= 5
    assert ended == {"open": 0, "filled": 12, "not recovered": 0, "same": True, "asked again": 0}


async def test_a_pull_that_broke_is_completed_by_the_backfill(plant: StoredPlant) -> None:
    plant.memory.faults.lose_after_pages = 5
    whole = Span(START, START + 6 * DAY_NS)
    with pytest.raises(NotConnected):
        await read_history(plant.stored, TAGS, whole)
    await plant.stored.connect()
    await fill(plant)
    plant.historian.asked.clear()
    given_by_store, held = await plant.both(whole)
    assert given_by_store == held
    assert plant.historian.asked == []
