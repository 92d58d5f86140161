"""A historian's clock that cannot be believed is said in words, and followed or not followed as before."""

import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.server_clock import STEADY_AFTER_S, SYNC_S, ServerClock

NOW = 1_760_000_000 * SECOND
HOUR = 3_600.0
DAY = 24 * HOUR


@pytest.fixture
def server() -> ServerClock:
    return ServerClock(SetClock(NOW))


def _looks(server: ServerClock, ahead_s: float = 0.0) -> None:
    """A minute later, the historian tells the time again."""
    clock = server.clock
    assert isinstance(clock, SetClock)
    clock.advance(60.0)
    server.look(clock.now_ns() + round(ahead_s * SECOND))


@pytest.mark.parametrize("ahead_s", [0.0, 29.0, -29.0, 1_700.0, -1_700.0])
def test_a_clock_that_drifts_or_is_some_minutes_off_is_believed(server: ServerClock, ahead_s: float) -> None:
    server.look(NOW + round(ahead_s * SECOND))
    _looks(server, ahead_s)
    assert server.trouble == ""
    assert server.difference_s == pytest.approx(ahead_s)


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [
        pytest.param(HOUR, "60 min ahead of this machine's", id="hour-ahead"),
        pytest.param(-HOUR, "60 min behind this machine's", id="hour-behind"),
        pytest.param(DAY, "1440 min ahead", id="day-ahead"),
    ],
)
def test_a_clock_that_is_an_hour_off_is_not_believed_until_it_is_right(
    server: ServerClock, ahead_s: float, words: str
) -> None:
    server.look(NOW + round(ahead_s * SECOND))
    assert words in server.trouble
    _looks(server)
    assert "stepped" in server.trouble  # back to right is a step too
    for _ in range(10):
        _looks(server)
    assert server.trouble == ""


@pytest.mark.parametrize("step", [-HOUR, HOUR, DAY], ids=["back", "forward", "a-day"])
def test_a_step_of_this_machines_clock_is_seen_as_two_clocks_that_disagree(server: ServerClock, step: float) -> None:
    server.look(NOW)
    clock = server.clock
    assert isinstance(clock, SetClock)
    clock.step(step)
    assert "one of them is wrong" in server.trouble
    clock.step(-step)
    assert server.trouble == ""


@pytest.mark.parametrize("step", [-40.0, 40.0, 600.0])
def test_a_step_of_the_historians_clock_is_told_for_ten_minutes(server: ServerClock, step: float) -> None:
    server.look(NOW)
    _looks(server, step)
    assert server.trouble.startswith(f"the historian's clock stepped by {step:+.0f} s at 2025-10-09 ")
    for _ in range(round(STEADY_AFTER_S / SYNC_S) - 1):
        _looks(server, step)
        assert "stepped" in server.trouble
    _looks(server, step)
    assert server.trouble == ""


@pytest.mark.parametrize("absurd", [0, -(2**62), 2**62, 4_102_444_801 * SECOND])
def test_a_time_that_cannot_be_is_not_followed_and_asked_again(server: ServerClock, absurd: int) -> None:
    server.look(absurd)
    assert server.now_ns() == server.clock.now_ns()
    assert "before 2000 or after 2100" in server.trouble
    clock = server.clock
    assert isinstance(clock, SetClock)
    assert not server.due
    clock.advance(SYNC_S)
    assert server.due
    server.look(clock.now_ns())
    assert server.trouble == ""


def test_a_historian_without_a_clock_is_no_trouble_and_never_asked_again(server: ServerClock) -> None:
    server.look(None)
    clock = server.clock
    assert isinstance(clock, SetClock)
    clock.advance(10 * SYNC_S)
    assert (server.trouble, server.due, server.known) == ("", False, False)
    assert server.now_ns() == clock.now_ns()
