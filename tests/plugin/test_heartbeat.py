"""The heartbeat file moves whatever happens to the disk, and a torn read is seen."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.clocks import SECOND, SetClock
from tagsight.errors import StorageError
from tagsight.heartbeat import SIZE, HeartbeatFile, HeartbeatWatch, PluginStatus, decode, encode, is_stale


@pytest.fixture
def file(tmp_path: Path) -> HeartbeatFile:
    return HeartbeatFile(tmp_path / "heartbeat")


def beat(file: HeartbeatFile, clock: SetClock, heartbeat: int) -> None:
    file.write(PluginStatus(heartbeat, clock.now_ns()))


def test_what_is_written_is_read_and_the_size_never_changes(file: HeartbeatFile) -> None:
    full = PluginStatus(7, 10**18, 1, 2, 3, 4, 1.5, 30.0, off=True, message="grün" * 100)
    file.write(PluginStatus(6, 1))
    inode = file.path.stat().st_ino
    file.write(full)
    read = file.read()
    assert read is not None
    assert (read.heartbeat, read.off, read.message) == (7, True, ("grün" * 100)[:120])
    assert (file.path.stat().st_size, file.path.stat().st_ino) == (SIZE, inode)


def test_there_is_no_status_before_the_first(file: HeartbeatFile) -> None:
    assert file.read() is None


def test_a_folder_that_is_gone_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        HeartbeatFile(tmp_path / "gone" / "heartbeat").write(PluginStatus(1, 1))


NUMBERS = st.integers(0, 2**53)


@given(old=NUMBERS, new=NUMBERS, torn_at=st.integers(0, SIZE))
def test_a_torn_read_is_the_old_status_or_the_new_or_none(old: int, new: int, torn_at: int) -> None:
    before, after = PluginStatus(old, old), PluginStatus(new, new, message="x" * (new % 100))
    read = decode(encode(after)[:torn_at] + encode(before)[torn_at:])
    assert read in {before, after, None}


def test_half_of_one_status_and_half_of_another_is_seen() -> None:
    before, after = PluginStatus(1111, 1111), PluginStatus(2222, 2222)
    for torn_at in range(SIZE):
        assert decode(encode(after)[:torn_at] + encode(before)[torn_at:]) in {before, after, None}


@given(noise=st.binary(max_size=SIZE + 1))
def test_noise_is_no_status(noise: bytes) -> None:
    assert decode(noise.ljust(SIZE, b"\0")[:SIZE]) is None


def test_it_is_stale_15_s_after_the_last_beat(file: HeartbeatFile) -> None:
    clock = SetClock(10**18)
    watch = HeartbeatWatch(file, clock)
    beat(file, clock, 1)
    assert watch.is_alive()
    clock.advance(15.0)
    assert watch.is_alive()
    clock.advance(0.1)
    assert not watch.is_alive()
    beat(file, clock, 2)
    assert watch.is_alive()


@pytest.mark.parametrize("step", [-86_400.0, -3_600.0, 3_600.0])
def test_a_step_of_the_wall_clock_changes_nothing(file: HeartbeatFile, step: float) -> None:
    clock = SetClock(10**18)
    watch = HeartbeatWatch(file, clock)
    beat(file, clock, 1)
    assert watch.is_alive()
    clock.step(step)
    assert watch.is_alive()
    clock.advance(16.0)
    assert not watch.is_alive()


def test_an_old_file_found_at_the_start_is_stale_until_it_moves(file: HeartbeatFile) -> None:
    clock = SetClock(10**18)
    beat(file, clock, 1)
    clock.advance(60.0)
    watch = HeartbeatWatch(file, clock)
    assert not watch.is_alive()
    beat(file, clock, 2)
    assert watch.is_alive()


def test_an_orderly_stop_is_seen_at_once(file: HeartbeatFile) -> None:
    clock = SetClock(10**18)
    watch = HeartbeatWatch(file, clock)
    beat(file, clock, 1)
    assert watch.is_alive()
    beat(file, clock, 0)
    assert not watch.is_alive()
    assert watch.stopped_orderly()


def test_one_look_goes_by_the_wall_clock() -> None:
    assert not is_stale(PluginStatus(1, 100 * SECOND), 115 * SECOND)
    assert is_stale(PluginStatus(1, 100 * SECOND), 116 * SECOND)
    assert is_stale(PluginStatus(1, 100 * SECOND), 80 * SECOND)
    assert is_stale(PluginStatus(0, 100 * SECOND), 100 * SECOND)
