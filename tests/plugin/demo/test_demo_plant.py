"""The shipped recording of the demo's plant."""

from pathlib import Path

import numpy as np
import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.demo import plant as recording
from tagsight.demo.historian import Feed
from tagsight.demo.plant import EPISODE_MINUTES, FAULT_MINUTES, HISTORY_MINUTES, LIVE_MINUTES, ONSETS, TAGS, Plant
from tagsight_connectors.opcua.memory_source import MemorySource

START = 1_790_000_000 * SECOND


@pytest.fixture(scope="module")
def plant() -> Plant:
    return Plant()


def test_the_recording_is_small_enough_to_ship() -> None:
    folder = Path(recording.__file__).parent
    assert sum(file.stat().st_size for file in folder.glob("*.parquet")) < 3_000_000


def test_the_history_has_a_good_value_of_every_tag_each_second_for_two_compressed_weeks(plant: Plant) -> None:
    history = plant.history(START)
    assert len(history) == len(TAGS) == 10
    for one in history.values():
        assert len(one) == HISTORY_MINUTES
        assert one.times[-1] == START - SECOND
        assert set(np.diff(one.times)) == {SECOND}
        assert np.isfinite(one.values.astype(float)).all()
        assert not one.status.any()


def test_every_tag_stays_within_its_range_and_moves(plant: Plant) -> None:
    for tag in TAGS:
        assert tag.eu_range.low <= plant.normal[tag.name].min() < plant.normal[tag.name].max() <= tag.eu_range.high


def test_a_fault_shows_only_in_its_loop_and_passes(plant: Plant) -> None:
    onset = ONSETS[3]

    def differing(since: int) -> dict[str, float]:
        fault = plant.live(onset + since, START, onset)
        normal = plant.live(onset + since, START)
        return {
            a.address[-6:]: abs(float(a.value or 0) - float(b.value or 0)) for a, b in zip(fault, normal, strict=True)
        }

    assert max(differing(-1).values()) == 0
    during = differing(30)
    assert during.pop("TV-201") > 10
    during.pop("TT-201")
    assert max(during.values()) == 0
    assert max(differing(FAULT_MINUTES - 1).values()) > 10
    assert max(differing(EPISODE_MINUTES - 1).values()) < 0.5
    assert max(differing(EPISODE_MINUTES).values()) == 0


@pytest.mark.parametrize("minute", [0, 1, 59, 60, 61, LIVE_MINUTES - 100, LIVE_MINUTES, 5 * LIVE_MINUTES + 7])
def test_a_fault_can_begin_soon_after_any_minute_also_when_the_recording_starts_again(
    plant: Plant, minute: int
) -> None:
    onset = recording.next_onset(minute)
    assert minute <= onset <= minute + EPISODE_MINUTES + 2 * recording.ONSET_MINUTES
    assert plant.live(onset, START, onset)[0].time_ns == START


def test_the_feed_appends_each_second_once_and_catches_up(plant: Plant) -> None:
    clock = SetClock(START)
    source = MemorySource(plant.variables(), plant.history(START))
    feed = Feed(plant, source, clock, START)
    feed.catch_up()
    clock.advance(3.4)
    feed.catch_up()
    feed.catch_up()
    assert feed.minute == 4
    newest = source.changes(0).samples
    assert {sample.time_ns for sample in newest} == {START + 3 * SECOND}


def test_an_injected_fault_begins_at_the_time_that_was_told(plant: Plant) -> None:
    clock = SetClock(START)
    feed = Feed(plant, MemorySource(plant.variables(), plant.history(START)), clock, START)
    clock.advance(10)
    feed.catch_up()
    assert feed.inject() == START + recording.ONSET_MINUTES * SECOND
    clock.advance(70)
    feed.catch_up()
    newest = {sample.address[-6:]: sample.value for sample in feed.source.changes(0).samples}
    assert newest["TV-201"] == plant.live(80, START, recording.ONSET_MINUTES)[7].value != plant.live(80, START)[7].value
