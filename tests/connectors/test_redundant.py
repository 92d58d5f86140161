from collections.abc import Sequence

import pytest

from tagsight_connectors.errors import NotConnected, Unsupported
from tagsight_connectors.history import Sample
from tagsight_connectors.live import LiveSubscription, Receiver
from tagsight_connectors.live_values import LiveValues
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.redundant import RedundantHistorian
from tagsight_connectors.tag import Tag


class Pair:
    """Two servers of one historian; the tag tells which one answers."""

    def __init__(self, *levels: int | None) -> None:
        self.stores = [MemoryStore(f"server{number}") for number, _ in enumerate(levels)]
        for number, (store, level) in enumerate(zip(self.stores, levels, strict=True)):
            store.add(Tag("Which", "Which"))
            store.append("Which", [1_000], [float(number)])
            store.faults.service_level = level
        self.servers = [MemoryHistorian(store) for store in self.stores]
        self.historian = RedundantHistorian(self.servers)

    async def which(self) -> float:
        """Number of the server in use."""
        (sample,) = await self.historian.read_current(["Which"])
        assert isinstance(sample, Sample)
        return float(sample.value or 0.0)

    async def sessions(self) -> list[bool]:
        """Which servers have a session of ours."""
        return [server._connected for server in self.servers]


@pytest.mark.parametrize(
    ("levels", "used"),
    [((255, 255), 0), ((100, 255), 1), ((100, 150), 1), ((1, 5), 1), ((0, 199), 1), ((None, 255), 0), ((201, 255), 0)],
)
async def test_the_first_healthy_server_is_used_else_the_one_with_the_highest_level(
    levels: tuple[int | None, ...], used: int
) -> None:
    pair = Pair(*levels)
    await pair.historian.connect()
    assert await pair.which() == used
    assert await pair.sessions() == [number == used for number in range(2)]


async def test_a_server_that_is_down_is_passed_over() -> None:
    pair = Pair(255, 255)
    pair.stores[0].faults.down = True
    await pair.historian.connect()
    assert await pair.which() == 1


async def test_servers_without_data_are_no_connection() -> None:
    pair = Pair(0, 1)
    with pytest.raises(NotConnected, match="ServiceLevel"):
        await pair.historian.connect()
    assert await pair.sessions() == [False, False]
    with pytest.raises(NotConnected):
        await pair.historian.describe()


async def test_all_down_says_what_the_first_one_said() -> None:
    pair = Pair(255, 255)
    for store in pair.stores:
        store.faults.down = True
    with pytest.raises(NotConnected, match="server0"):
        await pair.historian.connect()


async def test_a_server_that_is_no_longer_healthy_is_left_for_one_that_is() -> None:
    pair = Pair(255, 255)
    await pair.historian.connect()
    pair.stores[0].faults.service_level = 50
    with pytest.raises(NotConnected, match="fell to 50"):
        await pair.historian.describe()
    await pair.historian.connect()
    assert await pair.which() == 1
    assert await pair.sessions() == [False, True]


async def test_a_degraded_server_is_kept_while_there_is_no_better_one() -> None:
    pair = Pair(150, 100)
    await pair.historian.connect()
    assert (await pair.historian.describe()).service_level == 150
    pair.stores[0].faults.service_level = 1
    with pytest.raises(NotConnected, match="no data"):
        await pair.historian.describe()
    await pair.historian.connect()
    assert await pair.which() == 1


async def test_a_degraded_server_is_left_when_another_becomes_healthy() -> None:
    pair = Pair(150, 100)
    await pair.historian.connect()
    pair.stores[1].faults.service_level = 255
    with pytest.raises(NotConnected, match="another server is healthy"):
        await pair.historian.describe()
    await pair.historian.connect()
    assert await pair.which() == 1
    assert await pair.sessions() == [False, True]


async def test_closing_ends_the_session_and_is_harmless_twice() -> None:
    pair = Pair(255, 255)
    await pair.historian.connect()
    await pair.historian.close()
    await pair.historian.close()
    assert await pair.sessions() == [False, False]


class Told(MemoryHistorian):
    """A server with subscriptions; its history cannot be read."""

    async def subscribe(self, receiver: Receiver) -> LiveSubscription:
        del receiver
        raise Unsupported(what=f"subscriptions of {self.store.name}")

    async def without_history(self, addresses: Sequence[str]) -> Sequence[str]:
        return addresses


async def test_the_active_server_is_subscribed_to() -> None:
    pair = Pair(100, 255)
    pair.servers[:] = [Told(store) for store in pair.stores]
    historian = RedundantHistorian(pair.servers)
    await historian.connect()
    assert await historian.without_history(["Which"]) == ["Which"]
    with pytest.raises(Unsupported, match="server1"):
        await historian.subscribe(LiveValues(historian))


async def test_servers_without_subscriptions_are_read_by_history() -> None:
    pair = Pair(255, 255)
    await pair.historian.connect()
    with pytest.raises(Unsupported, match="subscriptions"):
        await pair.historian.without_history(["Which"])
