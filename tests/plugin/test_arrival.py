import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.arrival import Arrivals, wait_of, watch
from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight_connectors.errors import NotConnected
from tagsight_connectors.history import Sample
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.tag import Tag

NOW = 1_760_000_000 * SECOND
MINUTE = 60 * SECOND


def sample(seconds: float, address: str = "Flow") -> Sample:
    return Sample(address, NOW + round(seconds * SECOND), 1.0, 0)


def test_only_what_became_new_between_two_looks_has_a_delay() -> None:
    arrivals = Arrivals()
    arrivals.look([sample(-30), sample(0, "Level")], NOW)
    arrivals.look([sample(7), sample(0, "Level")], NOW + 10 * SECOND)
    arrivals.look([sample(7), sample(11, "Level")], NOW + 20 * SECOND)
    assert arrivals.delays == {"Flow": [3 * SECOND], "Level": [9 * SECOND]}
    assert arrivals.newest == {"Flow": NOW + 7 * SECOND, "Level": NOW + 11 * SECOND}


def test_without_a_clock_of_the_historian_nothing_is_measured() -> None:
    arrivals = Arrivals()
    for second in range(3):
        arrivals.look([sample(second)], None)
    assert arrivals.wait_ns(MINUTE) is None


@given(st.lists(st.integers(0, 10**13), max_size=50), st.integers(SECOND, 10**13))
def test_a_wait_lies_between_five_seconds_and_the_scoring_interval(delays: list[int], every_ns: int) -> None:
    wait = wait_of(delays, every_ns)
    if not delays:
        assert wait is None
    else:
        assert wait is not None
        assert 5 * SECOND <= wait <= max(5 * SECOND, every_ns)
        assert wait >= every_ns or sum(delay <= wait for delay in delays) >= 0.9 * len(delays) - 1


@pytest.mark.parametrize(("delay_s", "wait_s"), [(0.2, 5), (5, 5), (7, 10), (21, 25), (300, 60)])
def test_a_wait_is_what_values_take_in_steps_of_five_seconds(delay_s: float, wait_s: int) -> None:
    assert wait_of([round(delay_s * SECOND)] * 20, MINUTE) == wait_s * SECOND


async def test_values_that_come_while_a_model_trains_tell_how_long_they_take() -> None:
    clock = SetClock(NOW)
    store = MemoryStore("arrivals", now_ns=clock.now_ns)
    store.add(Tag("Flow", "Flow"))
    store.append("Flow", [NOW - MINUTE], [1.0])
    arrivals, link = Arrivals(), Link("default", MemoryHistorian(store), clock)
    watching: list[asyncio.Task[None]] = []

    async def pause(_seconds: float) -> None:
        clock.advance(1.0)
        store.append("Flow", [clock.now_ns() - 12 * SECOND], [1.0])
        if len(arrivals.delays.get("Flow", ())) == 20:
            watching[0].cancel()
        await asyncio.sleep(0)

    watching.append(asyncio.create_task(watch(arrivals, link, ["Flow"], pause)))
    with pytest.raises(asyncio.CancelledError):
        await watching[0]
    assert arrivals.wait_ns(MINUTE) == 15 * SECOND


async def test_a_historian_that_goes_away_ends_the_watching_and_nothing_else() -> None:
    clock = SetClock(NOW)
    store = MemoryStore("gone", now_ns=clock.now_ns)
    store.faults.down = True
    arrivals, link = Arrivals(), Link("default", MemoryHistorian(store), clock)
    await watch(arrivals, link, ["Flow"])
    assert arrivals.wait_ns(MINUTE) is None
    with pytest.raises(NotConnected):
        await link.use(lambda historian: historian.describe())
