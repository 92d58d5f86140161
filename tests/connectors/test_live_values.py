"""Recent values from a subscription, the rest from history: together they are what history alone says."""

from collections.abc import AsyncIterator, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_connectors.aggregates import Aggregate
from tagsight_connectors.errors import AccessRefused, NotConnected, Unsupported
from tagsight_connectors.history import Page, Span, TagHistory
from tagsight_connectors.live import Arrived, Receiver
from tagsight_connectors.live_values import Live, LiveValues
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.quality import BAD_DATA_LOST, BAD_NO_COMMUNICATION, BAD_WAITING_FOR_INITIAL_DATA
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import Tag

SECOND = 1_000_000_000
BEGIN = 1_700_000_000 * SECOND
HOUR = 3_600 * SECOND


class Watching:
    """A subscription of the plant below."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.addresses: list[str] = []
        self.failure = ""

    async def watch(self, addresses: Sequence[str]) -> Mapping[str, str]:
        self.addresses += [each for each in addresses if each != "refused"]
        return {"refused": "no such item"} if "refused" in addresses else {}

    async def close(self) -> None:
        self.failure = "closed"


class Plant(MemoryHistorian):
    """A historian in memory that tells values as they change; `step` makes a second pass."""

    def __init__(self, *, bare: Sequence[str] = (), offers: bool = True) -> None:
        super().__init__(MemoryStore("live"))
        self.second = 0
        self.store.now_ns = lambda: BEGIN + self.second * SECOND
        self.bare, self.offers, self.sampled = frozenset(bare), offers, False
        self.subscription: Watching | None = None
        self.asked: list[Span] = []
        self.store.faults.unreadable = set(self.bare)
        for address in ("a", "b", "refused"):
            self.store.add(Tag(address, address))
        self.tell("a", lost=False)
        self.tell("b", lost=False)

    async def subscribe(self, receiver: Receiver) -> Watching:
        if not self.offers:
            raise Unsupported("subscriptions")
        self.subscription = Watching(receiver)
        return self.subscription

    async def without_history(self, addresses: Sequence[str]) -> Sequence[str]:
        return [each for each in addresses if each in self.bare]

    async def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        self.asked.append(span)
        async for page in super().read_raw(addresses, span):
            yield page

    def tell(self, address: str, *, lost: bool) -> None:
        """The plant has a value now; a subscription tells it, or it is lost on the way."""
        now = self.store.now_ns()
        self.store.append(address, [now], [float(self.second)])
        if not lost:
            self.current(address)

    def current(self, address: str, *, overflow: bool = False) -> None:
        found = self.store.history(address)
        newest = TagHistory(found.times[-1:].copy(), found.values[-1:].copy(), found.status[-1:].copy())
        watching = self.subscription
        if watching is not None and not watching.failure and address in watching.addresses:
            watching.receiver.receive([Arrived(address, newest, overflow, self.sampled)], self.store.now_ns())

    def pass_seconds(self, count: int, *addresses: str, lost: bool = False) -> None:
        for _ in range(count):
            self.second += 1
            for address in addresses or ("a", "b"):
                self.tell(address, lost=lost)

    @property
    def last_hour(self) -> Span:
        return Span(self.store.now_ns() - HOUR, self.store.now_ns() + 1)


async def begun(plant: Plant, mode: Live = Live.SUBSCRIPTION, *addresses: str) -> LiveValues:
    """Connected, and watching with the current values told."""
    live = LiveValues(plant, mode)
    await live.connect()
    await read_history(live, addresses or ("a", "b"), plant.last_hour)
    for address in addresses or ("a", "b"):
        plant.current(address)
    return live


async def assert_as_history(live: LiveValues, plant: Plant, span: Span, *addresses: str) -> None:
    found = await read_history(live, addresses or ("a", "b"), span)
    for address, history in found.tags.items():
        stored = plant.store.history(address, span)
        assert history.times.tolist() == stored.times.tolist()
        assert np.array_equal(history.values, stored.values, equal_nan=True)
        assert history.status.tolist() == stored.status.tolist()


async def test_what_was_received_is_not_asked_of_history_again() -> None:
    plant = Plant()
    plant.pass_seconds(30)
    live = await begun(plant)
    plant.pass_seconds(30)
    await assert_as_history(live, plant, plant.last_hour)
    plant.pass_seconds(2_000)  # the doubt about the time before the subscription is over
    await assert_as_history(live, plant, plant.last_hour)
    plant.asked.clear()
    plant.pass_seconds(10)
    await assert_as_history(live, plant, plant.last_hour)
    assert plant.asked == []


async def test_values_that_history_took_late_before_the_subscription_are_seen() -> None:
    plant = Plant()
    plant.pass_seconds(60)
    live = await begun(plant)
    await assert_as_history(live, plant, plant.last_hour)
    plant.store.append("a", [BEGIN + 30 * SECOND + 5], [99.0])
    await assert_as_history(live, plant, plant.last_hour)


async def test_a_full_queue_is_filled_from_history() -> None:
    plant = Plant()
    live = await begun(plant)
    plant.pass_seconds(10)
    plant.pass_seconds(20, "a", lost=True)
    plant.second += 1
    plant.tell("a", lost=True)
    plant.current("a", overflow=True)
    plant.pass_seconds(5)
    await assert_as_history(live, plant, plant.last_hour)
    assert live.trouble == ""


async def test_what_a_sampling_server_does_not_tell_comes_from_history() -> None:
    plant = Plant(bare=["b"])
    plant.sampled = True
    live = await begun(plant)
    for _ in range(200):
        plant.pass_seconds(4, lost=True)
        plant.pass_seconds(1)
    await assert_as_history(live, plant, plant.last_hour, "a")
    received = (await read_history(live, ["b"], plant.last_hour)).tags["b"]
    assert received.values[1:].tolist() == [float(at) for at in range(0, 1_001, 5)]
    assert set(received.status[1:].tolist()) == {0}


async def test_a_lost_connection_is_filled_from_history_after_the_next_one() -> None:
    plant = Plant()
    live = await begun(plant)
    plant.pass_seconds(10)
    await live.close()
    plant.pass_seconds(50, lost=True)
    with pytest.raises(NotConnected):
        await read_history(live, ["a"], plant.last_hour)
    await live.connect()
    await assert_as_history(live, plant, plant.last_hour)  # nothing told yet: history
    plant.current("a")
    plant.current("b")
    plant.pass_seconds(5)
    await assert_as_history(live, plant, plant.last_hour)
    assert plant.subscription is not None
    assert sorted(plant.subscription.addresses) == ["a", "b"]


async def test_a_subscription_that_failed_is_begun_again_by_the_next_read() -> None:
    plant = Plant()
    live = await begun(plant)
    assert plant.subscription is not None
    plant.subscription.failure = "messages were lost"
    plant.pass_seconds(10, lost=True)
    await assert_as_history(live, plant, plant.last_hour)
    plant.current("a")
    plant.pass_seconds(10)
    await assert_as_history(live, plant, plant.last_hour)
    assert plant.subscription.failure == ""


async def test_a_server_without_subscriptions_is_read_by_history_alone() -> None:
    plant = Plant(offers=False)
    live = await begun(plant)
    plant.pass_seconds(10)
    await assert_as_history(live, plant, plant.last_hour)
    assert "subscriptions" in live.trouble
    assert live.watched == {}


async def test_an_item_that_the_server_refuses_is_read_by_history() -> None:
    plant = Plant()
    live = await begun(plant, Live.SUBSCRIPTION, "a", "refused")
    plant.pass_seconds(10, "a", "refused")
    await assert_as_history(live, plant, plant.last_hour, "a", "refused")
    assert list(live.watched) == ["a"]


async def test_the_past_is_read_from_history_and_not_watched() -> None:
    plant = Plant()
    plant.pass_seconds(10)
    live = LiveValues(plant)
    await live.connect()
    old = Span(BEGIN - 100 * HOUR, BEGIN + 5 * SECOND)
    await assert_as_history(live, plant, old)
    assert live.watched == {}


async def test_auto_watches_only_what_has_no_history() -> None:
    plant = Plant(bare=["b"])
    live = await begun(plant, Live.AUTO)
    plant.pass_seconds(5)
    assert list(live.watched) == ["b"]
    found = (await read_history(live, ["a", "b"], plant.last_hour)).tags
    assert len(found["a"]) == 6
    assert found["b"].values[1:].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


async def test_a_tag_without_history_is_bad_where_nothing_was_received() -> None:
    plant = Plant(bare=["b"])
    plant.pass_seconds(100)
    live = await begun(plant, Live.AUTO, "b")
    plant.pass_seconds(3)
    plant.second += 10
    plant.tell("b", lost=True)
    plant.current("b", overflow=True)
    found = (await read_history(live, ["b"], plant.last_hour)).tags["b"]
    assert found.status.tolist() == [BAD_WAITING_FOR_INITIAL_DATA, 0, 0, 0, 0, BAD_DATA_LOST, 0]
    assert (found.times[[0, 1, 5]] - BEGIN).tolist() == [
        103 * SECOND + 10 * SECOND - HOUR,
        100 * SECOND,
        103 * SECOND + 1,
    ]
    assert plant.subscription is not None
    plant.subscription.failure, plant.offers = "silent", False
    plant.second += 5
    found = (await read_history(live, ["b"], plant.last_hour)).tags["b"]
    assert (found.status[-1], found.times[-1]) == (BAD_NO_COMMUNICATION, BEGIN + 113 * SECOND + 1)


async def test_the_long_past_of_a_tag_without_history_is_refused() -> None:
    plant = Plant(bare=["b"])
    live = await begun(plant, Live.AUTO, "b")
    with pytest.raises(AccessRefused):
        await read_history(live, ["b"], Span(BEGIN - 1_000 * HOUR, plant.last_hour.end_ns))


async def test_averages_of_a_tag_without_history_come_from_what_was_received() -> None:
    plant = Plant(bare=["b"])
    live = await begun(plant, Live.AUTO, "b")
    plant.pass_seconds(100, "b")
    part = Span(BEGIN + 10 * SECOND, BEGIN + 20 * SECOND)
    found = await live.read_processed(["b"], part, Aggregate.AVERAGE, 10 * SECOND)
    assert found.tags["b"].values.tolist() == [14.5]


async def test_memory_is_bounded_and_what_was_forgotten_comes_from_history() -> None:
    plant = Plant()
    live = LiveValues(plant, most_values=200)
    await live.connect()
    await read_history(live, ["a", "b"], plant.last_hour)
    plant.current("a")
    plant.current("b")
    plant.pass_seconds(1_000)
    assert sum(map(len, live.watched.values())) <= 201
    await assert_as_history(live, plant, plant.last_hour)


async def test_values_older_than_any_read_asks_for_are_forgotten() -> None:
    plant = Plant()
    live = await begun(plant)
    for _ in range(50):
        plant.pass_seconds(100)
        await assert_as_history(live, plant, Span(plant.store.now_ns() - 60 * SECOND, plant.store.now_ns() + 1))
    assert all(len(buffer) < 4_600 for buffer in live.watched.values())


ACTIONS = st.sampled_from(["pass", "sampled", "overflow", "reconnect", "fail", "read", "short read"])


@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=25))
async def test_whatever_happens_the_values_are_those_of_history(actions: list[str]) -> None:
    plant = Plant()
    live = await begun(plant)
    for action in actions:
        await _act(action, plant, live)
    plant.pass_seconds(1)
    await assert_as_history(live, plant, plant.last_hour)


async def _act(action: str, plant: Plant, live: LiveValues) -> None:
    span = Span(plant.store.now_ns() - 7 * SECOND, plant.store.now_ns() + 1)
    match action:
        case "pass":
            plant.pass_seconds(3)
        case "sampled" | "overflow":  # what is lost is told with the next value
            plant.pass_seconds(3, "a", lost=True)
            plant.sampled = action == "sampled"
            plant.current("a", overflow=action == "overflow")
            plant.sampled = False
        case "reconnect":
            await live.connect()
            plant.pass_seconds(2, lost=True)
        case "fail" if plant.subscription is not None:
            plant.subscription.failure = "silent"
            plant.pass_seconds(2, lost=True)
        case "read":
            await assert_as_history(live, plant, plant.last_hour)
            plant.current("a")
            plant.current("b")
        case "short read":
            await assert_as_history(live, plant, span)
            plant.current("a")
            plant.current("b")
