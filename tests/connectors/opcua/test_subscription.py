"""Values as they change, from servers that somebody else wrote: nothing is missing, or it is noticed."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from asyncua import Server, ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.errors import LimitExceeded, MalformedData, NotConnected
from tagsight_connectors.history import Span
from tagsight_connectors.live_values import Live, LiveValues
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.opcua.publishing import decode_publish
from tagsight_connectors.opcua.subscription import OVERFLOW, Subscription, history_of
from tagsight_connectors.quality import BAD_NO_COMMUNICATION, BAD_WAITING_FOR_INITIAL_DATA
from tagsight_connectors.reading import read_history
from tests.connectors.opcua.plant_server import EPOCH, SECOND, URI, free_port, plain

HISTORIAN, BARE = f"nsu={URI};s=Kept", f"nsu={URI};s=Bare"
DEADLINE_S = 30.0
NS_IN_US = 1_000


class Plant:
    """asyncua's server with two live tags; one of them keeps its history."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.index = 0
        self.now_ns = 0

    async def begin(self, past: list[tuple[int, float]]) -> None:
        self.index = await self.server.register_namespace(URI)
        for name in ("Kept", "Bare"):
            variant = ua.Variant(0.0, ua.VariantType.Double)
            await self.server.nodes.objects.add_variable(
                ua.NodeId(name, self.index), ua.QualifiedName(name, self.index), variant
            )
        node = self.server.get_node(ua.NodeId("Kept", self.index))
        for attribute in (ua.AttributeIds.AccessLevel, ua.AttributeIds.UserAccessLevel):
            await node.set_attr_bit(attribute, ua.AccessLevel.HistoryRead)
        self.history = self.server.iserver.history_manager.storage
        await self.history.new_historized_node(node.nodeid, None, count=100_000)
        for time_ns, value in past:
            await self.history.save_node_value(node.nodeid, data_value(time_ns, value))

    async def put(self, time_ns: int, value: float) -> None:
        self.now_ns = time_ns
        for name in ("Kept", "Bare"):
            node = self.server.get_node(ua.NodeId(name, self.index))
            await node.write_value(data_value(time_ns, value))
        await self.history.save_node_value(ua.NodeId("Kept", self.index), data_value(time_ns, value))


