"""Subscriptions of our server: filters, full queues, messages in parts, and what is kept of them."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asyncua import Client, ua

from tagsight_connectors.history import Sample
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.serving import ServedVariable
from tagsight_connectors.tag import DataType, Range
from tests.connectors.opcua.served_plant import URI, Plant

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNT = 300
NUMBERS = [f"Many/V{number:03d}" for number in range(COUNT)]
TEXT = ServedVariable("Many/Text", "Many/Text", DataType.TEXT)
SERVED = [*(ServedVariable(name, name, eu_range=Range(0, 100)) for name in NUMBERS), TEXT]
Codes = ua.StatusCodes
BAD = 0x80000000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    plant = Plant(tmp_path_factory.mktemp("many"), MemorySource(SERVED))
    plant.trust(plant.own())
    async with plant.make_server():
        yield plant


class Asker:
    """A client that asks for each message by itself."""

    def __init__(self, client: Client, namespace: int) -> None:
        self.client = client
        self.namespace = namespace
        self.number = 0

    async def ask(self, request: Any, answer: Any) -> Any:
        body = await asyncio.wait_for(self.client.uaclient.protocol.send_request(request), 10)
        return ua.ua_binary.struct_from_binary(answer, body)

    async def subscribe(self, most: int = 0) -> None:
        wanted = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=50.0,
            RequestedLifetimeCount=1_000,
            RequestedMaxKeepAliveCount=1_000,
            MaxNotificationsPerPublish=ua.UInt32(most),
            PublishingEnabled=True,
        )
        created = await self.ask(ua.CreateSubscriptionRequest(Parameters=wanted), ua.CreateSubscriptionResponse)
        self.number = created.Parameters.SubscriptionId

    async def watch(self, *names: str, queue: int = 10, wanted: Any = None) -> list[Any]:
        parameters = ua.CreateMonitoredItemsParameters(
            SubscriptionId=self.number,
            TimestampsToReturn=ua.TimestampsToReturn.Both,
            ItemsToCreate=[self._item(name, handle, queue, wanted) for handle, name in enumerate(names)],
        )
        request = ua.CreateMonitoredItemsRequest(Parameters=parameters)
        return list((await self.ask(request, ua.CreateMonitoredItemsResponse)).Results)

    def _item(self, name: str, handle: int, queue: int, wanted: Any) -> Any:
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(ua.NodeId(name, self.namespace), ua.AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(handle, 0.0, wanted, queue, DiscardOldest=True),
        )

    async def message(self, *acknowledged: int) -> Any:
        """The answer to one Publish."""
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = [
            ua.SubscriptionAcknowledgement(self.number, number) for number in acknowledged
        ]
        return (await self.ask(request, ua.PublishResponse)).Parameters

    async def values(self) -> list[Any]:
        """(handle, value, status) of the next message."""
        return values_of((await self.message()).NotificationMessage)

    async def modify(self, item: int, **wanted: Any) -> int:
        one = ua.MonitoredItemModifyRequest(item, ua.MonitoringParameters(**wanted))
        asked = ua.ModifyMonitoredItemsParameters(self.number, ua.TimestampsToReturn.Both, [one])
        request = ua.ModifyMonitoredItemsRequest(Parameters=asked)
        return int((await self.ask(request, ua.ModifyMonitoredItemsResponse)).Results[0].StatusCode.value)


def values_of(message: Any) -> list[Any]:
    found = [one for told in message.NotificationData for one in told.MonitoredItems]
    return [(one.ClientHandle, one.Value.Value and one.Value.Value.Value, one.Value.StatusCode.value) for one in found]


@pytest_asyncio.fixture(loop_scope="module")
async def asker(plant: Plant) -> AsyncIterator[Asker]:
    async with plant.client() as client:
        yield Asker(client, await client.get_namespace_index(URI))


async def change(plant: Plant, values: dict[str, Any], status: int = 0) -> None:
    plant.source.append([Sample(name, time.time_ns(), value, status) for name, value in values.items()])
    await plant.server.publish()


async def test_a_client_that_asks_for_few_values_gets_them_in_several_messages(plant: Plant, asker: Asker) -> None:
    await change(plant, dict.fromkeys(NUMBERS, 1.0))
    await asker.subscribe(most=100)
    await asker.watch(*NUMBERS)
    messages = [await asker.message() for _ in range(3)]
    assert [len(values_of(one.NotificationMessage)) for one in messages] == [100, 100, 100]
    assert [one.MoreNotifications for one in messages] == [True, True, False]
    handles = [handle for one in messages for handle, _, _ in values_of(one.NotificationMessage)]
    assert handles == list(range(COUNT))


async def test_a_full_queue_drops_its_oldest_values_and_says_so(plant: Plant, asker: Asker) -> None:
    await asker.subscribe()
    await asker.watch(NUMBERS[0], queue=3)
    await asker.values()
    for value in range(10, 16):
        await change(plant, {NUMBERS[0]: float(value)})
    told = await asker.values()
    assert [(value, status) for _, value, status in told] == [(13.0, 0x480), (14.0, 0), (15.0, 0)]


async def test_a_deadband_holds_against_drifts_and_survives_bad_values(plant: Plant, asker: Asker) -> None:
    await change(plant, {NUMBERS[1]: 50.0})
    await asker.subscribe()
    band = ua.DataChangeFilter(ua.DataChangeTrigger.StatusValue, int(ua.DeadbandType.Percent), 2.0)
    await asker.watch(NUMBERS[1], wanted=band)
    assert [value for _, value, _ in await asker.values()] == [50.0]
    for value in (51.0, 52.0, 53.0, 54.0):
        await change(plant, {NUMBERS[1]: value})
    await change(plant, {NUMBERS[1]: None}, BAD)
    await change(plant, {NUMBERS[1]: 54.0})
    assert [(value, status) for _, value, status in await asker.values()] == [(53.0, 0), (None, BAD), (54.0, 0)]


async def test_a_deadband_of_a_text_is_refused_for_that_item_alone(plant: Plant, asker: Asker) -> None:
    await asker.subscribe()
    band = ua.DataChangeFilter(ua.DataChangeTrigger.StatusValue, int(ua.DeadbandType.Absolute), 1.0)
    answers = await asker.watch(TEXT.identifier, NUMBERS[2], wanted=band)
    assert [one.StatusCode.value for one in answers] == [Codes.BadFilterNotAllowed, Codes.Good]
    assert await asker.modify(answers[1].MonitoredItemId, ClientHandle=7, QueueSize=2) == Codes.Good
    await asker.values()
    await change(plant, {NUMBERS[2]: 77.0})
    assert [(handle, value) for handle, value, _ in await asker.values()] == [(7, 77.0)]


async def test_unknown_items_and_filters_that_do_not_fit_are_not_modified(asker: Asker) -> None:
    await asker.subscribe()
    (answer,) = await asker.watch(NUMBERS[3])
    band = ua.DataChangeFilter(ua.DataChangeTrigger.StatusValue, int(ua.DeadbandType.Absolute), -1.0)
    assert await asker.modify(4_711, QueueSize=2) == Codes.BadMonitoredItemIdInvalid
    assert await asker.modify(answer.MonitoredItemId, Filter=band, QueueSize=2) == Codes.BadDeadbandFilterInvalid


async def test_a_message_is_repeated_until_it_is_acknowledged(plant: Plant, asker: Asker) -> None:
    await asker.subscribe()
    await asker.watch(NUMBERS[4])
    told = await asker.message()
    wanted = ua.RepublishParameters(asker.number, told.NotificationMessage.SequenceNumber)
    for _ in range(2):
        repeated = await asker.ask(ua.RepublishRequest(Parameters=wanted), ua.RepublishResponse)
        assert values_of(repeated.NotificationMessage) == values_of(told.NotificationMessage)
    await change(plant, {NUMBERS[4]: 44.0})
    await asker.message(told.NotificationMessage.SequenceNumber)
    with pytest.raises(ua.uaerrors.BadMessageNotAvailable):
        await asker.ask(ua.RepublishRequest(Parameters=wanted), ua.RepublishResponse)


async def test_deleted_items_and_disabled_ones_tell_nothing_more(plant: Plant, asker: Asker) -> None:
    await asker.subscribe()
    first, second, third = await asker.watch(*NUMBERS[5:8])
    await asker.values()
    await change(plant, dict.fromkeys(NUMBERS[5:8], 5.0))
    delete = ua.DeleteMonitoredItemsParameters(asker.number, [first.MonitoredItemId])
    await asker.ask(ua.DeleteMonitoredItemsRequest(Parameters=delete), ua.DeleteMonitoredItemsResponse)
    disable = ua.SetMonitoringModeParameters(asker.number, ua.MonitoringMode.Disabled, [second.MonitoredItemId])
    await asker.ask(ua.SetMonitoringModeRequest(Parameters=disable), ua.SetMonitoringModeResponse)
    await change(plant, dict.fromkeys(NUMBERS[5:8], 6.0))
    assert third.StatusCode.is_good()
    assert {handle for handle, _, _ in await asker.values()} == {2}


async def test_messages_that_nobody_acknowledges_are_kept_up_to_a_limit(
    plant: Plant, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagsight_connectors.opcua.server_subscriptions.SERVER_UNACKNOWLEDGED_BYTES", 20_000)
    await asker.subscribe()
    await asker.watch(*NUMBERS)
    available: list[int] = []
    for value in range(100, 105):
        await change(plant, dict.fromkeys(NUMBERS, float(value)))
        available = (await asker.message()).AvailableSequenceNumbers
    assert 1 <= len(available) <= 3


async def test_clients_see_the_service_level_fall_and_rise(tmp_path: Path) -> None:
    levels, plant = iter((255, 100, 100, 255)), Plant(tmp_path)
    plant.trust(plant.own())
    async with plant.make_server(level=lambda: next(levels)) as server, plant.client() as client:
        node, seen = client.get_node(ua.NodeId(ua.ObjectIds.Server_ServiceLevel)), []
        for _ in range(4):
            seen.append(await node.read_value())
            if len(seen) < 4:
                await server.publish()
    assert seen == [255, 100, 100, 255]