def data_value(time_ns: int, value: float) -> ua.DataValue:
    time = EPOCH + dt.timedelta(microseconds=time_ns // NS_IN_US)
    return ua.DataValue(Value=ua.Variant(value), StatusCode=ua.StatusCode(ua.UInt32(0)), SourceTimestamp=time)


def now() -> int:
    return int(dt.datetime.now(dt.UTC).timestamp()) * SECOND


@asynccontextmanager
async def plant_at(port: int, past: list[tuple[int, float]]) -> AsyncIterator[Plant]:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    server.set_identity_tokens([ua.AnonymousIdentityToken])
    plant = Plant(server)
    await plant.begin(past)
    async with server:
        yield plant


@asynccontextmanager
async def live_at(port: int, folder: Path, mode: Live = Live.SUBSCRIPTION) -> AsyncIterator[LiveValues]:
    live = LiveValues(open_opcua(plain(port, folder)), mode)
    await live.connect()
    try:
        yield live
    finally:
        await live.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 - the failure of a subscription sets no event
            await asyncio.sleep(0.02)


async def read(historian: LiveValues, address: str, since_ns: int) -> list[tuple[int, float, int]]:
    history = (await read_history(historian, [address], Span(since_ns, now() + 3_600 * SECOND))).tags[address]
    return list(zip(history.times.tolist(), history.values.tolist(), history.status.tolist(), strict=True))


async def both(live: LiveValues, since_ns: int) -> tuple[list[tuple[int, float, int]], list[tuple[int, float, int]]]:
    """What the subscription makes of the last hours, and what history alone says."""
    return await read(live, HISTORIAN, since_ns), await read(LiveValues(live.source, Live.AUTO), HISTORIAN, since_ns)


async def watching(live: LiveValues, plant: Plant, since_ns: int) -> None:
    await read(live, HISTORIAN, since_ns)
    await until(lambda: live.watched[HISTORIAN].newest_ns == plant.now_ns)


async def test_both_ways_give_the_same_values(tmp_path: Path) -> None:
    begin, port = now() - 100 * SECOND, free_port()
    async with plant_at(port, [(begin + at * SECOND, float(at)) for at in range(50)]) as plant:
        await plant.put(begin + 50 * SECOND, 50.0)
        async with live_at(port, tmp_path) as live:
            await watching(live, plant, begin)
            for at in range(51, 90):
                await plant.put(begin + at * SECOND, float(at))
            await until(lambda: live.watched[HISTORIAN].newest_ns == begin + 89 * SECOND)
            received, stored = await both(live, begin)
            assert received == stored
            assert [value for _, value, _ in received] == [float(at) for at in range(90)]


async def test_a_queue_that_overflowed_without_a_sign_is_filled_from_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncua drops the oldest values of a full queue and sets no overflow bit."""
    monkeypatch.setattr("tagsight_connectors.opcua.subscription.QUEUE", 5)
    begin, port = now() - 100 * SECOND, free_port()
    async with plant_at(port, []) as plant:
        await plant.put(begin, 0.0)
        async with live_at(port, tmp_path) as live:
            await watching(live, plant, begin)
            for at in range(1, 60):
                await plant.put(begin + at * SECOND, float(at))
            await until(lambda: live.watched[HISTORIAN].newest_ns == begin + 59 * SECOND)
            assert len(live.watched[HISTORIAN]) < 60
            received, stored = await both(live, begin)
            assert received == stored
            assert len(received) == 60


async def test_a_server_that_restarts_is_watched_again_and_nothing_is_missing(tmp_path: Path) -> None:
    begin, port = now() - 100 * SECOND, free_port()
    values = [(begin + at * SECOND, float(at)) for at in range(20)]
    async with plant_at(port, values[:5]) as plant:
        await plant.put(*values[5])
        async with live_at(port, tmp_path) as live:
            await watching(live, plant, begin)
            await plant.put(*values[6])
            await until(lambda: live.watched[HISTORIAN].newest_ns == values[6][0])
            await plant.server.stop()
            with pytest.raises(NotConnected):
                await read(live, HISTORIAN, begin)
            await live.close()
            async with plant_at(port, values[:15]) as again:
                await live.connect()
                await again.put(*values[15])
                await watching(live, again, begin)
                await again.put(*values[16])
                await until(lambda: live.watched[HISTORIAN].newest_ns == values[16][0])
                received, stored = await both(live, begin)
                assert received == stored
                assert len(received) == 17


async def test_a_tag_without_history_is_read_from_what_was_received(tmp_path: Path) -> None:
    begin, port = now() - 100 * SECOND, free_port()
    async with plant_at(port, []) as plant:
        await plant.put(begin, 0.0)
        async with live_at(port, tmp_path, Live.AUTO) as live:
            assert [status for _, _, status in await read(live, BARE, begin - SECOND)] == [BAD_WAITING_FOR_INITIAL_DATA]
            await until(lambda: live.watched[BARE].newest_ns == begin)
            await plant.put(begin + SECOND, 1.0)
            await until(lambda: live.watched[BARE].newest_ns == begin + SECOND)
            received = await read(live, BARE, begin)
            assert received == [(begin, 0.0, 0), (begin + SECOND, 1.0, 0)]
            await read(live, HISTORIAN, begin)
            assert list(live.watched) == [BARE]
            subscription = live._subscription
            assert isinstance(subscription, Subscription)
            await subscription.close()
            live.trouble = "the server takes no subscription any more"
            assert (await read(live, BARE, begin))[-1][2] == BAD_NO_COMMUNICATION


async def test_silence_is_a_failure(tmp_path: Path) -> None:
    port, clock = free_port(), [0.0]
    async with plant_at(port, []), live_at(port, tmp_path) as live:
        source = live.source
        subscription = Subscription(source._service(), source._shown(), live, lambda: clock[0])  # type: ignore[attr-defined]
        await subscription.begin()
        clock[0] = 10.0
        assert subscription.failure == ""
        clock[0] = 1_000.0
        assert "no sign of life" in subscription.failure
        await subscription.close()


async def test_a_message_that_is_missing_and_gone_ends_the_subscription(tmp_path: Path) -> None:
    port = free_port()
    async with plant_at(port, []) as plant, live_at(port, tmp_path) as live:
        await plant.put(now(), 1.0)
        await watching(live, plant, now() - 100 * SECOND)
        subscription = live._subscription
        assert isinstance(subscription, Subscription)
        subscription._next -= 1  # as if we had not heard the last one, which is acknowledged by now
        await plant.put(now() + SECOND, 2.0)
        await until(lambda: subscription.failure != "")
        assert "was lost" in subscription.failure or "Republish" in subscription.failure


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_else(octets: bytes) -> None:
    good = bytes(struct_to_binary(ua.PublishResponse()))
    for body in (octets, good[: len(good) - 20] + octets):
        try:
            decode_publish(body)
        except (MalformedData, LimitExceeded):
            continue


def test_the_overflow_bit_is_no_part_of_the_quality() -> None:
    assert OVERFLOW == 0x480
    assert history_of([]).values.tolist() == []
